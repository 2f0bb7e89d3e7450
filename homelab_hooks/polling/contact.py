"""Contact with a server that is polled: when it counts as lost, which refusals are believed, when to retry.

One implementation for CI and cluster. A `Contact` is a value: each outcome of a poll returns the next one.

A server that gives no usable response is retried with growing pauses. Contact is reported lost after 5 seconds, once,
and restored with the next usable response. When a timeout is over is the caller's decision, because only the caller
knows what else it waits for.

A refusal ("the token is not valid") is believed at once if nothing worked before. If the same had worked, it takes
several refusals in a row, because servers that restart and databases that are locked refuse valid tokens for a moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from homelab_hooks.events import ContactLost, ContactRestored, Event
from homelab_hooks.polling.outcome import Denied, FailureKind, Unavailable

LOST_REPORT_AFTER_S = 5.0
"""seconds without a usable response after which lost contact is reported (contract, section 10)"""
MAX_REFUSALS = 3
"""refusals in a row that are believed although it had worked before"""
MAX_SLOW_REFUSALS = 2
"""slow refusals in a row that are believed: a locked database rejects a valid token, slowly (measured, B5)"""
HEARTBEAT_INTERVAL_S = 60.0
"""seconds between two events while nothing changes (contract, section 4)"""
MAX_BACKOFF_DOUBLINGS = 8


@dataclass(frozen=True)
class Backoff:
    """The delays between retries in seconds: the first one, then each twice as long, up to the longest."""

    first_s: float
    longest_s: float

    def delay_s(self, misses: int) -> float:
        """Return the delay in seconds after so many polls in a row without a usable response.

        >>> [Backoff(0.5, 15.0).delay_s(misses) for misses in (1, 2, 3, 6, 99)]
        [0.5, 1.0, 2.0, 15.0, 15.0]
        """
        return float(min(self.longest_s, self.first_s * 2.0 ** min(misses - 1, MAX_BACKOFF_DOUBLINGS)))


class Contact(NamedTuple):
    """How well the server can be reached; times in seconds of the caller's clock."""

    last_answer_at: float
    """when the last usable response came, or polling began"""
    ever_answered: bool = False
    reported: bool = False
    """lost contact has been reported"""
    misses: int = 0
    """polls in a row without a usable response; refusals count too"""
    refusals: int = 0
    """refusals in a row"""
    web_pages: int = 0
    """web pages in a row, instead of API responses"""
    retry_after: float = 0.0
    """seconds that the server asked to wait"""


def on_answer(contact: Contact, now: float) -> tuple[Contact, tuple[Event, ...]]:
    """Return the contact after a usable response, with an event if lost contact had been reported."""
    away = now - contact.last_answer_at
    events: tuple[Event, ...] = (ContactRestored(away=away),) if contact.reported else ()
    return Contact(last_answer_at=now, ever_answered=True), events


def on_unavailable(
    contact: Contact, poll: Unavailable, now: float, *, timeout: float
) -> tuple[Contact, tuple[Event, ...]]:
    """Return the contact after a poll without a usable response, with an event if lost contact is to be reported now.

    Args:
        timeout: seconds without a usable response after which the caller gives up.
    """
    contact = contact._replace(
        misses=contact.misses + 1,
        refusals=0,
        web_pages=contact.web_pages + 1 if poll.kind is FailureKind.WEB_PAGE else 0,
        retry_after=poll.retry_after or 0.0,
    )
    silent = now - contact.last_answer_at
    if contact.reported or silent < LOST_REPORT_AFTER_S:
        return contact, ()
    return contact._replace(reported=True), (ContactLost(reason=poll.reason, retry_for=max(0.0, timeout - silent)),)


def on_denied(contact: Contact) -> Contact:
    """Return the contact after a refusal."""
    return contact._replace(misses=contact.misses + 1, refusals=contact.refusals + 1, web_pages=0, retry_after=0.0)


def is_refusal_believed(contact: Contact, poll: Denied) -> bool:
    """Return whether the refusals in a row, this one included, are believed."""
    needed = MAX_REFUSALS if contact.ever_answered else MAX_SLOW_REFUSALS if poll.slow else 1
    return poll.final or contact.refusals >= needed


def is_timed_out(contact: Contact, now: float, *, timeout: float) -> bool:
    """Return whether there was no usable response for so many seconds."""
    return now - contact.last_answer_at >= timeout


def retry_delay(
    contact: Contact, now: float, backoff: Backoff, *, spread: Callable[[float], float] = lambda seconds: seconds
) -> float:
    """Return the seconds until the next poll: never past the moment at which lost contact is to be reported.

    Args:
        spread: adds jitter to a pause, so that many clients do not retry at once.
    """
    until_report = contact.last_answer_at + LOST_REPORT_AFTER_S - now
    pause = spread(backoff.delay_s(contact.misses))
    return max(contact.retry_after, min(pause, until_report) if until_report > 0 else pause)


def seconds_to_heartbeat(last_event_at: float, now: float) -> float:
    """Return the seconds until the next heartbeat event; 0 or less if it is due."""
    return last_event_at + HEARTBEAT_INTERVAL_S - now
