"""The poll interval of a rollout: short near the expected end, longer before it, longest while a watch is up."""

from __future__ import annotations

from dataclasses import dataclass

from homelab_hooks.deploy.state import PollTiming, RolloutState

PERMANENT_AFTER_S = 10.0
"""seconds that a problem must last, over at least two polls, before it counts as permanent"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollIntervals:
    """How often a rollout is polled. Fields that end in `_s` are in seconds."""

    first_s: float = 1.5
    """between polls when a change has just begun, and during the settle time"""
    max_s: float = 12.0
    """the maximum between polls without a watch"""
    growth_factor: float = 0.72
    """multiplies the square root of the elapsed time: the longer a rollout takes, the less likely it ends right now"""
    early_phase_s: float = 8.0
    """the time after a change in which the first problems of new instances appear"""
    near_end_s: float = 1.2
    """between polls around the expected end"""
    near_end_window_s: float = 4.0
    """the minimum time before and after the expected end that counts as near it"""
    near_end_window_share: float = 0.05
    """the same, as a share of the time that an instance takes"""
    disagreement_s: float = 15.0
    """the time in which the counters may show a complete rollout before the instances do"""
    recent_problem_s: float = 15.0
    """the age from which a problem is polled less often than every `first_s`"""
    problem_s: float = 3.0
    """between polls of an older problem, while a watch is up"""
    unexplained_s: float = 10.0
    """between polls while instances are missing and no status shows why"""
    watched_s: float = 60.0
    """between polls while a watch is up"""
    pods_s: float = 60.0
    """between two snapshots of the pods of a rollout without problems"""
    watched_pods_s: float = 150.0
    """the same while a watch is up"""
    slack_s: float = 0.01
    """by how much a sleep may end early and the poll still count as due"""


INTERVALS = PollIntervals()
"""the intervals in use, chosen by replaying the recorded rollouts"""


def next_delay(state: RolloutState, now: float) -> float:
    """Return the seconds until the next poll, if no watch event comes first."""
    timing = state.timing
    if state.settling is not None:
        left = state.settling.since + state.timeouts.settle - now
        return left if timing.watched else min(INTERVALS.first_s, left)
    if timing.problems_since:
        return min(_problem_delay(now - since, watched=timing.watched) for since in timing.problems_since)
    if state.proven_image and timing.complete and now - timing.changed_at < INTERVALS.disagreement_s:
        return INTERVALS.near_end_s
    if timing.undecided_since is not None:
        return _slow_interval(now - timing.undecided_since)
    if timing.watched:
        return INTERVALS.unexplained_s if timing.unexplained else INTERVALS.watched_s
    return (
        _rolling_delay(timing, now)
        if state.proven_image
        else _slow_interval(now - max(state.began, timing.changing_since))
    )


def _problem_delay(age: float, *, watched: bool) -> float:
    left = PERMANENT_AFTER_S - age
    pause = INTERVALS.problem_s if watched and age >= INTERVALS.recent_problem_s else INTERVALS.first_s
    return min(pause, left) if left > 0 else pause


def _slow_interval(lasted: float) -> float:
    return (
        INTERVALS.first_s
        if lasted < INTERVALS.early_phase_s
        else min(INTERVALS.max_s, max(INTERVALS.first_s, INTERVALS.growth_factor * lasted**0.5))
    )


def _rolling_delay(timing: PollTiming, now: float) -> float:
    """Return a short delay around the expected end, which is known once the last instance has been created."""
    slow = _slow_interval(now - timing.changing_since)
    if timing.expected_end_at is None:
        return slow
    left = timing.expected_end_at - now
    near = max(INTERVALS.near_end_window_s, INTERVALS.near_end_window_share * timing.instance_s)
    if abs(left) <= near:
        return min(slow, INTERVALS.near_end_s)
    return min(slow, left - near) if left > near else slow
