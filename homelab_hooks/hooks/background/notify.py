"""Notifies the user when a background watch, or a long command in the foreground, has ended."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Event, Log, LogLevel, Result
from homelab_hooks.notify.apprise_job import SEND_TIMEOUT_S, send_through_apprise
from homelab_hooks.notify.message import compose_message
from homelab_hooks.system import process_table, terminal
from homelab_hooks.system.exit_status import describe_exit
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.system.process_table import ProcessInfo
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.text.redaction import Redactor

NOTIFY_TIMEOUT_S = 30.0
"""seconds for homelab.notify, and for notify-send, where nobody waits for them"""
MIN_TIMEOUT_S = 0.1
"""seconds for what is started after the time for all is over"""
_DESKTOP_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyTargets:
    """Where a notification can go.

    Args:
        runner: runs the user's command, notify-send, and Apprise; without our tokens.
        directory: the command's working directory.
        environ: the environment of this process, which names the desktop session, if there is one.
        session_leader: of the session that made the push; None: it had no terminal.
        redact: replaces secrets in what is sent through Apprise.
        time_left: returns the seconds that remain for all of them together.
    """

    runner: ProcessRunner
    directory: Path
    environ: Mapping[str, str]
    session_leader: ProcessInfo | None
    redact: Redactor
    time_left: Callable[[], float] = lambda: math.inf

    def limit(self, seconds: float) -> float:
        """Return the timeout of one of them that may take this long."""
        return max(MIN_TIMEOUT_S, min(seconds, self.time_left()))


def send_notification(
    result: Result, result_json: str, config: Config, targets: NotifyTargets, emit: Callable[[Event], None]
) -> None:
    """Run homelab.notify and send to homelab.notifyUrl.

    Without them, or if both fail, ring the terminal's bell and use the desktop, if they exist.

    The terminal and the desktop get fixed text only: no name, message, or address from outside.

    Args:
        result_json: the `result` object of --output json, on one line; the command reads it from standard input.
    """
    has_run = bool(config.notify) and _run_notify_command(result_json, config, targets, emit)
    if _send_to_urls(result, config, targets, emit) or has_run:
        return
    title = f"homelab: {result.verdict} exit={int(result.exit)} {short_sha(result.sha)}"
    leader, environ = targets.session_leader, targets.environ
    if leader and _is_terminal_open(leader):
        terminal.ring_bell(leader.terminal, title=title, term=environ.get("TERM", ""))
    if any(environ.get(name) for name in _DESKTOP_VARIABLES):
        body = f"homelab ci status {short_sha(result.sha)}"
        targets.runner.run(["notify-send", "--app-name=homelab", title, body], timeout=targets.limit(NOTIFY_TIMEOUT_S))


def _run_notify_command(
    result_json: str, config: Config, targets: NotifyTargets, emit: Callable[[Event], None]
) -> bool:
    stdin = f"{result_json}\n".encode()
    argv, timeout = ["sh", "-c", config.notify], targets.limit(NOTIFY_TIMEOUT_S)
    done = targets.runner.run(argv, cwd=targets.directory, stdin=stdin, timeout=timeout)
    if not done.ok:
        why = "timed out" if done.timed_out else describe_exit(done.code)
        text = f"the command from {config.source('notify')} {why}"
        emit(Log(source="homelab", text=text, level=LogLevel.WARNING))
    return done.ok


def _send_to_urls(result: Result, config: Config, targets: NotifyTargets, emit: Callable[[Event], None]) -> bool:
    """Send to each of homelab.notifyUrl, and return whether one got the message; the others are warnings."""
    if not config.notify_url:
        return False
    message, timeout_s = compose_message(result, targets.redact), targets.limit(SEND_TIMEOUT_S)
    delivery = send_through_apprise(config.notify_url, message, targets.runner, timeout_s=timeout_s)
    for text in delivery.problems:
        emit(Log(source="homelab", text=text, level=LogLevel.WARNING))
    return delivery.sent_count > 0


def find_session_leader() -> ProcessInfo | None:
    """Return the leader of this process's session; None if the session has no terminal, or the leader left it."""
    mine = process_table.process_info(os.getpid())
    leader = process_table.process_info(mine.session) if mine and mine.terminal else None
    return leader if mine and leader and leader.terminal == mine.terminal else None


def _is_terminal_open(leader: ProcessInfo) -> bool:
    """Return whether the session that pushed still has its terminal."""
    now = process_table.process_info(leader.id)
    return now is not None and (now.began, now.terminal) == (leader.began, leader.terminal)
