"""Decide when a watch gives up on a CI server that does not respond or refuses, and its verdict."""

from __future__ import annotations

from homelab_hooks.events import Event
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling import contact as polling_contact
from homelab_hooks.polling.outcome import Denied, FailureKind, Unavailable
from homelab_hooks.text.durations import format_duration
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.state import CiWatchState

MAX_WEB_PAGES = 3
"""web pages in a row, with no API response ever, after which the address counts as wrong"""


def on_answer(watch: CiWatchState, now: float) -> tuple[CiWatchState, tuple[Event, ...]]:
    """Apply a usable response."""
    contact, events = polling_contact.on_answer(watch.contact, now)
    return watch._replace(contact=contact), events


def on_unavailable(watch: CiWatchState, poll: Unavailable, now: float) -> tuple[CiWatchState, tuple[Event, ...]]:
    """Apply a poll without a usable response. Only web pages, from the beginning, mean that the address is wrong."""
    contact, events = polling_contact.on_unavailable(watch.contact, poll, now, timeout=watch.timeouts.unreachable)
    is_web_page = poll.kind is FailureKind.WEB_PAGE
    if is_web_page and not contact.ever_answered and contact.web_pages >= MAX_WEB_PAGES:
        hint = "check --server (homelab.ciServer), and whether a login page is in front of it"
        verdict = Verdict(exit=ExitCode.DENIED, reason=poll.reason, hint=hint, sha=watch.scope.sha)
        return watch._replace(contact=contact, verdict=verdict), ()
    return watch._replace(contact=contact), events


def on_denied(watch: CiWatchState, poll: Denied) -> tuple[CiWatchState, tuple[Event, ...]]:
    """Apply a refusal, which settles the watch once it is believed."""
    watch = watch._replace(contact=polling_contact.on_denied(watch.contact))
    if polling_contact.is_refusal_believed(watch.contact, poll):
        verdict = Verdict(exit=poll.exit, reason=poll.reason, hint=poll.hint, sha=watch.scope.sha)
        return watch._replace(verdict=verdict), ()
    return watch, ()


def build_unreachable_verdict(poll: Unavailable | Denied, timeout: float) -> Verdict:
    """Return the verdict for a server that gave no usable response within `timeout` seconds."""
    advice = poll.hint or "homelab config shows the effective server and dial"
    hint = f"run the same command again to continue; {advice}"
    return Verdict(
        exit=ExitCode.UNREACHABLE, reason=f"no usable response for {format_duration(timeout)}: {poll.reason}", hint=hint
    )
