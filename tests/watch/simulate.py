"""Runs the pure machine over a history, with a clock that costs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from homelab_hooks.events import Event
from homelab_hooks.polling.loop import poll_until_decided
from homelab_hooks.polling.outcome import Poll
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.machine import decide_watch
from homelab_hooks.watch.state import CiObservation, CiWatchState, WatchTimeouts
from tests.support.clock import FakeClock
from tests.watch.random_history import RandomHistory

LATENCY = 0.02


@dataclass(slots=True, kw_only=True)
class SimulatedRun:
    """How a simulated watch went."""

    verdict: Verdict
    state: CiWatchState
    events: list[Event]
    ended: float
    looks: list[float]


def watch(history: RandomHistory, timeouts: WatchTimeouts | None = None, *, start: float = 0.0) -> SimulatedRun:
    """Watch a history to its end."""
    clock = FakeClock(start)
    events: list[Event] = []
    looks: list[float] = []

    def look(state: CiWatchState) -> Poll[CiObservation]:
        clock.time += LATENCY
        looks.append(clock.time)
        return history.look(state, clock.time)

    begin = CiWatchState(scope=history.scope, timeouts=timeouts or WatchTimeouts(), seed=history.seed)
    state = poll_until_decided(begin, fetch=look, decide=decide_watch, emit=events.append, clock=clock)
    assert state.verdict is not None
    return SimulatedRun(verdict=state.verdict, state=state, events=events, ended=clock.time, looks=looks)
