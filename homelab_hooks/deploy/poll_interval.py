"""When to look at a workload again, and at how much of it: quick near an end, slow in the middle, seldom if told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from homelab_hooks.deploy.kubernetes.pod_failures import PERMANENT_AFTER_S, ObservedProblem
from homelab_hooks.deploy.state import PollTrack, RolloutState
from homelab_hooks.kubectl.model import Workload, WorkloadKind

FIRST_INTERVAL_S = 1.5
"""seconds between looks when a change has just begun, or must stay as it is"""
MAX_INTERVAL_S = 12.0
"""seconds between looks at most without a watch"""
INTERVAL_GROWTH_FACTOR = 0.72
"""times the root of how long it has lasted: the longer it lasts, the less likely is its end in the next second"""
EARLY_PHASE_S = 8.0
"""seconds after a change in which the pods' first troubles come"""
POD_POLL_INTERVAL_S = 60.0
"""seconds between two looks at the pods of a rollout that goes well"""
NEAR_END_INTERVAL_S = 1.2
"""seconds between looks around the expected end"""
NEAR_END_WINDOW = (4.0, 0.05)
"""how far around the expected end is near: at least these seconds, and this share of what a pod takes"""
LEFTOVER_INTERVAL_S = 15.0
"""seconds in which the counters and the pods may still disagree about the end"""
RECENT_PROBLEM_S = 15.0
"""seconds in which trouble is looked at as if everything were new"""
PROBLEM_INTERVAL_S = 3.0
"""seconds between looks at the pods of old trouble, and at all of it while a watch would wake us"""
PODS_MISSING_INTERVAL_S = 10.0
"""seconds between looks at kinds whose status does not say why pods are missing"""
WATCHED_INTERVAL = (60.0, 150.0)
"""seconds between looks at the workload, and at its pods, while a watch would wake us"""
_SLACK_S = 0.01
"""seconds by which a sleep may end early"""


class PollDepth(Enum):
    """What a look asks the cluster for."""

    NONE = auto()
    WATCH_ONLY = auto()
    """nothing either: what the watch said is worth showing"""
    WORKLOAD = auto()
    """the workload alone, and more if that shows a need: one request"""
    SNAPSHOT = auto()
    """a snapshot: the pods, then the workload"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    """What the watches say, which only wake."""

    up: bool = False
    """they would tell if there were news"""
    workload: Workload | None = None
    """as it was told since it was read last"""
    gone: bool = False
    """it was deleted"""
    pod_problem: bool = False
    """a pod is in trouble since the last snapshot"""


def poll_depth(state: RolloutState, heard: WatchState, now: float) -> PollDepth:
    """What to ask for now; nothing where the next look is not due and no news is worth one."""
    track, due = state.track, now >= state.track.due_at - _SLACK_S
    if track.last_workload is None or state.contact.miss_count or state.gone_since is not None or heard.gone:
        return PollDepth.WORKLOAD if due or (heard.gone and state.gone_since is None) else PollDepth.NONE
    told = heard.workload or track.last_workload
    news = not only_counters_changed(track.last_workload, told)
    rolling = bool(state.proven_image) and track.last_snapshot is not None
    if (
        rolling
        and not news
        and (
            _rollout_ends(track.last_workload, told)
            or _react_to_watch(state, heard)
            or (due and is_pod_poll_due(state, now))
        )
    ):
        return PollDepth.SNAPSHOT
    if due or news:
        return PollDepth.WORKLOAD
    told_more = rolling and told.counts != track.last_workload.counts
    return PollDepth.WATCH_ONLY if told_more or heard.up is not track.watched else PollDepth.NONE


def _rollout_ends(seen: Workload, told: Workload) -> bool:
    return seen.counts.is_rolled_out is not told.counts.is_rolled_out


def _react_to_watch(state: RolloutState, heard: WatchState) -> bool:
    return heard.pod_problem and not state.evidence


def only_counters_changed(before: Workload, after: Workload) -> bool:
    """Whether nothing but its counters and notes has changed."""
    return replace(before, counts=after.counts, annotations={}, labels={}) == replace(after, annotations={}, labels={})


def workload_suffices(state: RolloutState, workload: Workload, now: float) -> bool:
    """Whether the workload alone tells all that there is to tell: it goes on as the last snapshot showed it."""
    whole = state.track.last_snapshot
    if whole is None or not only_counters_changed(whole.workload, workload) or workload.deleting:
        return False
    if workload.counts.is_rolled_out is (state.settling is None):
        return False  # an end, or the end of one: the pods must be seen
    return not is_pod_poll_due(state, now)


def is_pod_poll_due(state: RolloutState, now: float) -> bool:
    """Whether the pods have to be looked at again, whatever the workload says."""
    track, settling = state.track, state.settling
    if settling is not None:
        return now >= settling.since + state.timeouts.settle - _SLACK_S
    if state.evidence:
        return _has_recent_problem(state, now) or now - track.last_snapshot_at >= PROBLEM_INTERVAL_S - _SLACK_S
    if track.last_snapshot is None or (track.last_workload is not None and track.last_workload.counts.is_rolled_out):
        return True
    if not track.watched and now - track.counters_changed_at < EARLY_PHASE_S:
        return True
    every = (
        PODS_MISSING_INTERVAL_S
        if _pods_missing(state)
        else WATCHED_INTERVAL[1]
        if track.watched
        else POD_POLL_INTERVAL_S
    )
    return now - track.last_snapshot_at >= every - _SLACK_S


def _pods_missing(state: RolloutState) -> bool:
    """Pods are missing, and nobody would say why."""
    whole = state.track.last_snapshot
    if state.target.kind is WorkloadKind.DEPLOYMENT or whole is None:
        return False
    return sum(pod.is_active for pod in whole.pods) < whole.workload.counts.desired


def next_delay(state: RolloutState, now: float) -> float:
    """Seconds until the next look that is due whatever is heard."""
    track = state.track
    if state.settling is not None:
        left = state.settling.since + state.timeouts.settle - now
        return left if track.watched else min(FIRST_INTERVAL_S, left)
    if state.evidence:
        return min(_has_problem(each, now, watched=track.watched) for each in state.evidence)
    if (
        state.proven_image
        and track.last_workload is not None
        and track.last_workload.counts.is_rolled_out
        and now - track.changed_at < LEFTOVER_INTERVAL_S
    ):
        return NEAR_END_INTERVAL_S
    if track.watched:
        return PODS_MISSING_INTERVAL_S if _pods_missing(state) else WATCHED_INTERVAL[0]
    return (
        _is_near_end(state, now)
        if state.proven_image
        else _slow_interval(now - max(state.began, track.counters_changed_at))
    )


def _has_recent_problem(state: RolloutState, now: float) -> bool:
    return any(now - each.since < RECENT_PROBLEM_S for each in state.evidence)


def _has_problem(evidence: ObservedProblem, now: float, *, watched: bool) -> float:
    age = now - evidence.since
    left = PERMANENT_AFTER_S - age
    pause = PROBLEM_INTERVAL_S if watched and age >= RECENT_PROBLEM_S else FIRST_INTERVAL_S
    return min(pause, left) if left > 0 else pause


def _slow_interval(lasted: float) -> float:
    return (
        FIRST_INTERVAL_S
        if lasted < EARLY_PHASE_S
        else min(MAX_INTERVAL_S, max(FIRST_INTERVAL_S, INTERVAL_GROWTH_FACTOR * lasted**0.5))
    )


def _is_near_end(state: RolloutState, now: float) -> float:
    """Quick around the expected end: when the last pod has been made, and the others said how long one takes."""
    track = state.track
    slow = _slow_interval(now - track.counters_changed_at)
    usual = _usual_change_interval(track)
    if not usual:
        return slow
    left = track.pods_climbed_at + usual - now
    near = max(NEAR_END_WINDOW[0], NEAR_END_WINDOW[1] * usual)
    if abs(left) <= near:
        return min(slow, NEAR_END_INTERVAL_S)
    return min(slow, left - near) if left > near else slow


def _usual_change_interval(track: PollTrack) -> float:
    """Seconds that a pod takes, once the last one has been made; 0 where nobody knows."""
    if track.last_workload is None:
        return 0.0
    counts = track.last_workload.counts
    if counts.updated < counts.desired or counts.updated < 2:  # noqa: PLR2004 - one says nothing of the next
        return 0.0
    return (track.pods_climbed_at - track.counters_changed_at) / (counts.updated - 1)


def record_poll(track: PollTrack, workload: Workload, now: float, *, watched: bool) -> PollTrack:
    """The track after the workload was read or heard."""
    seen = track.last_workload
    if seen is None or (seen.uid, seen.generation) != (workload.uid, workload.generation):
        return replace(
            track, last_workload=workload, counters_changed_at=now, changed_at=now, pods_climbed_at=now, watched=watched
        )
    moved = now if seen.counts != workload.counts else track.changed_at
    climbed = now if workload.counts.updated > seen.counts.updated else track.pods_climbed_at
    return replace(track, last_workload=workload, changed_at=moved, pods_climbed_at=climbed, watched=watched)
