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
_MIN_REQUEST_S = 1.0
"""seconds for a request even if the time is nearly over"""


def repeat_until(ask: Callable[[float], Poll[T]], *, until: float, clock: Clock) -> Poll[T]:
    """Return the result of a request, which is repeated until this time while it is unavailable.

    A server that asks to wait for longer than that is not asked again, and neither is one that is not the right server.

    Args:
        ask: sends the request, which may take this many seconds.
    """
    tries = 0
    while True:
        poll, tries = ask(max(_MIN_REQUEST_S, until - clock.now())), tries + 1
        if not isinstance(poll, Unavailable) or poll.kind is FailureKind.FOREIGN:
            return poll
        delay = max(RETRY_BACKOFF.delay_s(tries), poll.retry_after or 0.0)
        if clock.now() + delay >= until:
            return poll
        clock.sleep(delay)
