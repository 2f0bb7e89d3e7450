"""Decides when a watch gives up on a CI server that does not respond or refuses, and its verdict."""

from __future__ import annotations

from homelab_hooks.events import Event
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling import contact as polling_contact
from homelab_hooks.polling.outcome import Denied, FailureKind, Unavailable
from homelab_hooks.text.durations import format_duration
from homelab_hooks.verdict import SAME_COMMAND_HINT, Verdict
from homelab_hooks.watch.state import CiWatchState, WatchTimeouts

MAX_FOREIGN = 3
"""responses of another server in a row, with no API response ever, after which the address counts as wrong"""
CHECK_SERVER_HINT = "check --server (homelab.ciServer)"


def on_answer(watch: CiWatchState, now: float) -> tuple[CiWatchState, tuple[Event, ...]]:
    """Apply a usable response."""
    silent = now - watch.contact.silent_since if watch.contact.misses else 0.0
    contact, events = polling_contact.on_answer(watch.contact, now)
    return watch._replace(contact=contact, out_of_contact_s=watch.out_of_contact_s + silent), events


def on_unavailable(watch: CiWatchState, poll: Unavailable, now: float) -> tuple[CiWatchState, tuple[Event, ...]]:
    """Apply a poll without a usable response. It settles the watch only if another server responded from the start."""
    contact, events = polling_contact.on_unavailable(
        watch.contact, poll, now, asked_at=watch.due_at, timeout=watch.timeouts.unreachable
    )
    if poll.kind is FailureKind.FOREIGN and not contact.ever_answered and contact.foreign >= MAX_FOREIGN:
        verdict = Verdict(
            exit=ExitCode.DENIED, reason=poll.reason, hint=poll.hint or CHECK_SERVER_HINT, sha=watch.scope.sha
        )
        return watch._replace(contact=contact, verdict=verdict), ()
    return watch._replace(contact=contact), events


def on_denied(watch: CiWatchState, poll: Denied, now: float) -> tuple[CiWatchState, tuple[Event, ...]]:
    """Apply a refusal, which settles the watch once it counts as final."""
    timeout = watch.timeouts.unreachable
    contact, events = polling_contact.on_denied(watch.contact, poll, now, asked_at=watch.due_at, timeout=timeout)
    watch = watch._replace(contact=contact)
    if polling_contact.is_refusal_believed(contact, poll, now, timeout=timeout):
        verdict = Verdict(exit=poll.exit, reason=poll.reason, hint=poll.hint, sha=watch.scope.sha)
        return watch._replace(verdict=verdict), ()
    return watch, events


def build_unreachable_verdict(poll: Unavailable | Denied, timeouts: WatchTimeouts) -> Verdict:
    """Return the verdict for a server that gave no usable response within the unreachable-timeout."""
    timeout = timeouts.unreachable
    retry = "try again later" if timeouts.one_poll else SAME_COMMAND_HINT
    hint = f"{retry}; {poll.hint or 'to check the address, run homelab config'}"
    return Verdict(
        exit=ExitCode.UNREACHABLE, reason=f"no usable response for {format_duration(timeout)}: {poll.reason}", hint=hint
    )
