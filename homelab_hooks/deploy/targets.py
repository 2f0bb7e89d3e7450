"""Decides several targets at once: one machine for each, and one timeout for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from homelab_hooks.deploy import machine
from homelab_hooks.deploy.proof import Observation
from homelab_hooks.deploy.state import DeployTarget, RolloutState
from homelab_hooks.events import ContactLost, ContactRestored, Event, Waiting
from homelab_hooks.polling.contact import seconds_to_heartbeat
from homelab_hooks.polling.outcome import Decision, Found, Poll

PollsByTarget = Mapping[DeployTarget, Poll[Observation]]
"""the polls of the targets whose poll was due"""


@dataclass(frozen=True, slots=True)
class TargetSet:
    """The states of all targets, and when an event was last reported."""

    states: tuple[RolloutState, ...]
    began: float
    last_event_at: float


def decide_targets(
    target_set: TargetSet, poll: Poll[PollsByTarget[Observation]], now: float, *, assess: machine.Assess[Observation]
) -> Decision[TargetSet]:
    """Apply the polls of all targets; the delay is None once every target has an outcome."""
    polls = poll.value if isinstance(poll, Found) else {}
    events: list[Event] = []
    delays: list[float] = []
    states: list[RolloutState] = []
    for state in target_set.states:
        if state.outcome is None and state.target in polls:
            step = machine.decide(state, polls[state.target], now, assess=assess)
            events += step.events
            state = step.state  # noqa: PLW2901 - the state after the poll; unchanged without one
        if state.outcome is None:
            delays.append(max(machine.MIN_DELAY_S, state.due_at - now))
        states.append(state)
    reported = _dedupe_contact(events)
    if delays and not reported and seconds_to_heartbeat(target_set.last_event_at, now) <= 0:
        reported = (_heartbeat_event(states, now - target_set.began),)
    last_event_at = now if reported else target_set.last_event_at
    delay = min(*delays, max(machine.MIN_DELAY_S, seconds_to_heartbeat(last_event_at, now))) if delays else None
    return Decision(replace(target_set, states=tuple(states), last_event_at=last_event_at), reported, delay)


def _dedupe_contact(events: list[Event]) -> tuple[Event, ...]:
    """Drop repeated events about an outage or its end: all workloads share the server."""
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
