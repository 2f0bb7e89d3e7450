"""When to look at a workload again, and at how much of it: quick near an end, slow in the middle, seldom if told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from homelab_hooks.deploy.state import State, Track
from homelab_hooks.deploy.trouble import CERTAIN_AFTER, Evidence
from homelab_hooks.kubectl.facts import Kind, Workload

QUICK = 1.5
"""seconds between looks when a change has just begun, or must stay as it is"""
SLOWEST = 12.0
"""seconds between looks at most without a watch"""
GROWTH = 0.72
"""times the root of how long it has lasted: the longer it lasts, the less likely is its end in the next second"""
EARLY = 8.0
"""seconds after a change in which the pods' first troubles come"""
PODS = 60.0
"""seconds between two looks at the pods of a rollout that goes well"""
NEAR = 1.2
"""seconds between looks around the expected end"""
WINDOW = (4.0, 0.05)
"""how far around the expected end is near: at least these seconds, and this share of what a pod takes"""
LOOSE_ENDS = 15.0
"""seconds in which the counters and the pods may still disagree about the end"""
YOUNG = 15.0
"""seconds in which trouble is looked at as if everything were new"""
TROUBLED = 3.0
"""seconds between looks at the pods of old trouble, and at all of it while a watch would wake us"""
FEW = 10.0
"""seconds between looks at kinds whose status does not say why pods are missing"""
WATCHED = (60.0, 150.0)
"""seconds between looks at the workload, and at its pods, while a watch would wake us"""
_SLACK = 0.01
"""seconds by which a sleep may end early"""


class Ask(Enum):
    """What a look asks the cluster for."""

    NOTHING = auto()
    HEARD = auto()
    """nothing either: what the watch said is worth showing"""
    WORKLOAD = auto()
    """the workload alone, and more if that shows a need: one request"""
    WHOLE = auto()
    """a snapshot: the pods, then the workload"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the watches say, which only wake."""

    up: bool = False
    """they would tell if there were news"""
    workload: Workload | None = None
    """as it was told since it was read last"""
    gone: bool = False
    """it was deleted"""
    alarm: bool = False
    """a pod is in trouble since the last snapshot"""


def ask(state: State, heard: Heard, now: float) -> Ask:
    """What to ask for now; nothing where the next look is not due and no news is worth one."""
    track, due = state.track, now >= state.track.due - _SLACK
    if track.seen is None or state.contact.misses or state.gone_since is not None or heard.gone:
        return Ask.WORKLOAD if due or (heard.gone and state.gone_since is None) else Ask.NOTHING
    told = heard.workload or track.seen
    news = not steady(track.seen, told)
    rolling = bool(state.came) and track.whole is not None
    if rolling and not news and (_ends(track.seen, told) or _alarmed(state, heard) or (due and pods_due(state, now))):
        return Ask.WHOLE
    if due or news:
        return Ask.WORKLOAD
    told_more = rolling and told.counts != track.seen.counts
    return Ask.HEARD if told_more or heard.up is not track.watched else Ask.NOTHING


def _ends(seen: Workload, told: Workload) -> bool:
    return seen.counts.complete is not told.counts.complete


def _alarmed(state: State, heard: Heard) -> bool:
    return heard.alarm and not state.evidence


def steady(before: Workload, after: Workload) -> bool:
    """Whether nothing but its counters and notes has changed."""
    return replace(before, counts=after.counts, annotations={}, labels={}) == replace(after, annotations={}, labels={})


def enough(state: State, workload: Workload, now: float) -> bool:
    """Whether the workload alone tells all that there is to tell: it goes on as the last snapshot showed it."""
    whole = state.track.whole
    if whole is None or not steady(whole.workload, workload) or workload.deleting:
        return False
    if workload.counts.complete is (state.settling is None):
        return False  # an end, or the end of one: the pods must be seen
    return not pods_due(state, now)


def pods_due(state: State, now: float) -> bool:
    """Whether the pods have to be looked at again, whatever the workload says."""
    track, settling = state.track, state.settling
    if settling is not None:
        return now >= settling.since + state.terms.settle - _SLACK
    if state.evidence:
        return _young(state, now) or now - track.whole_at >= TROUBLED - _SLACK
    if track.whole is None or (track.seen is not None and track.seen.counts.complete):
        return True
    if not track.watched and now - track.turned < EARLY:
        return True
    every = FEW if _few(state) else WATCHED[1] if track.watched else PODS
    return now - track.whole_at >= every - _SLACK


def _few(state: State) -> bool:
    """Pods are missing, and nobody would say why."""
    whole = state.track.whole
    if state.target.kind is Kind.DEPLOYMENT or whole is None:
        return False
    return sum(pod.lives for pod in whole.pods) < whole.workload.counts.desired


def wait(state: State, now: float) -> float:
    """Seconds until the next look that is due whatever is heard."""
    track = state.track
    if state.settling is not None:
        left = state.settling.since + state.terms.settle - now
        return left if track.watched else min(QUICK, left)
    if state.evidence:
        return min(_troubled(each, now, watched=track.watched) for each in state.evidence)
    if state.came and track.seen is not None and track.seen.counts.complete and now - track.moved < LOOSE_ENDS:
        return NEAR
    if track.watched:
        return FEW if _few(state) else WATCHED[0]
    return _near(state, now) if state.came else _slow(now - max(state.began, track.turned))


def _young(state: State, now: float) -> bool:
    return any(now - each.since < YOUNG for each in state.evidence)


def _troubled(evidence: Evidence, now: float, *, watched: bool) -> float:
    age = now - evidence.since
    left = CERTAIN_AFTER - age
    pause = TROUBLED if watched and age >= YOUNG else QUICK
    return min(pause, left) if left > 0 else pause


def _slow(lasted: float) -> float:
    return QUICK if lasted < EARLY else min(SLOWEST, max(QUICK, GROWTH * lasted**0.5))


def _near(state: State, now: float) -> float:
    """Quick around the expected end: when the last pod has been made, and the others said how long one takes."""
    track = state.track
    slow = _slow(now - track.turned)
    usual = _usual(track)
    if not usual:
        return slow
    left = track.climbed + usual - now
    near = max(WINDOW[0], WINDOW[1] * usual)
    if abs(left) <= near:
        return min(slow, NEAR)
    return min(slow, left - near) if left > near else slow


def _usual(track: Track) -> float:
    """Seconds that a pod takes, once the last one has been made; 0 where nobody knows."""
    if track.seen is None:
        return 0.0
    counts = track.seen.counts
    if counts.updated < counts.desired or counts.updated < 2:  # noqa: PLR2004 - one says nothing of the next
        return 0.0
    return (track.climbed - track.turned) / (counts.updated - 1)


def noted(track: Track, workload: Workload, now: float, *, watched: bool) -> Track:
    """The track after the workload was read or heard."""
    seen = track.seen
    if seen is None or (seen.uid, seen.generation) != (workload.uid, workload.generation):
        return replace(track, seen=workload, turned=now, moved=now, climbed=now, watched=watched)
    moved = now if seen.counts != workload.counts else track.moved
    climbed = now if workload.counts.updated > seen.counts.updated else track.climbed
    return replace(track, seen=workload, moved=moved, climbed=climbed, watched=watched)
