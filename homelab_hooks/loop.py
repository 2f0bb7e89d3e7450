"""Look, decide, tell, wait: the one loop that drives every decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from homelab_hooks.events import Event
from homelab_hooks.looks import Look, Turn

S = TypeVar("S")
V = TypeVar("V")


class Clock(Protocol):
    """Time, as the loop needs it."""

    def now(self) -> float:
        """Seconds that never run backwards and stand still while the machine sleeps."""

    def sleep(self, seconds: float) -> None:
        """Let time pass; may return early when there is news."""


def drive(
    state: S,
    *,
    look: Callable[[S], Look[V]],
    turn: Callable[[S, Look[V], float], Turn[S]],
    tell: Callable[[Event], None],
    clock: Clock,
) -> S:
    """Take turns until one is settled; return the settled state.

    The look is taken first, so that a verdict which arrives with the last look is not thrown away.
    """
    while True:
        sight = look(state)
        step = turn(state, sight, clock.now())
        for event in step.events:
            tell(event)
        state = step.state
        if step.wait is None:
            return state
        clock.sleep(step.wait)
