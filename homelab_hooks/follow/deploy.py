"""The link that waits until workloads run the commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from homelab_hooks.events import Stage
from homelab_hooks.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployLink:
    """Waits for the rollouts of the configured workloads.

    Args:
        wait: waits for them and returns the verdict of all; called when the link begins.
    """

    wait: Callable[[], Verdict]
    resume_command: str

    @property
    def stage(self) -> Stage:
        """Return the stage that the views show."""
        return Stage.DEPLOY

    def run(self) -> Verdict:
        """Wait until every workload has an outcome, or the timeout has passed."""
        return self.wait()
