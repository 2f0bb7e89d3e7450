"""Notifies the user at the end of a command in the foreground, after its result was printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homelab_hooks.events import Event, Log
from homelab_hooks.notify.occasion import is_worth_notifying
from homelab_hooks.system.signals import run_after_result
from homelab_hooks.text.redaction import sanitize_text

if TYPE_CHECKING:
    from homelab_hooks.app.session import Session

TIMEOUT_S = 10.0
"""seconds for all targets together: the user has the result, and waits for the prompt"""


def notify_at_end(session: Session) -> None:
    """Send a notification if the command took longer than homelab.notifyAfter.

    The result is the last line of the output and stays it, so a problem is one line on stderr in each output mode.
    Nothing here changes the exit code, which was printed. Ctrl-C and SIGTERM end the sending.
    """
    config, result = session.settings, session.result
    if config is None or result is None or session.watcher_notifies:
        return
    if not is_worth_notifying(session.prog, result, config.notify_after):
        return
    try:
        run_after_result(lambda: _send(session))
    except Exception as fault:  # noqa: BLE001 - the result stands, whatever a notification does
        _warn(session, f"could not notify: {type(fault).__name__}: {fault}")


def _send(session: Session) -> None:
    import json

    from homelab_hooks.app.event_recording import result_fields
    from homelab_hooks.hooks.background import notify

    assert session.settings is not None  # noqa: S101 - the caller has checked
    assert session.result is not None  # noqa: S101 - as above
    runtime = session.runtime
    until = runtime.clock.now() + TIMEOUT_S
    targets = notify.NotifyTargets(
        runner=runtime.user_command_runner,
        directory=runtime.directory,
        environ=runtime.environ,
        session_leader=notify.find_session_leader(),
        redact=runtime.redact,
        time_left=lambda: until - runtime.clock.now(),
    )
    result_json = json.dumps(result_fields(session), ensure_ascii=False)

    def emit(event: Event) -> None:
        if isinstance(event, Log):
            _warn(session, event.text)

    notify.send_notification(session.result, result_json, session.settings, targets, emit)


def _warn(session: Session, text: str) -> None:
    session.runtime.terminal.err(sanitize_text(f"homelab: warning: {text}", session.runtime.redact))
