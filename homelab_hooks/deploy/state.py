"""What is known about one workload between two looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from homelab_hooks.deploy.question import Outcome, Question, Snapshot, Terms
from homelab_hooks.deploy.trouble import Evidence
from homelab_hooks.events import Event, RolloutChanged
from homelab_hooks.kubectl.facts import Target, Workload
from homelab_hooks.looks import Turn


@dataclass(frozen=True, slots=True)
class Settling:
    """Done, since when, and with how many restarts of each pod."""

    since: float
    restarts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Marks:
    """How far the pods were at a look."""

    ready: int
    old: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """When the cluster last answered, and how it did."""

    last: float
    worked: bool = False
    """the workload, or its absence, was seen once"""
    misses: int = 0
    denials: int = 0
    told: bool = False
    """that contact was lost has been said"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What the pace goes by; times in the clock's seconds."""

    due: float
    """when the next look is to be taken"""
    seen: Workload | None = None
    """the workload as it was read or heard last"""
    whole: Snapshot | None = None
    """the last snapshot with all its parts"""
    whole_at: float = 0.0
    turned: float
    """since when it has this template and this size"""
    moved: float
    """since when its counters are as they are"""
    climbed: float
    """when the last pod was made from its present template"""
    watched: bool = False
    """news will wake us"""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One workload's wait; settled as soon as it has an outcome."""

    target: Target
    question: Question
    terms: Terms
    began: float
    contact: Contact
    uid: str = ""
    """of the workload that was seen first, or that brought the image"""
    gone_since: float | None = None
    came: str = ""
    """the proving image, once it came"""
    earlier: tuple[str, ...] = ()
    """images it ran before that"""
    marks: Marks | None = None
    first_restarts: Mapping[str, int] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    settling: Settling | None = None
    told: RolloutChanged | None = None
    holding: str = ""
    """what it is waiting for, in one sentence"""
    said_held: str = ""
    """what was last said to hold it back"""
    outcome: Outcome | None = None
    track: Track

    @property
    def deadline(self) -> float:
        """When the time given runs out."""
        return self.began + self.terms.timeout

    def patience(self, now: float) -> float:
        """Seconds that a single call may take: it must not outlive the time given, if no settle time has begun."""
        left = self.deadline - now if self.settling is None else CALL
        return min(CALL, max(SHORTEST_CALL, left))


CALL = 10.0
"""seconds after which a call to kubectl is ended"""
SHORTEST_CALL = 2.0
"""seconds that every call is given, however little time is left: a healthy cluster answers within them"""


def begin(target: Target, question: Question, terms: Terms, *, now: float) -> State:
    """A wait that begins."""
    track = Track(due=now, turned=now, moved=now, climbed=now)
    return State(target=target, question=question, terms=terms, began=now, contact=Contact(last=now), track=track)


def say(state: State, said: RolloutChanged) -> Turn[State]:
    """A turn that tells this, if it is news."""
    events: tuple[Event, ...] = () if said == state.told else (said,)
    return Turn(replace(state, told=said), events)
