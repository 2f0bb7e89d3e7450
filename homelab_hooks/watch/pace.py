"""How long until the next look: quick where news is near, slow in the long middle, jittered."""

from __future__ import annotations

import zlib

from homelab_hooks.model import Status
from homelab_hooks.watch.state import Watch

FIRST = 1.0
"""seconds between looks while a pipeline is to appear or has just begun"""
MIDDLE = 3.0
"""seconds between looks in the long middle, without the event stream"""
STREAMING = 15.0
"""seconds between looks while the event stream wakes us"""
HURRY = 0.15
"""seconds between looks when an event said that the end is here"""
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
        return max(watch.contact.retry_after, _jittered(backing_off, watch))
    if watch.threads and all(t.pipeline.status.settled for t in watch.threads):
        return ASKING
    if now < watch.hurry_until:
        return HURRY
    return _jittered(_calm(watch, now), watch)


def _calm(watch: Watch, now: float) -> float:
    assert watch.began is not None  # noqa: S101 - set by the first turn
    if not watch.threads:
        return FIRST if now - watch.began < 10 else 2 * FIRST  # noqa: PLR2004 - seconds in which most pipelines appear
    if watch.streaming:
        return STREAMING
    if any(t.pipeline.status in {Status.CREATED, Status.PENDING} for t in watch.threads):
        return 2 * FIRST
    return MIDDLE


def _jittered(seconds: float, watch: Watch) -> float:
    """Up to a fifth less, so that many watches do not ask in step; the same seed and look give the same wait."""
    share = zlib.crc32(f"{watch.seed}:{watch.looks}".encode()) / 2**32
    return seconds * (1.0 - 0.2 * share)
