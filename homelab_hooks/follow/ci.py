"""The link that waits for the CI result of the commit, from Woodpecker or from a forge."""

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
        name: ci, ci:EVENT, or ci:EVENT@OWNER/NAME; or an `actions` or `status` link.
        kind: a forge's Actions and statuses are watched as CI is.
        stage: the stage that the views show.
    """

    build: Callable[[], tuple[WatchRequest, WatchDependencies]]
    resume_command: str
    clock: WatchClock
    emit: Callable[[Event], None]
    name: str = "ci"
    kind: LinkKind = LinkKind.CI
    stage: Stage = Stage.WATCH

    def run(self) -> Verdict:
        """Watch until the CI result of the commit is final, or a timeout has passed."""
        request, dependencies = self.build()
        verdict = run_watch(request, dependencies, clock=self.clock, emit=self.emit)
        return verdict._replace(pipelines=()) if self.kind is LinkKind.STATUS else verdict  # it has no numbers
