"""How long until the next look: quick where news is near, slow in the long middle, jittered."""

from __future__ import annotations

import zlib

from homelab_hooks.watch.contact import REPORT_AFTER_S
from homelab_hooks.watch.state import CiWatchState

EARLY_INTERVAL_S = 1.0
"""seconds between looks while a pipeline is to appear or has just begun"""
EARLY_PERIOD_S = 10.0
"""seconds in which most pipelines appear, and the quick failures come"""
MAX_INTERVAL_WITHOUT_ESTIMATE_S = 3.75
"""seconds between looks at most when nobody knows how long it takes: with the stream's, 200 requests in ten minutes"""
INTERVAL_GROWTH_FACTOR = 0.42
"""times the root of how long it has lasted: the longer it lasts, the less likely is its end in the next second"""
MID_RUN_INTERVAL_S = 3.8
"""seconds between looks in the long middle, when the end is known to be far"""
NEAR_END_INTERVAL_S = 1.2
"""seconds between looks around the expected end"""
NEAR_END_WINDOW = (5.0, 0.03, 10.0)
"""how far around the expected end is near: at least these seconds, this share of the whole, at most these seconds"""
STREAMING_INTERVAL_S = 20.0
"""seconds between looks while the event stream wakes us"""
END_ANNOUNCED_INTERVAL_S = 0.15
"""seconds between looks when the stream said that the end is here"""
OWN_QUESTION_INTERVAL_S = 0.5
"""seconds between looks when CI has ended and only a question of ours is open"""
BACKOFF_RANGE_S = (0.5, 15.0)
"""the first and the longest wait after a look without a usable answer"""
REFUSAL_RETRY_DELAY_S = 2.0
"""seconds before a refusal is tried again (measured, B5)"""


def compute_next_delay(watch: CiWatchState, now: float) -> float:
    """Seconds until the next look, never past the moment at which a patience ends."""
    assert watch.began_at is not None  # noqa: S101 - set by the first turn
    ends = [watch.began_at + watch.timeouts.overall]
    if watch.contact.misses:
        ends.append(watch.contact.last_answer_at + watch.timeouts.unreachable)
    if not watch.tracks:
        ends.append(watch.began_at + watch.timeouts.appear)
    left = min((end - now for end in ends if end > now), default=OWN_QUESTION_INTERVAL_S)
    return max(0.05, min(_base_delay(watch, now), left))


def _base_delay(watch: CiWatchState, now: float) -> float:
    if watch.contact.refusals:
        return REFUSAL_RETRY_DELAY_S
    if watch.contact.misses:
        first, longest = BACKOFF_RANGE_S
        backing_off = min(longest, first * 2.0 ** min(watch.contact.misses - 1, 8))
        until_report = watch.contact.last_answer_at + REPORT_AFTER_S - now  # when lost contact is to be told
        waits = _with_jitter(backing_off, watch, 0.2)
        return max(watch.contact.retry_after, min(waits, until_report) if until_report > 0 else waits)
    if watch.tracks and all(t.pipeline.status.is_final for t in watch.tracks):
        return OWN_QUESTION_INTERVAL_S
    if now < watch.fast_until:
        return END_ANNOUNCED_INTERVAL_S
    return _with_jitter(_steady_delay(watch, now), watch, 0.06)


def _steady_delay(watch: CiWatchState, now: float) -> float:
    assert watch.began_at is not None  # noqa: S101 - set by the first turn
    if not watch.tracks:
        return EARLY_INTERVAL_S if now - watch.began_at < EARLY_PERIOD_S else 2 * EARLY_INTERVAL_S
    if any(not track.confirmed or track.misses for track in watch.tracks):
        return 2 * EARLY_INTERVAL_S  # it may vanish, of which the stream says nothing
    if watch.stream_reliable:
        return STREAMING_INTERVAL_S
    lasted = now - max(track.status_changed_at for track in watch.tracks)
    if lasted < EARLY_PERIOD_S:
        return EARLY_INTERVAL_S
    without_estimate: float = min(MAX_INTERVAL_WITHOUT_ESTIMATE_S, INTERVAL_GROWTH_FACTOR * lasted**0.5)
    if watch.eta is None or watch.expected_duration_s is None:
        return without_estimate
    return _delay_near_estimate(watch.eta - now, watch.expected_duration_s, without_estimate)


def _delay_near_estimate(left: float, expected: float, without_estimate: float) -> float:
    """Quick around the expected end, slow before it; past it, or where the clocks disagree, as if it were not known."""
    least, share, most = NEAR_END_WINDOW
    near = min(most, max(least, share * expected))
    if abs(left) <= near:
        return NEAR_END_INTERVAL_S
    return (
        min(MID_RUN_INTERVAL_S, max(NEAR_END_INTERVAL_S, left - near)) if near < left < expected else without_estimate
    )


def _with_jitter(seconds: float, watch: CiWatchState, share: float) -> float:
    """A little less, so that many watches do not ask in step; the same seed and look give the same wait."""
    chance = zlib.crc32(f"{watch.seed}:{watch.poll_count}".encode()) / 2**32
    return seconds * (1.0 - share * chance)
