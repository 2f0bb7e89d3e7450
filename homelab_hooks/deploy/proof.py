"""What is rolled out, as the wait for it sees that: the seam behind which Kubernetes is one implementation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from homelab_hooks.deploy.assessment import Assessment
from homelab_hooks.deploy.state import Pace, RolloutState
from homelab_hooks.polling.outcome import Poll

Observation = TypeVar("Observation")
"""what one look of a probe returns: the probe's own type, which nothing but its `assess` reads"""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceCounts:
    """How many instances there are of each sort, as the `rollout` event has them."""

    desired: int = 0
    updated: int = 0
    ready: int = 0
    available: int = 0
    old: int | None = None
    """instances of an earlier version; None where they were not counted"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """What a look amounts to, given the looks before it."""

    identity: str
    """changes when the workload is deleted and created again"""
    progress: InstanceCounts
    pace: Pace
    """what the next look's time depends on"""
    memory: object
    """what the probe wants to find in `RolloutState.memory` at the next look"""
    assessment: Assessment | None = None
    """None: the look shows how far the rollout is and allows no verdict"""
    image: str = ""
    """the image (or other artefact) that names a commit, else the one that runs"""
    proves: bool = False
    """it names the commit, or a newer one that counts"""


class DeliveryProbe(Protocol[Observation]):
    """Looks at what is rolled out and says what each look amounts to.

    A wait holds one probe for all its targets. To add one, implement these three methods in a package beside
    `deploy/kubernetes` and build it where the wait is put together.
    """

    def poll(self, state: RolloutState) -> Poll[Observation] | None:
        """Return what there is to see of one target now; None where no look is due and nothing was heard.

        Never raises for what the server says or fails to say: that is in the value. It is called once more for a target
        that has its outcome, so that the probe can show what explains it; that call's answer is ignored.
        """

    def assess(self, observation: Observation, state: RolloutState, now: float) -> Assessed:
        """Return what a look amounts to; pure, `now` in the clock's seconds."""

    def close(self) -> None:
        """End what the probe has started."""
