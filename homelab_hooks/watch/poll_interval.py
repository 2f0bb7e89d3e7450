"""The seconds until the next poll of CI: short when a change is expected, long otherwise, with jitter."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from homelab_hooks.polling.contact import Backoff, retry_delay, seconds_to_heartbeat
from homelab_hooks.watch.stall import queue_check_times
from homelab_hooks.watch.state import CiWatchState

MIN_DELAY_S = 0.05


class NearEndWindow(NamedTuple):
    """How far around the expected end is near: a share of the expected duration, within bounds in seconds."""

    least_s: float = 5.0
    share: float = 0.03
    most_s: float = 10.0

    def length_s(self, expected: float) -> float:
        """Return how many seconds before and after its expected end a pipeline of this duration is near its end."""
        return min(self.most_s, max(self.least_s, self.share * expected))


class WatchIntervals(NamedTuple):
    """The seconds between two polls, for each situation of a watch."""

    early_s: float = 0.65
    """while a pipeline is to appear or has just begun"""
    early_period_s: float = 10.0
    """the time in which most pipelines appear, and the quick failures come"""
    unconfirmed_s: float = 2.0
    """later, while no pipeline exists, or only one that may still vanish"""
    unestimated_max_s: float = 4.4
    """the maximum while the duration is unknown: at most 190 requests in ten minutes"""
    growth_factor: float = 0.35
    """multiplies the square root of the elapsed time: the longer a pipeline runs, the less likely it ends right now"""
    mid_run_s: float = 4.35
    """when the expected end is far"""
    near_end_s: float = 0.9
    """around the expected end"""
    near_end_window: NearEndWindow = NearEndWindow()
    streaming_s: float = 20.35
    """while the event stream wakes the watch; a ten-minute watch makes 44 requests, and may make 45"""
    streaming_first_s: float = 3.0
    """the same, right after a change of status; the delay grows with the time since then"""
    aligned_from_s: float = 5.0
    """a shorter delay makes no report noticeably late"""
    max_stretch_factor: float = 1.2
    """by which a delay may be lengthened to end with a heartbeat"""
    end_announced_s: float = 0.15
    """when the stream has announced the end"""
    own_question_s: float = 0.5
    """when CI has ended and only a question about it is open"""
    own_question_early_s: float = 10.0
    """the time in which such a question is answered, unless what answers it is broken"""
    own_question_late_max_s: float = 5.0
    """the maximum later"""
    refusal_retry_s: float = 2.0
    """before a refusal is tried again (recording 19-database-locked)"""
    backoff: Backoff = Backoff(first_s=0.5, longest_s=15.0)
    """after a poll without a usable response"""
    retry_jitter_share: float = 0.2
    poll_jitter_share: float = 0.06
    """the share by which jitter shortens a delay at most"""


INTERVALS = WatchIntervals()


def compute_next_delay(watch: CiWatchState, now: float) -> float:
    """Return the seconds until the next decision, never past the moment at which a timeout is over."""
    return max(MIN_DELAY_S, min(_align_to_reports(_paced_delay(watch, now), watch, now), _seconds_left(watch, now)))


def compute_request_time(watch: CiWatchState, now: float) -> float:
    """Return when the next request may be sent: as the server asked (Retry-After), and once more at a timeout's end."""
    return min(watch.contact.retry_at, now + _seconds_left(watch, now))


def _seconds_left(watch: CiWatchState, now: float) -> float:
    """Return the seconds until the next timeout is over."""
    assert watch.began_at is not None  # noqa: S101 - set by the first step
    ends = [watch.began_at + watch.timeouts.overall]
    if watch.contact.misses:
        ends.append(watch.contact.silent_since + watch.timeouts.unreachable)
    elif not watch.tracks:
        ends.append(now + watch.timeouts.appear - watch.seconds_in_contact(now))
    return min((end - now for end in ends if end > now), default=INTERVALS.own_question_s)


def _align_to_reports(delay: float, watch: CiWatchState, now: float) -> float:
    """Return the delay after which a heartbeat, or the reason why a pipeline is pending, is reported in time.

    Only a decision reports, and only a poll leads to one. A delay that ends shortly before a heartbeat is lengthened,
    so that the heartbeat costs no additional request. While the server has asked to wait, a decision costs none.
    """
    heartbeat = seconds_to_heartbeat(watch.last_event_at, now)
    if watch.contact.retry_at > now:
        return min(delay, heartbeat)
    if delay < INTERVALS.aligned_from_s:
        return delay
    if 0 < heartbeat <= delay * INTERVALS.max_stretch_factor:
        delay = heartbeat
    return min([delay, *(at - now for at in queue_check_times(watch) if at > now)])


def _paced_delay(watch: CiWatchState, now: float) -> float:
    """Return the delay, which the provider's rules may lengthen."""
    return max(_base_delay(watch, now), watch.rules.request_interval_s)


def _base_delay(watch: CiWatchState, now: float) -> float:
    if watch.contact.misses:
        delay = retry_delay(
            watch.contact, now, INTERVALS.backoff, spread=lambda s: _with_jitter(s, watch, INTERVALS.retry_jitter_share)
        )
        return max(delay, INTERVALS.refusal_retry_s) if watch.contact.refusals else delay
    if watch.tracks and all(t.pipeline.status.is_final for t in watch.tracks):
        return _own_question_delay(now - max(t.final_at if t.final_at is not None else now for t in watch.tracks))
    if now < watch.fast_until:
        return INTERVALS.end_announced_s
    return _with_jitter(_steady_delay(watch, now), watch, INTERVALS.poll_jitter_share)


def _own_question_delay(lasted: float) -> float:
    """Return the delay while only a question about ended pipelines is open, by how long they have ended."""
    if lasted < INTERVALS.own_question_early_s:
        return INTERVALS.own_question_s
    return min(INTERVALS.own_question_late_max_s, 0.2 * lasted)


def _steady_delay(watch: CiWatchState, now: float) -> float:
    if not watch.tracks:
        is_early = watch.seconds_in_contact(now) < INTERVALS.early_period_s
        return INTERVALS.early_s if is_early else INTERVALS.unconfirmed_s
    if any(not track.confirmed or track.misses or track.claim for track in watch.tracks):
        return INTERVALS.unconfirmed_s  # the stream does not report that a pipeline vanished
    lasted = now - max(track.status_changed_at for track in watch.tracks)
    if watch.stream_reliable:  # a stream that falls silent is detected soon, while quick failures are likely
        return min(INTERVALS.streaming_s, max(INTERVALS.streaming_first_s, 2.0 * lasted))
    if lasted < INTERVALS.early_period_s:
        return INTERVALS.early_s
    without_estimate: float = min(INTERVALS.unestimated_max_s, INTERVALS.growth_factor * lasted**0.5)
    if watch.eta is None or watch.expected_duration_s is None:
        return without_estimate
    return _delay_near_estimate(watch.eta - now, watch.expected_duration_s, without_estimate)


def _delay_near_estimate(left: float, expected: float, without_estimate: float) -> float:
    """Poll often around the expected end, less before it; past it, or with wrong clocks, ignore the estimate."""
    near = INTERVALS.near_end_window.length_s(expected)
    if abs(left) <= near:
        return INTERVALS.near_end_s
    if near < left < expected:
        return min(INTERVALS.mid_run_s, max(INTERVALS.near_end_s, left - near))
    return without_estimate


def _with_jitter(seconds: float, watch: CiWatchState, share: float) -> float:
    """Shorten a delay by up to a share, so that many watches do not poll in step.

    The same seed and poll give the same delay, so that a failure can be repeated.
    """
    chance = zlib.crc32(f"{watch.seed}:{watch.poll_count}".encode()) / 2**32
    return seconds * (1.0 - share * chance)
