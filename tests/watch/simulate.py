"""Runs the pure machine over a history, with a clock that costs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from homelab_hooks.events import Event
from homelab_hooks.looks import Look
from homelab_hooks.loop import drive
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.machine import turn
from homelab_hooks.watch.state import Patience, Sight, Watch
from tests.watch.history import History

LATENCY = 0.02


@dataclass(slots=True)
class FakeClock:
    """Time that passes only when somebody waits."""

    t: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.t

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.t += seconds


@dataclass(slots=True, kw_only=True)
class Run:
    """How a simulated watch went."""

    verdict: Verdict
    state: Watch
    events: list[Event]
    ended: float
    looks: list[float]


def watch(history: History, patience: Patience | None = None, *, start: float = 0.0) -> Run:
    """Watch a history to its end."""
    clock = FakeClock(start)
    events: list[Event] = []
    looks: list[float] = []

    def look(state: Watch) -> Look[Sight]:
        clock.t += LATENCY
        looks.append(clock.t)
        return history.look(state, clock.t)

    begin = Watch(scope=history.scope, patience=patience or Patience(), seed=history.seed)
    state = drive(begin, look=look, turn=turn, tell=events.append, clock=clock)
    assert state.verdict is not None
    return Run(verdict=state.verdict, state=state, events=events, ended=clock.t, looks=looks)
