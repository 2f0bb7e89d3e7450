"""What is known about one workload between two looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from homelab_hooks.deploy.kubernetes.pod_failures import ObservedProblem
from homelab_hooks.deploy.request import Expectation, RolloutOutcome, RolloutTimeouts, Snapshot
from homelab_hooks.events import Event, RolloutChanged
from homelab_hooks.kubectl.model import Workload, WorkloadTarget
from homelab_hooks.polling.outcome import Decision


@dataclass(frozen=True, slots=True)
class Settling:
    """Done, since when, and with how many restarts of each pod."""

    since: float
    restarts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PodProgress:
    """How far the pods were at a look."""

    ready: int
    old: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterContact:
    """When the cluster last answered, and how it did."""

    last_answer_at: float
    had_answer: bool = False
    """the workload, or its absence, was seen once"""
    miss_count: int = 0
    denial_count: int = 0
    reported_lost: bool = False
    """that contact was lost has been said"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollTrack:
    """What the pace goes by; times in the clock's seconds."""

    due_at: float
    """when the next look is to be taken"""
    last_workload: Workload | None = None
    """the workload as it was read or heard last"""
    last_snapshot: Snapshot | None = None
    """the last snapshot with all its parts"""
    last_snapshot_at: float = 0.0
    counters_changed_at: float
    """since when it has this template and this size"""
    changed_at: float
    """since when its counters are as they are"""
    pods_climbed_at: float
    """when the last pod was made from its present template"""
    watched: bool = False
    """news will wake us"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutState:
    """One workload's wait; settled as soon as it has an outcome."""

    target: WorkloadTarget
    expectation: Expectation
    timeouts: RolloutTimeouts
    began: float
    contact: ClusterContact
    uid: str = ""
    """of the workload that was seen first, or that brought the image"""
    gone_since: float | None = None
    proven_image: str = ""
    """the proving image, once it came"""
    previous_images: tuple[str, ...] = ()
    """images it ran before that"""
    pod_progress: PodProgress | None = None
    first_restarts: Mapping[str, int] = field(default_factory=dict)
    evidence: tuple[ObservedProblem, ...] = ()
    settling: Settling | None = None
    last_report: RolloutChanged | None = None
    waiting_for: str = ""
    """what it is waiting for, in one sentence"""
    reported_block: str = ""
    """what was last said to hold it back"""
    outcome: RolloutOutcome | None = None
    track: PollTrack

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


def start_state(target: WorkloadTarget, question: Expectation, terms: RolloutTimeouts, *, now: float) -> RolloutState:
    """A wait that begins."""
    track = PollTrack(due_at=now, counters_changed_at=now, changed_at=now, pods_climbed_at=now)
    return RolloutState(
        target=target,
        expectation=question,
        timeouts=terms,
        began=now,
        contact=ClusterContact(last_answer_at=now),
        track=track,
    )


def report_if_new(state: RolloutState, said: RolloutChanged) -> Decision[RolloutState]:
    """A turn that tells this, if it is news."""
    events: tuple[Event, ...] = () if said == state.last_report else (said,)
    return Decision(replace(state, last_report=said), events)
