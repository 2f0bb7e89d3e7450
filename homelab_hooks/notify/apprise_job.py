"""Runs Apprise in a process of its own, and reads which targets got the message."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from homelab_hooks.notify.apprise_send import NOT_INSTALLED_CODE, OUTCOME
from homelab_hooks.notify.message import Message
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.installation import format_install_command
from homelab_hooks.system.process_runner import ProcessRunner

SEND_TIMEOUT_S = 10.0
"""seconds for all targets together"""
CHECK_TIMEOUT_S = 3.5
"""seconds for the check of all URLs; less than the doctor has for its checks"""
NOT_INSTALLED_TEXT = "homelab.notifyUrl needs the extra notify (apprise is not installed)"
_ROW_WORDS_COUNT = 3
_PLACE = re.compile(r"[0-9]{1,9}")
_PROGRAM = (
    "import json,sys; job=json.load(sys.stdin); sys.path[:]=job['path']; "
    "from homelab_hooks.notify.apprise_send import run_job; run_job(job)"
)


def format_install_hint() -> str:
    """Return how to install Apprise."""
    return f"to install it, run: {format_install_command('notify')}"


class Delivery(NamedTuple):
    """How many targets got a message, and what went wrong with the others; no text shows a URL."""

    sent_count: int
    problems: tuple[str, ...] = ()
    is_installed: bool = True
    """whether Apprise is"""


def send_through_apprise(
    urls: Sequence[str],
    message: Message,
    runner: ProcessRunner,
    *,
    timeout_s: float = SEND_TIMEOUT_S,
    path: Sequence[str] = (),
) -> Delivery:
    """Send a message to each URL, and return which ones got it.

    The URLs, which hold secrets, are passed on standard input: other users can read the arguments of a process. The
    modules come from where this process found its own, whatever PYTHONPATH and the current directory are.

    Args:
        runner: for programs without our tokens.
        path: where the process looks for modules; empty: where this one does.
    """
    return _run_job({"urls": list(urls), "path": list(path), **message._asdict()}, runner, timeout_s)


def check_urls(urls: Sequence[str], runner: ProcessRunner, *, timeout_s: float = CHECK_TIMEOUT_S) -> Delivery:
    """Return which URLs Apprise can use, without sending anything."""
    return _run_job({"urls": list(urls), "path": (), "kind": ""}, runner, timeout_s)


def _run_job(job: Mapping[str, Any], runner: ProcessRunner, timeout_s: float) -> Delivery:
    path = [entry for entry in job["path"] or sys.path if entry.startswith("/")]
    argv = [sys.executable, "-I", "-X", "utf8", "-c", _PROGRAM]
    done = runner.run(argv, cwd=Path("/"), stdin=json.dumps({**job, "path": path}).encode(), timeout=timeout_s)
    return read_delivery(job["urls"], done, timeout_s)


def read_delivery(urls: Sequence[str], done: Completed, timeout_s: float) -> Delivery:
    """Return which targets got the message, from what the process has written until its end.

    >>> read_delivery(["json://ann:pw@h.test", "x://h"], Completed(0, b"homelab-notify 0 ok"), 10)
    Delivery(sent_count=1, problems=('homelab.notifyUrl 2 of 2 (x://): not sent',), is_installed=True)
    """
    if done.code == NOT_INSTALLED_CODE:
        return Delivery(0, (f"{NOT_INSTALLED_TEXT}; {format_install_hint()}",), is_installed=False)
    words = _read_outcomes(done)
    default = f"no answer in {timeout_s:g}s" if done.timed_out else "not sent"
    says = {"failed": "not sent", "unknown": "Apprise cannot use the URL"}
    problems = tuple(
        f"homelab.notifyUrl {place + 1} of {len(urls)} ({scheme_of(url)}): {says.get(words.get(place, ''), default)}"
        for place, url in enumerate(urls)
        if words.get(place) != "ok"
    )
    return Delivery(len(urls) - len(problems), problems)


def _read_outcomes(done: Completed) -> dict[int, str]:
    rows = [line.split() for line in done.lines]
    rows = [row for row in rows if row[:1] == [OUTCOME] and len(row) == _ROW_WORDS_COUNT]
    return {int(place): word for _, place, word in rows if _PLACE.fullmatch(place)}


def scheme_of(url: str) -> str:
    """Return the beginning of a URL that names the service, and nothing of the rest, which is secret.

    >>> scheme_of("json://ann:pw@h.test")
    'json://'
    """
    return f"{url.partition('://')[0]}://"
