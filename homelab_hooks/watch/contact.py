"""How long a server may be out of reach, and which of its refusals is believed."""

from __future__ import annotations

from homelab_hooks.events import ContactLost, ContactRestored, Event
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.outcome import Denied, FailureKind, Unavailable
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.state import CiContact, CiWatchState

REPORT_AFTER_S = 5.0
"""seconds without a usable answer before it is said (contract, section 10)"""
MAX_WEB_PAGES = 3
"""web pages in a row, with no API answer ever, that make it no Woodpecker server"""
MAX_REFUSALS = 3
"""refusals in a row that are believed although it had worked before"""
MAX_SLOW_REFUSALS = 2
"""slow refusals in a row that are believed: a locked database answers a valid token with 401, slowly (measured, B5)"""


def on_answer(watch: CiWatchState, now: float) -> tuple[CiWatchState, tuple[Event, ...]]:
    """A usable answer came."""
    away = now - watch.contact.last_answer_at
    events: tuple[Event, ...] = (ContactRestored(away=away),) if watch.contact.reported else ()
    return watch._replace(contact=CiContact(last_answer_at=now, ever_answered=True)), events


def on_unavailable(watch: CiWatchState, poll: Unavailable, now: float) -> tuple[CiWatchState, tuple[Event, ...]]:
    """No usable answer came."""
    is_web_page = poll.kind is FailureKind.WEB_PAGE
    contact = watch.contact._replace(
        misses=watch.contact.misses + 1,
        refusals=0,
        web_pages=watch.contact.web_pages + 1 if is_web_page else 0,
        retry_after=poll.retry_after or 0.0,
    )
    watch = watch._replace(contact=contact)
    if is_web_page and not contact.ever_answered and contact.web_pages >= MAX_WEB_PAGES:
        hint = "check --server (homelab.ciServer), and whether a sign-on page stands before it"
        return watch._replace(
            verdict=Verdict(exit=ExitCode.DENIED, reason=poll.reason, hint=hint, sha=watch.scope.sha)
        ), ()
    return _report_contact_lost(watch, poll.reason, now)


def on_denied(watch: CiWatchState, poll: Denied) -> tuple[CiWatchState, tuple[Event, ...]]:
    """The server answered "no": believed at once, unless it worked before or the no was slow."""
    contact = watch.contact._replace(
        misses=watch.contact.misses + 1, refusals=watch.contact.refusals + 1, web_pages=0, retry_after=0.0
    )
    watch = watch._replace(contact=contact)
    needed = MAX_REFUSALS if contact.ever_answered else MAX_SLOW_REFUSALS if poll.slow else 1
    if poll.final or contact.refusals >= needed:
        verdict = Verdict(exit=poll.exit, reason=poll.reason, hint=poll.hint, sha=watch.scope.sha)
        return watch._replace(verdict=verdict), ()
    return watch, ()


def _report_contact_lost(watch: CiWatchState, reason: str, now: float) -> tuple[CiWatchState, tuple[Event, ...]]:
    silent = now - watch.contact.last_answer_at
    if watch.contact.reported or silent < REPORT_AFTER_S:
        return watch, ()
    event = ContactLost(reason=reason, retry_for=max(0.0, watch.timeouts.unreachable - silent))
    return watch._replace(contact=watch.contact._replace(reported=True)), (event,)


def build_unreachable_verdict(poll: Unavailable | Denied, timeout: float) -> Verdict:
    """The patience with an unreachable server is over."""
    advice = poll.hint or "homelab config tells which server and dial are in force"
    hint = f"the same command goes on; {advice}"
    return Verdict(exit=ExitCode.UNREACHABLE, reason=f"no usable answer for {timeout:.0f} s: {poll.reason}", hint=hint)
