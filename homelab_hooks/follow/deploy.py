"""The link that waits until a workload runs the commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from homelab_hooks.config.link_spec import LinkKind
from homelab_hooks.events import Stage
from homelab_hooks.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployLink:
    """Waits for the rollout of one workload.

    Args:
        name: deploy:TARGET.
        wait: waits for it and returns the verdict; called when the link begins.
    """

    name: str
    wait: Callable[[], Verdict]
    resume_command: str

    @property
    def kind(self) -> LinkKind:
        """Return what the link waits for."""
        return LinkKind.DEPLOY

    @property
    def stage(self) -> Stage:
        """Return the stage that the views show."""
        return Stage.DEPLOY

    def run(self) -> Verdict:
        """Wait until the workload has an outcome, or the timeout has passed."""
        return self.wait()
