"""The probe protocol: polls what is deployed and assesses it. Kubernetes is one implementation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from homelab_hooks.deploy.assessment import Assessment, ImageUnproven
from homelab_hooks.deploy.state import PollTiming, RolloutState
from homelab_hooks.polling.outcome import Poll

Observation = TypeVar("Observation")
"""the result of one poll: the probe's own type, which only its `assess` reads"""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceCounts:
    """The numbers of instances in the `rollout` event; None if they were not counted."""

    desired: int | None = 0
    updated: int | None = 0
    ready: int | None = 0
    available: int | None = 0
    old: int | None = None
    """instances of an earlier version"""


NO_INSTANCES = InstanceCounts(desired=None, updated=None, ready=None, available=None)
"""of what is deployed without instances of its own"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """The result of assessing one poll, given the polls before it."""

    identity: str
    """an id that changes when the workload is deleted and created again"""
    progress: InstanceCounts
    timing: PollTiming
    """the facts that the time of the next poll depends on"""
    memory: object
    """what the probe keeps until the next poll; kept in `RolloutState.memory`"""
    assessment: Assessment | None = None
    """None: the poll shows the progress of the rollout, but is not enough for a verdict"""
    missing: str = ""
    """why the server did not answer the rest of the poll; the assessment is None then"""
    image: str = ""
    """the image (or other artifact) that names a commit; the running one if none does"""
    proves: bool = False
    """whether the image names the commit, or a newer commit that contains it"""
    undecided: bool = False
    """whether it is not known yet what the image is: then nothing is concluded from it"""
    at_timeout: ImageUnproven | None = None
    """the result if this is still so when time runs out; None: the wait has timed out"""


class DeliveryProbe(Protocol[Observation]):
    """Polls deployed workloads, and assesses each poll.

    One probe serves all targets of a wait. To add a probe, implement these three methods in a package next to
    `deploy/kubernetes`, and create it in `app/deploy_setup.py`.
    """

    def poll(self, state: RolloutState) -> Poll[Observation] | None:
        """Return the current observation of one target; None if no poll is due and no watch event has arrived.

        Never raises for an error of the server or the connection: that is in the value. The method is called once more
        for a target that has its outcome, so that the probe can show the cause, such as crash logs; the result of that
        call is ignored.
        """

    def assess(self, observation: Observation, state: RolloutState, now: float) -> Assessed:
        """Return the assessment of one poll. Pure; `now` is in the clock's seconds."""

    def close(self) -> None:
        """End the processes and threads that the probe has started."""
