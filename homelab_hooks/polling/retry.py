"""Repeats one request while its failure may be temporary."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from homelab_hooks.polling.contact import Backoff
from homelab_hooks.polling.loop import Clock
from homelab_hooks.polling.outcome import FailureKind, Poll, Unavailable

T = TypeVar("T")
RETRY_BACKOFF = Backoff(first_s=0.5, longest_s=4.0)
"""the pauses between tries"""
_MIN_REQUEST_S = 0.5
"""seconds for a request even if the time is nearly over"""


def is_unavailable(poll: Poll[object], tries: int) -> bool:
    """Return whether a request may succeed if it is repeated: not on a server that is not the right one."""
    del tries
    return isinstance(poll, Unavailable) and poll.kind is not FailureKind.FOREIGN


def repeat_until(
    ask: Callable[[float], Poll[T]],
    *,
    until: float,
    clock: Clock,
    may_succeed: Callable[[Poll[object], int], bool] = is_unavailable,
    backoff: Backoff = RETRY_BACKOFF,
) -> Poll[T]:
    """Return the result of a request, which is repeated until this time while it may still succeed.

    A server that asks to wait for longer than that is not asked again.

    Args:
        ask: sends the request, which may take this many seconds.
        may_succeed: returns whether another try may succeed after this result of this many tries.
        backoff: the pauses between tries.
    """
    tries = 0
    while True:
        poll, tries = ask(max(_MIN_REQUEST_S, until - clock.now())), tries + 1
        delay = backoff.delay_s(tries)
        if isinstance(poll, Unavailable):
            delay = max(delay, poll.retry_after or 0.0)
        if not may_succeed(poll, tries) or clock.now() + delay >= until:
            return poll
        clock.sleep(delay)
