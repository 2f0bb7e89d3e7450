"""The protocol of a link: one thing that is waited for after a push."""

from __future__ import annotations

from typing import Protocol

from homelab_hooks.config.link_spec import LinkKind
from homelab_hooks.events import Stage
from homelab_hooks.verdict import Verdict


class Link(Protocol):
    """One link of the chain; it holds everything it needs and does nothing until `run` is called."""

    @property
    def kind(self) -> LinkKind:
        """Return what the link waits for."""

    @property
    def name(self) -> str:
        """Return the link's name in results and receipts, such as `deploy:web/shop`."""

    @property
    def stage(self) -> Stage:
        """Return the stage that the views show while the link runs."""

    @property
    def resume_command(self) -> str:
        """Return the shell command that waits for the same thing again, and for the links after it where it can."""

    def run(self) -> Verdict:
        """Wait until the link has a verdict, and return it.

        Raises:
            CommandError: the link cannot begin, for example because no token was found.
        """
