"""How long a server may be out of reach, and which of its refusals is believed."""

from __future__ import annotations

from homelab_hooks.events import Back, Event, LostContact
from homelab_hooks.exits import Exit
from homelab_hooks.looks import Denied, Fault, Missed
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.state import Contact, Watch

TELL_AFTER = 5.0
"""seconds without a usable answer before it is said (contract, section 10)"""
PAGES = 3
"""web pages in a row, with no API answer ever, that make it no Woodpecker server"""
REFUSALS = 3
"""refusals in a row that are believed although it had worked before"""
SLOW_REFUSALS = 2
"""slow refusals in a row that are believed: a locked database answers a valid token with 401, slowly (measured, B5)"""


def answered(watch: Watch, now: float) -> tuple[Watch, tuple[Event, ...]]:
    """A usable answer came."""
    away = now - watch.contact.last
    events: tuple[Event, ...] = (Back(away=away),) if watch.contact.told else ()
    return watch._replace(contact=Contact(last=now, ever=True)), events


def missed(watch: Watch, look: Missed, now: float) -> tuple[Watch, tuple[Event, ...]]:
    """No usable answer came."""
    page = look.fault is Fault.WEB_PAGE
    contact = watch.contact._replace(
        misses=watch.contact.misses + 1,
        refusals=0,
        pages=watch.contact.pages + 1 if page else 0,
        retry_after=look.retry_after or 0.0,
    )
    watch = watch._replace(contact=contact)
    if page and not contact.ever and contact.pages >= PAGES:
        hint = "check --server (homelab.ciServer), and whether a sign-on page stands before it"
        return watch._replace(verdict=Verdict(exit=Exit.DENIED, reason=look.reason, hint=hint, sha=watch.scope.sha)), ()
    return _tell_lost(watch, look.reason, now)


def denied(watch: Watch, look: Denied) -> tuple[Watch, tuple[Event, ...]]:
    """The server answered "no": believed at once, unless it worked before or the no was slow."""
    contact = watch.contact._replace(
        misses=watch.contact.misses + 1, refusals=watch.contact.refusals + 1, pages=0, retry_after=0.0
    )
    watch = watch._replace(contact=contact)
    needed = REFUSALS if contact.ever else SLOW_REFUSALS if look.slow else 1
    if look.final or contact.refusals >= needed:
        verdict = Verdict(exit=look.exit, reason=look.reason, hint=look.hint, sha=watch.scope.sha)
        return watch._replace(verdict=verdict), ()
    return watch, ()


def _tell_lost(watch: Watch, reason: str, now: float) -> tuple[Watch, tuple[Event, ...]]:
    silent = now - watch.contact.last
    if watch.contact.told or silent < TELL_AFTER:
        return watch, ()
    event = LostContact(reason=reason, patience=max(0.0, watch.patience.unreachable - silent))
    return watch._replace(contact=watch.contact._replace(told=True)), (event,)


def unreachable(look: Missed | Denied, patience: float) -> Verdict:
    """The patience with an unreachable server is over."""
    known = look.hint or "homelab config tells which server and dial are in force"
    hint = f"the same command goes on; {known}"
    return Verdict(exit=Exit.UNREACHABLE, reason=f"no usable answer for {patience:.0f} s: {look.reason}", hint=hint)
