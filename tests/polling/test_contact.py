"""Contact with a polled server: reported lost after five seconds, silence and refusals are timed, pauses grow."""

from __future__ import annotations

import pytest

from homelab_hooks.events import ContactLost, ContactRestored, Event
from homelab_hooks.polling import contact
from homelab_hooks.polling.contact import Backoff, Contact
from homelab_hooks.polling.outcome import Denied, Unavailable

AWAY = Unavailable("connection refused")
BACKOFF = Backoff(first_s=0.5, longest_s=15.0)


def missed(known: Contact, now: float, *, asked_at: float | None = None) -> tuple[Contact, tuple[Event, ...]]:
    return contact.on_unavailable(known, AWAY, now, asked_at=now if asked_at is None else asked_at, timeout=180.0)


def refused(known: Contact, poll: Denied, now: float) -> tuple[Contact, bool]:
    known, _ = contact.on_denied(known, poll, now, asked_at=now, timeout=180.0)
    return known, contact.is_refusal_believed(known, poll, now, timeout=180.0)


def test_lost_contact_is_reported_once_with_the_seconds_that_are_left_and_then_its_end() -> None:
    known, reported = Contact(silent_since=100.0), []
    for now in (101.0, 105.9, 106.0, 130.0):
        known, events = missed(known, now)
        reported.append(events)
    assert reported == [(), (), (ContactLost(reason="connection refused", retry_for=175.0),), ()]
    assert contact.on_answer(known, 140.0) == (
        Contact(silent_since=140.0, ever_answered=True),
        (ContactRestored(away=39.0),),
    )
    assert not contact.is_timed_out(known, 280.9, timeout=180.0)
    assert contact.is_timed_out(known, 281.0, timeout=180.0)


@pytest.mark.parametrize(
    ("asked_at", "failed_at", "since"),
    [
        (120.0, 120.5, 120.0),  # nothing was requested for 20 seconds
        (120.0, 135.0, 120.0),  # the request hung for 15
        (100.0, 100.2, 100.0),
        (90.0, 101.0, 100.0),  # due before the last response
        (120.0, 112.0, 112.0),  # woken before it was due
        (120.0, 3720.0, 3720.0),  # the process was stopped for an hour during the request
    ],
)
def test_silence_counts_from_the_first_request_that_failed(asked_at: float, failed_at: float, since: float) -> None:
    known, _ = missed(Contact(silent_since=100.0, ever_answered=True), failed_at, asked_at=asked_at)
    assert known.silent_since == since
    again, _ = missed(known, failed_at + 40.0)
    assert again.silent_since == since


@pytest.mark.parametrize(
    ("poll", "needed"), [(Denied("no"), 1), (Denied("no", slow=True), 2), (Denied("no", final=True), 1)]
)
def test_a_refusal_is_believed_soon_if_nothing_worked_before(poll: Denied, needed: int) -> None:
    known, believed = Contact(silent_since=0.0), []
    for now in range(needed):
        known, is_believed = refused(known, poll, float(now))
        believed.append(is_believed)
    assert believed == [*[False] * (needed - 1), True]


@pytest.mark.parametrize("slow", [False, True], ids=["quick", "slow"])
def test_a_refusal_after_success_is_given_the_time_of_a_silence(*, slow: bool) -> None:
    known, no = Contact(silent_since=0.0, ever_answered=True), Denied("no", slow=slow)
    for now in (10.0, 11.0, 12.0, 60.0, 189.9):
        known, believed = refused(known, no, now)
        assert not believed
    assert refused(known, no, 190.0)[1]
    assert refused(Contact(silent_since=0.0, ever_answered=True), Denied("no", final=True), 1.0)[1]


def test_refusals_that_last_are_reported_as_lost_contact() -> None:
    known = Contact(silent_since=0.0, ever_answered=True)
    events: list[Event] = []
    for now in (1.0, 3.0, 6.0, 9.0):
        known, new = contact.on_denied(known, Denied("not logged in"), now, asked_at=now, timeout=180.0)
        events += new
    assert events == [ContactLost(reason="not logged in", retry_for=175.0)]


def test_the_end_of_a_silence_that_had_other_causes_is_a_refusal_only_after_several() -> None:
    known, _ = missed(Contact(silent_since=0.0, ever_answered=True), 1.0)
    for now, expected in ((178.0, False), (182.0, False), (184.0, True)):
        known, believed = refused(known, Denied("no"), now)
        assert believed is expected


def test_the_next_poll_is_in_time_to_report_lost_contact() -> None:
    known, _ = missed(Contact(silent_since=0.0, misses=9), 4.0)
    assert contact.retry_delay(known, 4.0, BACKOFF) == 1.0
    assert contact.retry_delay(known, 6.0, BACKOFF) == 15.0
    assert contact.retry_delay(known._replace(retry_at=44.0), 4.0, BACKOFF) == 1.0
    assert contact.retry_delay(known._replace(retry_at=44.0), 6.0, BACKOFF) == 38.0


def test_a_heartbeat_is_due_a_minute_after_the_last_event() -> None:
    assert contact.seconds_to_heartbeat(10.0, 69.0) == 1.0
    assert contact.seconds_to_heartbeat(10.0, 70.0) <= 0
