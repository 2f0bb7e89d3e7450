"""The connection state of a polled server: when an outage is reported, which refusals are final, when to retry.

One implementation for CI and cluster. A `Contact` is a value: each outcome of a poll returns the next one.

A server that gives no usable response is retried with growing pauses. An outage is reported once, after 5
seconds, and its end with the next usable response. When a timeout is over is the caller's decision, because only the
caller knows what else it waits for.

Silence counts from the first request that failed, never from time in which nothing was requested: a minute may pass
between two polls while a stream or a watch is up. Nor does it count time in which this process was stopped (Ctrl-Z).

A refusal ("the token is not valid") is final at once if nothing worked before. If the same request had worked, it is
retried for as long as silence is, because a server, a proxy, or a database that restarts refuses valid tokens for
seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from homelab_hooks.events import ContactLost, ContactRestored, Event
from homelab_hooks.polling.outcome import Denied, FailureKind, Unavailable

LOST_REPORT_AFTER_S = 5.0
"""seconds without a usable response after which the outage is reported"""
MIN_LAST_REFUSALS = 3
"""refusals in a row at the end of a silence that had other causes too, for the silence to count as a refusal"""
MAX_SLOW_REFUSALS = 2
"""slow refusals in a row that count as final: a locked database rejects a valid token (recording 19-database-locked)"""
HEARTBEAT_INTERVAL_S = 60.0
"""seconds between two events while nothing changes"""
MAX_BACKOFF_DOUBLINGS = 8
MAX_REQUEST_S = 30.0
"""seconds that a failing request takes at most; where a first one took longer, this process was stopped meanwhile"""


class Backoff(NamedTuple):
    """The delays between retries in seconds: the first one, then each twice as long, up to the longest."""

    first_s: float
    longest_s: float

    def delay_s(self, misses: int) -> float:
        """Return the delay in seconds after `misses` polls in a row without a usable response.

        >>> [Backoff(0.5, 15.0).delay_s(misses) for misses in (1, 2, 3, 6, 99)]
        [0.5, 1.0, 2.0, 15.0, 15.0]
        """
        return float(min(self.longest_s, self.first_s * 2.0 ** min(misses - 1, MAX_BACKOFF_DOUBLINGS)))


class Contact(NamedTuple):
    """The connection state of a server; times in seconds of the caller's clock."""

    silent_since: float
    """when the last usable response came; after a failure, when the first request that failed was sent"""
    ever_answered: bool = False
    reported: bool = False
    """the outage has been reported"""
    misses: int = 0
    """polls in a row without a usable response; refusals count too"""
    refusals: int = 0
    """refusals in a row"""
    foreign: int = 0
    """responses of another server in a row: web pages, proxies, forges"""
    retry_at: float = 0.0
    """until when the server asked to wait; 0 if it did not"""


def on_answer(contact: Contact, now: float) -> tuple[Contact, tuple[Event, ...]]:
    """Return the connection state after a usable response, and an event if an outage had been reported."""
    away = now - contact.silent_since
    events: tuple[Event, ...] = (ContactRestored(away=away),) if contact.reported else ()
    return Contact(silent_since=now, ever_answered=True), events


def on_unavailable(
    contact: Contact, poll: Unavailable, now: float, *, asked_at: float, timeout: float
) -> tuple[Contact, tuple[Event, ...]]:
    """Return the connection state after a failed poll, and an event if the outage has to be reported.

    Args:
        asked_at: when the poll was due.
        timeout: seconds without a usable response after which the caller gives up.
    """
    if not poll.is_repeat:
        contact = _count_silence(contact, now, asked_at)._replace(
            ever_answered=contact.ever_answered or poll.answered_before,
            refusals=0,
            foreign=contact.foreign + 1 if poll.kind is FailureKind.FOREIGN else 0,
            retry_at=now + poll.retry_after if poll.retry_after else 0.0,
        )
    return _report_if_lost(contact, poll.reason, now, timeout)


def on_denied(
    contact: Contact, poll: Denied, now: float, *, asked_at: float, timeout: float
) -> tuple[Contact, tuple[Event, ...]]:
    """Return the connection state after a 401 or 403, and an event if the outage has to be reported.

    Args:
        asked_at: when the poll was due.
        timeout: seconds without a usable response after which the caller gives up.
    """
    contact = _count_silence(contact, now, asked_at)._replace(
        ever_answered=contact.ever_answered or poll.worked_before,
        refusals=contact.refusals + 1,
        foreign=0,
        retry_at=0.0,
    )
    return _report_if_lost(contact, poll.reason, now, timeout)


def _count_silence(contact: Contact, now: float, asked_at: float) -> Contact:
    """Return the connection state with one more failed poll; the silence begins with the first one."""
    if contact.misses:
        return contact._replace(misses=contact.misses + 1)
    asked_at = min(now, max(contact.silent_since, asked_at))
    was_stopped = now - asked_at > MAX_REQUEST_S
    return contact._replace(silent_since=now if was_stopped else asked_at, misses=1)


def _report_if_lost(contact: Contact, reason: str, now: float, timeout: float) -> tuple[Contact, tuple[Event, ...]]:
    silent = now - contact.silent_since
    if contact.reported or silent < LOST_REPORT_AFTER_S:
        return contact, ()
    return contact._replace(reported=True), (ContactLost(reason=reason, retry_for=max(0.0, timeout - silent)),)


def is_refusal_believed(contact: Contact, poll: Denied, now: float, *, timeout: float) -> bool:
    """Return whether the refusals in a row, this one included, are final.

    After a usable response only time decides: the refusals must last for the timeout, or end a silence that did.
    """
    if poll.final:
        return True
    if not contact.ever_answered:
        return contact.refusals >= (MAX_SLOW_REFUSALS if poll.slow else 1)
    refused_only = contact.refusals == contact.misses
    return is_timed_out(contact, now, timeout=timeout) and (refused_only or contact.refusals >= MIN_LAST_REFUSALS)


def is_timed_out(contact: Contact, now: float, *, timeout: float) -> bool:
    """Return whether there was no usable response for `timeout` seconds."""
    return now - contact.silent_since >= timeout


def retry_delay(
    contact: Contact, now: float, backoff: Backoff, *, spread: Callable[[float], float] = lambda seconds: seconds
) -> float:
    """Return the seconds until the next decision: never past the moment at which the outage has to be reported.

    A server may ask for a longer pause (`Contact.retry_at`): nothing is requested then, but the outage is reported.

    Args:
        spread: adds jitter to a pause, so that many clients do not retry at once.
    """
    until_report = contact.silent_since + LOST_REPORT_AFTER_S - now
    pause = max(spread(backoff.delay_s(contact.misses)), contact.retry_at - now)
    return min(pause, until_report) if until_report > 0 else pause


def seconds_to_heartbeat(last_event_at: float, now: float) -> float:
    """Return the seconds until the next heartbeat event; 0 or less if it is due."""
    return last_event_at + HEARTBEAT_INTERVAL_S - now
