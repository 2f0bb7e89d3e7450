"""Plain progress: a line on change, one result line at the end."""

from __future__ import annotations

from typing import Protocol

from homelab_hooks.events import Event, Result, StageChanged
from homelab_hooks.text.sanitize import Redactor, truncate_text
from homelab_hooks.views.format import format_result_line, render_plain_lines
from homelab_hooks.views.sanitize import sanitize_event


class LineOutput(Protocol):
    """Where lines go."""

    def out(self, line: str) -> None:
        """A line to stdout."""

    def err(self, line: str) -> None:
        """A line to stderr."""


class PlainView:
    """Progress to stderr, the result line to stdout; no control characters, no line of 200 columns or more."""

    def __init__(self, output: LineOutput, redact: Redactor) -> None:
        self._output = output
        self._redact = redact
        self._last_detail = ""

    def tell(self, event: Event) -> None:
        """Show one event; a stage's last word is not said again as the result's reason."""
        sanitized = sanitize_event(event, self._redact)
        if isinstance(sanitized, Result):
            is_repeated = sanitized.reason == self._last_detail
            self._write(sanitized._replace(reason="") if is_repeated else sanitized)
            self._output.out(format_result_line(sanitized))
            return
        if isinstance(sanitized, StageChanged):
            self._last_detail = sanitized.detail
        self._write(sanitized)

    def _write(self, event: Event) -> None:
        for line in render_plain_lines(event):
            self._output.err(truncate_text(line.rstrip()))

    def close(self) -> None:
        """Nothing has to be put back."""
