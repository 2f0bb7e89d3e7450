"""Chooses the view for the output mode and the terminal."""

from __future__ import annotations

from homelab_hooks.config.schema import OutputMode
from homelab_hooks.system.clock import SystemClock, Ticker, format_current_time
from homelab_hooks.system.terminal import Terminal
from homelab_hooks.text.redaction import Redactor
from homelab_hooks.views import View


def create_view(output: OutputMode, terminal: Terminal, redact: Redactor, clock: SystemClock) -> View:
    """Return the view for an output mode; `auto` is live if stderr can be redrawn. Only that view is imported."""
    if output is OutputMode.JSON:
        from homelab_hooks.views.ndjson import NdjsonView

        return NdjsonView(terminal, redact, format_current_time)
    if is_live_view(output, terminal):
        from homelab_hooks.views.live.view import LiveView

        return LiveView(terminal, redact, clock, Ticker, has_links=terminal.has_hyperlinks)
    from homelab_hooks.views.plain import PlainView

    return PlainView(terminal, redact)


def is_live_view(output: OutputMode, terminal: Terminal) -> bool:
    """Return whether `create_view` returns the live view."""
    return (output is OutputMode.AUTO and terminal.can_redraw) or (output is OutputMode.LIVE and not terminal.is_dumb)
