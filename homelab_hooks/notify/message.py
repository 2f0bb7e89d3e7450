"""The text of a notification: a few lines about the result, without secrets and control characters."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from homelab_hooks.events import Result
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.text.redaction import Redactor, sanitize_text
from homelab_hooks.text.sanitize import truncate_text

MAX_VALUE_CHARS = 500
"""characters of each line; several services refuse a long message"""


class MessageKind(StrEnum):
    """Apprise's types of a message, which services show as a color or a symbol."""

    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


class Message(NamedTuple):
    """A notification."""

    title: str
    body: str
    kind: MessageKind


def compose_message(result: Result, redact: Redactor) -> Message:
    """Return the notification of a result: verdict, exit code, commit, link, URL, and the first line of the reason."""
    title = f"homelab: {result.verdict} exit={int(result.exit)} {short_sha(result.sha)}".rstrip()
    reason = next(iter(result.reason.splitlines()), "")
    rows = (
        ("verdict", f"{result.verdict} exit={int(result.exit)}"),
        ("commit", result.sha),
        ("link", result.link),
        ("url", result.url),
        ("reason", reason),
    )
    lines = [f"{name}: {sanitize_text(value, redact)}" for name, value in rows if value]
    body = "\n".join(truncate_text(line, MAX_VALUE_CHARS) for line in lines)
    return Message(title=sanitize_text(title, redact), body=body, kind=choose_kind(result.exit))


def choose_kind(exit_: ExitCode) -> MessageKind:
    """Return the type of the message.

    >>> [str(choose_kind(ExitCode(code))) for code in (0, 1, 124)]
    ['success', 'failure', 'warning']
    """
    match exit_:
        case ExitCode.OK:
            return MessageKind.SUCCESS
        case ExitCode.TIMEOUT | ExitCode.UNREACHABLE | ExitCode.TERMINATED | ExitCode.INTERRUPTED:
            return MessageKind.WARNING
        case _:
            return MessageKind.FAILURE
