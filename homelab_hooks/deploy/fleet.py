"""Several workloads waited for at once: each has its own machine, all share the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from homelab_hooks.deploy import rollout
from homelab_hooks.deploy.question import Sighting
from homelab_hooks.deploy.state import State
from homelab_hooks.events import Back, Event, LostContact, Waiting
from homelab_hooks.kubectl.facts import Target
from homelab_hooks.looks import Look, Seen, Turn

HEARTBEAT = 60.0
"""seconds of silence after which what is waited for is said again"""

Looks = Mapping[Target, Look[Sighting]]
"""of those workloads that a look was due at"""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The waits for all targets, and when something was last told."""

    states: tuple[State, ...]
    began: float
    spoke: float


def turn(fleet: Fleet, look: Look[Looks], now: float) -> Turn[Fleet]:
    """What has been seen of the workloads that are not decided; settled when all are."""
    looks = look.value if isinstance(look, Seen) else {}
    events: list[Event] = []
    waits: list[float] = []
    states: list[State] = []
    for state in fleet.states:
        if state.outcome is None and state.target in looks:
            step = rollout.turn(state, looks[state.target], now)
            events += step.events
            state = step.state  # noqa: PLW2901 - the state after the turn, or as it was
        if state.outcome is None:
            waits.append(max(rollout.SHORTEST, state.track.due - now))
        states.append(state)
    told = _once(events)
    if waits and not told and now - fleet.spoke >= HEARTBEAT:
        told = (_heartbeat(states, now - fleet.began),)
    spoke = now if told else fleet.spoke
    wait = min(*waits, max(rollout.SHORTEST, spoke + HEARTBEAT - now)) if waits else None
    return Turn(replace(fleet, states=tuple(states), spoke=spoke), told, wait)


def _once(events: list[Event]) -> tuple[Event, ...]:
    """All targets lose and regain the same cluster: that is said once."""
    kept: list[Event] = []
    for event in events:
        repeated = isinstance(event, LostContact | Back) and any(type(each) is type(event) for each in kept)
        if not repeated:
            kept.append(event)
    return tuple(kept)


def _heartbeat(states: list[State], elapsed: float) -> Waiting:
    open_ = [state for state in states if state.outcome is None]
    return Waiting(
        reason="; ".join(f"{state.target}: {state.holding or 'no answer yet'}" for state in open_), elapsed=elapsed
    )
