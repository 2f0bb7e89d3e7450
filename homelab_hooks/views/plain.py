"""Plain progress: a line on change, one result line at the end."""

from __future__ import annotations

from typing import Protocol

from homelab_hooks.events import Event, Result, StageChanged
from homelab_hooks.text import Redactor, short
from homelab_hooks.views.fit import fit
from homelab_hooks.views.wording import lines, result_line


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
        told = fit(event, self._redact)
        if isinstance(told, Result):
            again = told.reason == self._detail
            self._say(told._replace(reason="") if again else told)
            self._output.out(result_line(told))
            return
        if isinstance(told, StageChanged):
            self._detail = told.detail
        self._say(told)

    def _say(self, event: Event) -> None:
        for line in lines(event):
            self._output.err(short(line.rstrip()))

    def close(self) -> None:
        """Nothing has to be put back."""
