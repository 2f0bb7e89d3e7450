"""Records the events of a watch beside its record, by the public schema and redacted, for callers that attach."""

from __future__ import annotations

import json
from pathlib import Path

from homelab_hooks.app.session import Session
from homelab_hooks.events import Event, Log, LogLevel
from homelab_hooks.hooks.background.event_log import EventLogWriter
from homelab_hooks.system.clock import format_current_time
from homelab_hooks.views.ndjson import event_object


def record_events(session: Session, path: Path) -> None:
    """Record every event from now on in this file. If the disk fails, a warning is printed and the watch continues."""
    writer = EventLogWriter(path)
    seq = 0

    def record(event: Event) -> None:
        nonlocal seq
        seq += 1
        fields = event_object(event, session.runtime.redact, seq=seq, time=format_current_time())
        try:
            writer.append(json.dumps(fields, ensure_ascii=False))
        except OSError as error:
            session.record_events(lambda _: None)
            text = f"could not record the events of this watch: {error}"
            session.tell(Log(source="homelab", text=text, level=LogLevel.WARNING))

    session.record_events(record)


def result_fields(session: Session) -> dict[str, object]:
    """Return the `result` object of --output json, of a session that has one."""
    assert session.result is not None  # noqa: S101 - the callers have checked
    return event_object(session.result, session.runtime.redact, seq=1, time=format_current_time())
