"""The state of one target between two polls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from homelab_hooks.deploy.assessment import ImageUnproven
from homelab_hooks.deploy.request import Expectation, RolloutOutcome, RolloutTimeouts
from homelab_hooks.events import Event, RolloutChanged
from homelab_hooks.polling.contact import Contact
from homelab_hooks.polling.outcome import Decision


class DeployTarget(Protocol):
    """The name of a deployed workload, as the user writes it. It must be hashable, since it is a key of mappings."""

    def __str__(self) -> str:
        """Return the name as the user writes it."""

    def __hash__(self) -> int:
        """Return the same hash for equal targets."""


@dataclass(frozen=True, slots=True)
class Settling:
    """Since when the rollout has been complete, and how often each instance had restarted by then."""

    since: float
    restarts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PollTiming:
    """The facts that the time of the next poll depends on; times in the clock's seconds."""

    changing_since: float
    """when the current version and size were set"""
    changed_at: float
    """when the counters last changed"""
    complete: bool = False
    """whether every instance is new and available, according to the counters"""
    watched: bool = False
    """whether a watch is up that would end the sleep early"""
    unexplained: bool = False
    """whether instances are missing for a reason that only another poll can show"""
    undecided_since: float | None = None
    """since when it has not been known which commit runs; no watch ends that sleep"""
    problems_since: tuple[float, ...] = ()
    """when each problem that is still there was first seen"""
    expected_end_at: float | None = None
    """when the last instance is expected to be ready; None while the duration of one is unknown"""
    instance_s: float = 0.0
    """seconds from the creation of one instance to the next"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutState:
    """What is known about one target; decided as soon as it has an outcome."""

    target: DeployTarget
    expectation: Expectation
    timeouts: RolloutTimeouts
    began: float
    contact: Contact
    uid: str = ""
    """the id of the workload that was first seen, or that has the proving image"""
    gone_since: float | None = None
    unknown_since: float | None = None
    """when it was replaced by a commit that is missing locally"""
    proven_image: str = ""
    """the image that names the commit; empty until it is seen"""
    previous_images: tuple[str, ...] = ()
    """images that the workload ran before that"""
    settling: Settling | None = None
    last_report: RolloutChanged | None = None
    waiting_for: str = ""
    """what is waited for, as the heartbeat and the timeout message print it"""
    reported_block: str = ""
    """the cause of a blocked rollout that was last reported"""
    at_timeout: ImageUnproven | None = None
    """the result if time runs out now; None: the wait has timed out"""
    outcome: RolloutOutcome | None = None
    due_at: float
    """when the next poll is due"""
    timing: PollTiming
    memory: object = None
    """what the probe keeps between two polls"""

    @property
    def deadline(self) -> float:
        """Return when the rollout-timeout ends."""
        return self.began + self.timeouts.rollout_timeout

    def call_timeout(self, now: float) -> float:
        """Return the seconds that one call may take: at most until the deadline, unless the rollout is settling."""
        left = self.deadline - now if self.settling is None else CALL_TIMEOUT_S
        return min(CALL_TIMEOUT_S, max(MIN_CALL_TIMEOUT_S, left))


CALL_TIMEOUT_S = 10.0
"""seconds after which a call to kubectl is ended"""
MIN_CALL_TIMEOUT_S = 2.0
"""seconds that a call may take at least, even close to the deadline: a healthy cluster responds within them"""


def start_state(
    target: DeployTarget, expectation: Expectation, timeouts: RolloutTimeouts, *, now: float
) -> RolloutState:
    """Return the state before the first poll."""
    return RolloutState(
        target=target,
        expectation=expectation,
        timeouts=timeouts,
        began=now,
        contact=Contact(silent_since=now),
        due_at=now,
        timing=PollTiming(changing_since=now, changed_at=now),
    )


def report_if_new(state: RolloutState, event: RolloutChanged) -> Decision[RolloutState]:
    """Return a decision that reports this event if it differs from the last one."""
    events: tuple[Event, ...] = () if event == state.last_report else (event,)
    return Decision(replace(state, last_report=event), events)
