"""The plain view: a line for each change, and the result line at the end."""

from __future__ import annotations

from typing import Protocol

from homelab_hooks.events import Event, Result, StageChanged
from homelab_hooks.text.sanitize import Redactor, truncate_text
from homelab_hooks.views.format import format_result_line, render_plain_lines
from homelab_hooks.views.sanitize import sanitize_event


class LineOutput(Protocol):
    """Receives the lines."""

    def out(self, line: str) -> None:
        """Write a line to stdout."""

    def err(self, line: str) -> None:
        """Write a line to stderr."""


class PlainView:
    """Prints progress to stderr and the result line to stdout, without control characters, below 200 columns a line."""

    def __init__(self, output: LineOutput, redact: Redactor) -> None:
        self._output = output
        self._redact = redact
        self._last_detail = ""

    def tell(self, event: Event) -> None:
        """Show one event; the result's reason is omitted if it was printed as the detail of the last stage."""
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
        """Do nothing: there is nothing to restore."""
