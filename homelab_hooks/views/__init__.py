"""Views hear events and nothing else."""

from __future__ import annotations

from typing import Protocol

from homelab_hooks.events import Event


class View(Protocol):
    """Shows what is told."""

    def tell(self, event: Event) -> None:
        """Show one event."""

    def close(self) -> None:
        """Leave the terminal as it was found; what is told later is shown again."""
