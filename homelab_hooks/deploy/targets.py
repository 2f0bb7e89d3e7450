"""Several targets at once: each has its own machine, all share the timeout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from homelab_hooks.deploy import machine
from homelab_hooks.deploy.proof import Seen
from homelab_hooks.deploy.state import DeployTarget, RolloutState
from homelab_hooks.events import ContactLost, ContactRestored, Event, Waiting
from homelab_hooks.polling.contact import seconds_to_heartbeat
from homelab_hooks.polling.outcome import Decision, Found, Poll

PollsByTarget = Mapping[DeployTarget, Poll[Seen]]
"""of those targets that a look was due at"""


@dataclass(frozen=True, slots=True)
class TargetSet:
    """The states of all targets, and when an event was last reported."""

    states: tuple[RolloutState, ...]
    began: float
    last_event_at: float


def decide_targets(
    fleet: TargetSet, look: Poll[PollsByTarget[Seen]], now: float, *, assess: machine.Assess[Seen]
) -> Decision[TargetSet]:
    """Apply the looks at all targets; the delay is None once every target has a result."""
    looks = look.value if isinstance(look, Found) else {}
    events: list[Event] = []
    waits: list[float] = []
    states: list[RolloutState] = []
    for state in fleet.states:
        if state.outcome is None and state.target in looks:
            step = machine.decide(state, looks[state.target], now, assess=assess)
            events += step.events
            state = step.state  # noqa: PLW2901 - the state after the turn, or as it was
        if state.outcome is None:
            waits.append(max(machine.MIN_DELAY_S, state.due_at - now))
        states.append(state)
    told = _dedupe_contact(events)
    if waits and not told and seconds_to_heartbeat(fleet.last_event_at, now) <= 0:
        told = (_heartbeat_event(states, now - fleet.began),)
    spoke = now if told else fleet.last_event_at
    wait = min(*waits, max(machine.MIN_DELAY_S, seconds_to_heartbeat(spoke, now))) if waits else None
    return Decision(replace(fleet, states=tuple(states), last_event_at=spoke), told, wait)


def _dedupe_contact(events: list[Event]) -> tuple[Event, ...]:
    """Report a lost or restored contact once for all targets."""
    kept: list[Event] = []
    for event in events:
        repeated = isinstance(event, ContactLost | ContactRestored) and any(type(each) is type(event) for each in kept)
        if not repeated:
            kept.append(event)
    return tuple(kept)


def _heartbeat_event(states: list[RolloutState], elapsed: float) -> Waiting:
    open_ = [state for state in states if state.outcome is None]
    return Waiting(
        reason="; ".join(f"{state.target}: {state.waiting_for or 'no response yet'}" for state in open_),
        elapsed=elapsed,
    )
