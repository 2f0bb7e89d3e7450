"""Runs the pure machine over a history, with a clock that costs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from homelab_hooks.events import Event
from homelab_hooks.polling.loop import poll_until_decided
from homelab_hooks.polling.outcome import Poll
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.machine import decide_watch
from homelab_hooks.watch.state import CiObservation, CiWatchState, WatchTimeouts
from tests.watch.random_history import History

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
    state: CiWatchState
    events: list[Event]
    ended: float
    looks: list[float]


def watch(history: History, patience: WatchTimeouts | None = None, *, start: float = 0.0) -> Run:
    """Watch a history to its end."""
    clock = FakeClock(start)
    events: list[Event] = []
    looks: list[float] = []

    def look(state: CiWatchState) -> Poll[CiObservation]:
        clock.t += LATENCY
        looks.append(clock.t)
        return history.look(state, clock.t)

    begin = CiWatchState(scope=history.scope, timeouts=patience or WatchTimeouts(), seed=history.seed)
    state = poll_until_decided(begin, fetch=look, decide=decide_watch, emit=events.append, clock=clock)
    assert state.verdict is not None
    return Run(verdict=state.verdict, state=state, events=events, ended=clock.t, looks=looks)
