"""Asks a forge until it answers, and says what is waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from homelab_hooks.events import Waiting
from homelab_hooks.forge.provider import REQUEST_TIMEOUT_S
from homelab_hooks.land.landing import Landing
from homelab_hooks.polling.contact import HEARTBEAT_INTERVAL_S
from homelab_hooks.polling.outcome import Poll, Unavailable
from homelab_hooks.polling.retry import repeat_until

T = TypeVar("T")


def ask_until_answered(landing: Landing, ask: Callable[[float], Poll[T]]) -> Poll[T]:
    """Return the answer, or the last failure after the unreachable-timeout.

    Failures are told on change, and once a minute.

    Args:
        landing: the settings, and who is told.
        ask: sends the request, which may take this many seconds.
    """
    clock, parts = landing.dependencies.clock, landing.dependencies.proposals
    began = told_at = clock.now()
    told = ""

    def ask_and_tell(within: float) -> Poll[T]:
        nonlocal told, told_at
        poll = ask(min(within, REQUEST_TIMEOUT_S))
        now = clock.now()
        if isinstance(poll, Unavailable) and (poll.reason != told or now - told_at >= HEARTBEAT_INTERVAL_S):
            landing.dependencies.tell(Waiting(f"the forge does not respond: {poll.reason}", elapsed=now - began))
            told, told_at = poll.reason, now
        return poll

    return repeat_until(ask_and_tell, until=began + (parts.unreachable_s if parts else 0.0), clock=clock)
