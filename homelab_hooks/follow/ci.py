"""The link that waits for the CI result of the commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from homelab_hooks.config.link_spec import LinkKind
from homelab_hooks.events import Event, Stage
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.failure_report import WatchClock
from homelab_hooks.watch.poller import WatchDependencies, WatchRequest
from homelab_hooks.watch.run import run_watch


@dataclass(frozen=True, slots=True, kw_only=True)
class CiLink:
    """Watches the commit's pipelines.

    Args:
        build: returns the watch and what it reads from; called when the link begins, because a token, a remote, or the
            repository's name in CI may not be known before.
        name: ci, ci:EVENT, or ci:EVENT@OWNER/NAME.
    """

    build: Callable[[], tuple[WatchRequest, WatchDependencies]]
    resume_command: str
    clock: WatchClock
    emit: Callable[[Event], None]
    name: str = "ci"

    @property
    def kind(self) -> LinkKind:
        """Return what the link waits for."""
        return LinkKind.CI

    @property
    def stage(self) -> Stage:
        """Return the stage that the views show."""
        return Stage.WATCH

    def run(self) -> Verdict:
        """Watch until the CI result of the commit is final, or a timeout has passed."""
        request, dependencies = self.build()
        return run_watch(request, dependencies, clock=self.clock, emit=self.emit)
