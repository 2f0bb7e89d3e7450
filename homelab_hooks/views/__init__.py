"""The interface of a view: events in, output on stdout and stderr."""

from __future__ import annotations

from typing import Protocol

from homelab_hooks.events import Event


class View(Protocol):
    """Shows events to the user."""

    def tell(self, event: Event) -> None:
        """Show one event."""

    def close(self) -> None:
        """Restore the terminal; later events are shown again."""
