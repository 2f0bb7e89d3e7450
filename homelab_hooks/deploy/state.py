"""What is known about one target between two looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from homelab_hooks.deploy.request import Expectation, RolloutOutcome, RolloutTimeouts
from homelab_hooks.events import Event, RolloutChanged
from homelab_hooks.polling.contact import Contact
from homelab_hooks.polling.outcome import Decision


class DeployTarget(Protocol):
    """Names what is waited for. Its text is what the user writes, and it is a key of a dictionary."""

    def __str__(self) -> str:
        """Return it as the user writes it."""

    def __hash__(self) -> int:
        """Equal targets have equal hashes."""


@dataclass(frozen=True, slots=True)
class Settling:
    """Since when the rollout has been complete, and how often each instance had restarted by then."""

    since: float
    restarts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What the time of the next look depends on; times in the clock's seconds."""

    changing_since: float
    """when the present version and size were set"""
    changed_at: float
    """when the counters last moved"""
    complete: bool = False
    """the counters say that everything is new and available"""
    watched: bool = False
    """a change would end the sleep early"""
    unexplained: bool = False
    """instances are missing and nothing but another look would say why"""
    problems_since: tuple[float, ...] = ()
    """when each problem that is still there was first seen"""
    expected_end_at: float | None = None
    """None while nothing is known of how long an instance takes"""
    instance_s: float = 0.0
    """seconds that an instance takes"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutState:
    """One workload's wait; settled as soon as it has an outcome."""

    target: DeployTarget
    expectation: Expectation
    timeouts: RolloutTimeouts
    began: float
    contact: Contact
    uid: str = ""
    """of the workload that was seen first, or that brought the image"""
    gone_since: float | None = None
    unknown_since: float | None = None
    """when it was replaced by a commit that git does not know"""
    proven_image: str = ""
    """the proving image, once it came"""
    previous_images: tuple[str, ...] = ()
    """images it ran before that"""
    settling: Settling | None = None
    last_report: RolloutChanged | None = None
    waiting_for: str = ""
    """what it is waiting for, for the heartbeat and the timeout"""
    reported_block: str = ""
    """the block that was last reported"""
    outcome: RolloutOutcome | None = None
    due_at: float
    """when the next look is to be taken"""
    pace: Pace
    memory: object = None
    """the probe's own, between its looks"""

    @property
    def deadline(self) -> float:
        """When the time given runs out."""
        return self.began + self.timeouts.rollout_timeout

    def call_timeout(self, now: float) -> float:
        """Seconds that a single call may take: it must not outlive the time given, if no settle time has begun."""
        left = self.deadline - now if self.settling is None else CALL_TIMEOUT_S
        return min(CALL_TIMEOUT_S, max(MIN_CALL_TIMEOUT_S, left))


CALL_TIMEOUT_S = 10.0
"""seconds after which a call to kubectl is ended"""
MIN_CALL_TIMEOUT_S = 2.0
"""seconds that every call is given, however little time is left: a healthy cluster answers within them"""


def start_state(
    target: DeployTarget, expectation: Expectation, timeouts: RolloutTimeouts, *, now: float
) -> RolloutState:
    """Return the state before the first look."""
    return RolloutState(
        target=target,
        expectation=expectation,
        timeouts=timeouts,
        began=now,
        contact=Contact(last_answer_at=now),
        due_at=now,
        pace=Pace(changing_since=now, changed_at=now),
    )


def report_if_new(state: RolloutState, event: RolloutChanged) -> Decision[RolloutState]:
    """Return a decision that reports this event if it differs from the last one."""
    events: tuple[Event, ...] = () if event == state.last_report else (event,)
    return Decision(replace(state, last_report=event), events)
