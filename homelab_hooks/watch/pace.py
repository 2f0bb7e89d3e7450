"""How long until the next look: quick where news is near, slow in the long middle, jittered."""

from __future__ import annotations

import zlib

from homelab_hooks.watch.contact import TELL_AFTER
from homelab_hooks.watch.state import Watch

FIRST = 1.0
"""seconds between looks while a pipeline is to appear or has just begun"""
EARLY = 10.0
"""seconds in which most pipelines appear, and the quick failures come"""
UNKNOWN = 3.75
"""seconds between looks at most when nobody knows how long it takes: with the stream's, 200 requests in ten minutes"""
GROWTH = 0.42
"""times the root of how long it has lasted: the longer it lasts, the less likely is its end in the next second"""
MIDDLE = 3.8
"""seconds between looks in the long middle, when the end is known to be far"""
NEAR = 1.2
"""seconds between looks around the expected end"""
WINDOW = (5.0, 0.03, 10.0)
"""how far around the expected end is near: at least these seconds, this share of the whole, at most these seconds"""
STREAMING = 20.0
"""seconds between looks while the event stream wakes us"""
HURRIED = 0.15
"""seconds between looks when the stream said that the end is here"""
ASKING = 0.5
"""seconds between looks when CI has ended and only a question of ours is open"""
BACK_OFF = (0.5, 15.0)
"""the first and the longest wait after a look without a usable answer"""
REFUSED = 2.0
"""seconds before a refusal is tried again (measured, B5)"""


def wait(watch: Watch, now: float) -> float:
    """Seconds until the next look, never past the moment at which a patience ends."""
    assert watch.began is not None  # noqa: S101 - set by the first turn
    ends = [watch.began + watch.patience.timeout]
    if watch.contact.misses:
        ends.append(watch.contact.last + watch.patience.unreachable)
    if not watch.threads:
        ends.append(watch.began + watch.patience.appear)
    left = min((end - now for end in ends if end > now), default=ASKING)
    return max(0.05, min(_interval(watch, now), left))


def _interval(watch: Watch, now: float) -> float:
    if watch.contact.refusals:
        return REFUSED
    if watch.contact.misses:
        first, longest = BACK_OFF
        backing_off = min(longest, first * 2.0 ** min(watch.contact.misses - 1, 8))
        told = watch.contact.last + TELL_AFTER - now  # when lost contact is to be told
        waits = _jittered(backing_off, watch, 0.2)
        return max(watch.contact.retry_after, min(waits, told) if told > 0 else waits)
    if watch.threads and all(t.pipeline.status.settled for t in watch.threads):
        return ASKING
    if now < watch.hurry_until:
        return HURRIED
    return _jittered(_calm(watch, now), watch, 0.06)


def _calm(watch: Watch, now: float) -> float:
    assert watch.began is not None  # noqa: S101 - set by the first turn
    if not watch.threads:
        return FIRST if now - watch.began < EARLY else 2 * FIRST
    if any(not thread.firm or thread.missing for thread in watch.threads):
        return 2 * FIRST  # it may vanish, of which the stream says nothing
    if watch.streaming:
        return STREAMING
    lasted = now - max(thread.status_at for thread in watch.threads)
    if lasted < EARLY:
        return FIRST
    unknown: float = min(UNKNOWN, GROWTH * lasted**0.5)
    if watch.due is None or watch.expected is None:
        return unknown
    return _around(watch.due - now, watch.expected, unknown)


def _around(left: float, expected: float, unknown: float) -> float:
    """Quick around the expected end, slow before it; past it, or where the clocks disagree, as if it were not known."""
    least, share, most = WINDOW
    near = min(most, max(least, share * expected))
    if abs(left) <= near:
        return NEAR
    return min(MIDDLE, max(NEAR, left - near)) if near < left < expected else unknown


def _jittered(seconds: float, watch: Watch, share: float) -> float:
    """A little less, so that many watches do not ask in step; the same seed and look give the same wait."""
    chance = zlib.crc32(f"{watch.seed}:{watch.looks}".encode()) / 2**32
    return seconds * (1.0 - share * chance)
