"""Look, decide, tell, wait: the one loop that drives every decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from homelab_hooks.events import Event
from homelab_hooks.polling.outcome import Decision, Poll

S = TypeVar("S")
V = TypeVar("V")


class Clock(Protocol):
    """Time, as the loop needs it."""

    def now(self) -> float:
        """Seconds that never run backwards and stand still while the machine sleeps."""

    def sleep(self, seconds: float) -> None:
        """Let time pass; may return early when there is news."""


def poll_until_decided(
    state: S,
    *,
    fetch: Callable[[S], Poll[V]],
    decide: Callable[[S, Poll[V], float], Decision[S]],
    emit: Callable[[Event], None],
    clock: Clock,
) -> S:
    """Take turns until one is settled; return the settled state.

    The look is taken first, so that a verdict which arrives with the last look is not thrown away.
    """
    while True:
        poll = fetch(state)
        decision = decide(state, poll, clock.now())
        for event in decision.events:
            emit(event)
        state = decision.state
        if decision.delay is None:
            return state
        clock.sleep(decision.delay)
