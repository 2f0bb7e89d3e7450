"""A clock that a test moves: it never waits in real time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

WALL_START = 1_795_465_876.0
"""unix seconds at which the wall clock of the tests begins"""


@dataclass
class FakeClock:
    """Time that passes only in `sleep`, or when a test sets `time`.

    Attributes:
        time: seconds, as `now` returns them; the wall clock runs with it.
        slept: the seconds of each `sleep`, in order.
        while_asleep: called at the end of each `sleep`.
    """

    time: float = 0.0
    slept: list[float] = field(default_factory=list)
    while_asleep: Callable[[], None] | None = None

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return WALL_START + self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        if self.while_asleep:
            self.while_asleep()
