"""The loop that drives every state machine: poll, decide, emit events, sleep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from homelab_hooks.events import Event
from homelab_hooks.polling.outcome import Decision, Poll, Unavailable

S = TypeVar("S")
V = TypeVar("V")


class Clock(Protocol):
    """A clock that can sleep."""

    def now(self) -> float:
        """Return seconds that never go backwards and do not advance while the machine is suspended."""

    def sleep(self, seconds: float) -> None:
        """Sleep; may return early when woken."""


def poll_until_decided(
    state: S,
    *,
    fetch: Callable[[S], Poll[V]],
    decide: Callable[[S, Poll[V], float], Decision[S]],
    emit: Callable[[Event], None],
    clock: Clock,
) -> S:
    """Poll until the decision is settled, and return the settled state.

    The poll comes before the decision about time, so that a verdict that arrives with the last poll is used. While a
    server has asked to wait (Retry-After), decisions repeat its last result and nothing is requested, so that lost
    contact and heartbeats are reported in time.
    """
    poll = fetch(state)
    while True:
        decision = decide(state, poll, clock.now())
        for event in decision.events:
            emit(event)
        state = decision.state
        if decision.delay is None:
            return state
        clock.sleep(decision.delay)
        if isinstance(poll, Unavailable) and clock.now() < decision.request_at:
            poll = poll._replace(is_repeat=True)
        else:
            poll = fetch(state)
