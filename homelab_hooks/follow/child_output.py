"""Reports what a child process prints as it comes, and a heartbeat while it prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from homelab_hooks.events import Event, Log, Waiting
from homelab_hooks.polling.contact import seconds_to_heartbeat
from homelab_hooks.polling.loop import Clock
from homelab_hooks.text.sanitize import strip_control_chars


class ChildOutput:
    """Emits a `Log` for each line that a child prints, and a `Waiting` once a minute while it prints nothing.

    Args:
        source: of the log lines.
        waiting_for: what the command waits for, as the heartbeat prints it.
        choose_lines: returns the lines to show for a line; none for a line that only frames others.
    """

    def __init__(
        self,
        source: str,
        *,
        emit: Callable[[Event], None],
        clock: Clock,
        waiting_for: str,
        choose_lines: Callable[[str], Sequence[str]] = lambda text: (text,),
    ) -> None:
        self._source, self._waiting_for = source, waiting_for
        self._emit, self._clock, self._choose_lines = emit, clock, choose_lines
        self._began = self._last_event_at = clock.now()

    def on_line(self, text: str) -> None:
        """Log a line."""
        for line in self._choose_lines(text):
            self._last_event_at = self._clock.now()
            self._emit(Log(source=self._source, text=strip_control_chars(line)))

    def on_wait(self) -> None:
        """Emit a heartbeat if it is due."""
        now = self._clock.now()
        if seconds_to_heartbeat(self._last_event_at, now) <= 0:
            self._last_event_at = now
            self._emit(Waiting(reason=self._waiting_for, elapsed=now - self._began))
