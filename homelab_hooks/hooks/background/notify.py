"""Tells a person how a watch ended that nobody looked at."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Event, Log, LogLevel, Result
from homelab_hooks.system import process_table, terminal
from homelab_hooks.system.clock import format_current_time
from homelab_hooks.system.process_table import ProcessInfo
from homelab_hooks.views.ndjson import NdjsonView

NOTIFY_TIMEOUT_S = 30.0
"""that a notification may take"""
_DESKTOP_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")


class _Line:
    """Hears one line."""

    def __init__(self) -> None:
        self.text = ""

    def out(self, line: str) -> None:
        self.text = line


def result_json(result: Result, world: Runtime) -> str:
    """The `result` object of --output json."""
    line = _Line()
    NdjsonView(line, world.redact, format_current_time).tell(result)
    return line.text


def result_dict(result: Result, world: Runtime) -> dict[str, Any]:
    """The same, as it is kept in a record."""
    found: dict[str, Any] = json.loads(result_json(result, world))
    return found


def send_notification(
    result: Result, world: Runtime, config: Config, *, shell: ProcessInfo | None, tell: Callable[[Event], None]
) -> None:
    """By the user's own command, else by the terminal and the desktop, as far as they are still there.

    They get our own words only: no name, message or address from outside.
    """
    if config.notify and _run_notify_command(result, world, config, tell):
        return
    words = f"homelab: {result.verdict} exit={int(result.exit)} {result.sha[:10]}"
    if shell and _is_terminal_open(shell):
        terminal.ring_bell(shell.terminal, title=words, term=world.environ.get("TERM", ""))
    if any(world.environ.get(name) for name in _DESKTOP_VARIABLES):
        more = f"homelab ci status {result.sha[:10]}"
        world.user_command_runner.run(["notify-send", "--app-name=homelab", words, more], timeout=NOTIFY_TIMEOUT_S)


def _run_notify_command(result: Result, world: Runtime, config: Config, tell: Callable[[Event], None]) -> bool:
    told = f"{result_json(result, world)}\n".encode()
    done = world.user_command_runner.run(
        ["sh", "-c", config.notify], cwd=world.directory, stdin=told, timeout=NOTIFY_TIMEOUT_S
    )
    if not done.ok:
        why = "did not end in time" if done.timed_out else f"ended with {done.code}"
        text = f"the command from {config.source('notify')} {why}"
        tell(Log(source="homelab", text=text, level=LogLevel.WARNING))
    return done.ok


def _is_terminal_open(shell: ProcessInfo) -> bool:
    """Whether the session that pushed still has its terminal."""
    now = process_table.process_info(shell.id)
    return now is not None and (now.began, now.terminal) == (shell.began, shell.terminal)
