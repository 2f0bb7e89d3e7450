"""Plain progress: a line on change, one result line at the end."""

from __future__ import annotations

from typing import Protocol

from homelab_hooks.events import Event, Result, StageChanged
from homelab_hooks.text import Redactor, fit_to_show, short
from homelab_hooks.views.wording import lines, result_line

__all__ = ["Plain", "lines", "result_line"]


class Output(Protocol):
    """Where lines go."""

    def out(self, line: str) -> None:
        """A line to stdout."""

    def err(self, line: str) -> None:
        """A line to stderr."""


class Plain:
    """Progress to stderr, the result line to stdout; no control characters, no line of 200 columns or more."""

    def __init__(self, output: Output, redact: Redactor) -> None:
        self._output = output
        self._redact = redact
        self._detail = ""

    def tell(self, event: Event) -> None:
        """Show one event; a stage's last word is not said again as the result's reason."""
        if isinstance(event, StageChanged):
            self._detail = event.detail
        told = event._replace(reason="") if isinstance(event, Result) and event.reason == self._detail else event
        for line in lines(told):
            self._output.err(short(fit_to_show(line, self._redact)))
        if isinstance(event, Result):
            self._output.out(fit_to_show(result_line(event), self._redact))

    def close(self) -> None:
        """Nothing has to be put back."""
