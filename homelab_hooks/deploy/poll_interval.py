"""When to look at a rollout again: quick near an end, slow in the middle, seldom while a watch would tell."""

from __future__ import annotations

from dataclasses import dataclass

from homelab_hooks.deploy.state import Pace, RolloutState

PERMANENT_AFTER_S = 10.0
"""seconds that evidence of a lasting fault must last, over at least two looks (contract, section 10)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollIntervals:
    """How often a rollout is looked at; seconds, but for the factor and the share."""

    first_s: float = 1.5
    """between looks when a change has just begun, or must stay as it is"""
    max_s: float = 12.0
    """between looks at most without a watch"""
    growth_factor: float = 0.72
    """times the root of how long it has lasted: the longer it lasts, the less likely is its end in the next second"""
    early_phase_s: float = 8.0
    """after a change, in which the first problems of new instances show"""
    near_end_s: float = 1.2
    """between looks around the expected end"""
    near_end_window_s: float = 4.0
    """on either side of the expected end, at least"""
    near_end_window_share: float = 0.05
    """of what an instance takes, on either side of the expected end"""
    disagreement_s: float = 15.0
    """in which the counters and the instances may still disagree about the end"""
    recent_problem_s: float = 15.0
    """in which a problem is looked at as if everything were new"""
    problem_s: float = 3.0
    """between looks at old problems, and at all of them while a watch would wake us"""
    unexplained_s: float = 10.0
    """between looks where instances are missing and no status says why"""
    watched_s: float = 60.0
    """between looks while a watch would wake us"""
    pods_s: float = 60.0
    """between two looks at the pods of a rollout that goes well"""
    watched_pods_s: float = 150.0
    """between two looks at its pods while a watch would wake us"""
    slack_s: float = 0.01
    """by which a sleep may end early"""


INTERVALS = PollIntervals()
"""the intervals that are used; measured against the recorded rollouts"""


def next_delay(state: RolloutState, now: float) -> float:
    """Return the seconds until the next look, if no watch event comes first."""
    pace = state.pace
    if state.settling is not None:
        left = state.settling.since + state.timeouts.settle - now
        return left if pace.watched else min(INTERVALS.first_s, left)
    if pace.problems_since:
        return min(_problem_delay(now - since, watched=pace.watched) for since in pace.problems_since)
    if state.proven_image and pace.complete and now - pace.changed_at < INTERVALS.disagreement_s:
        return INTERVALS.near_end_s
    if pace.watched:
        return INTERVALS.unexplained_s if pace.unexplained else INTERVALS.watched_s
    return (
        _rolling_delay(pace, now) if state.proven_image else _slow_interval(now - max(state.began, pace.changing_since))
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


def _rolling_delay(pace: Pace, now: float) -> float:
    """Return short delays around the expected end, which is known once the last instance has been created."""
    slow = _slow_interval(now - pace.changing_since)
    if pace.expected_end_at is None:
        return slow
    left = pace.expected_end_at - now
    near = max(INTERVALS.near_end_window_s, INTERVALS.near_end_window_share * pace.instance_s)
    if abs(left) <= near:
        return min(slow, INTERVALS.near_end_s)
    return min(slow, left - near) if left > near else slow
