"""Which view is shown: the one that was asked for, as far as the terminal can show it."""

from __future__ import annotations

from homelab_hooks.clock import Pulse, SystemClock, stamp
from homelab_hooks.settings import Output
from homelab_hooks.terminal import Terminal
from homelab_hooks.text import Redactor
from homelab_hooks.views import View


def choose(output: Output, terminal: Terminal, redact: Redactor, clock: SystemClock) -> View:
    """`auto` is live where stderr can be redrawn; each view is imported only where it is shown."""
    if output is Output.JSON:
        from homelab_hooks.views.ndjson import Ndjson

        return Ndjson(terminal, redact, stamp)
    if live(output, terminal):
        from homelab_hooks.views.live import Live

        view = Live(terminal, redact, clock, Pulse)
        terminal.lift = view.close
        return view
    from homelab_hooks.views.plain import Plain

    return Plain(terminal, redact)


def live(output: Output, terminal: Terminal) -> bool:
    """Whether that is the live view."""
    return (output is Output.AUTO and terminal.live) or (output is Output.LIVE and not terminal.dumb)
