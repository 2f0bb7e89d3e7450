"""Contact with a polled server: reported lost after five seconds, refusals believed after three, growing pauses."""

from __future__ import annotations

import pytest

from homelab_hooks.events import ContactLost, ContactRestored
from homelab_hooks.polling import contact
from homelab_hooks.polling.contact import Backoff, Contact
from homelab_hooks.polling.outcome import Denied, Unavailable

AWAY = Unavailable("connection refused")
BACKOFF = Backoff(first_s=0.5, longest_s=15.0)


def test_lost_contact_is_reported_once_with_the_seconds_that_are_left_and_then_its_end() -> None:
    known, reported = Contact(last_answer_at=100.0), []
    for now in (101.0, 104.9, 105.0, 130.0):
        known, events = contact.on_unavailable(known, AWAY, now, timeout=180.0)
        reported.append(events)
    assert reported == [(), (), (ContactLost(reason="connection refused", retry_for=175.0),), ()]
    assert contact.on_answer(known, 140.0) == (
        Contact(last_answer_at=140.0, ever_answered=True),
        (ContactRestored(away=40.0),),
    )
    assert not contact.is_timed_out(known, 279.9, timeout=180.0)
    assert contact.is_timed_out(known, 280.0, timeout=180.0)


@pytest.mark.parametrize(
    ("ever_answered", "poll", "needed"),
    [
        (False, Denied("no"), 1),
        (False, Denied("no", slow=True), 2),
        (True, Denied("no"), 3),
        (True, Denied("no", final=True), 1),
    ],
)
def test_a_refusal_is_believed_sooner_if_nothing_worked_before(
    poll: Denied, needed: int, *, ever_answered: bool
) -> None:
    known, believed = Contact(last_answer_at=0.0, ever_answered=ever_answered), []
    for _ in range(needed):
        known = contact.on_denied(known)
        believed.append(contact.is_refusal_believed(known, poll))
    assert believed == [*[False] * (needed - 1), True]


def test_a_refusal_in_between_does_not_count() -> None:
    known = contact.on_denied(contact.on_denied(Contact(last_answer_at=0.0, ever_answered=True)))
    known, _ = contact.on_unavailable(known, AWAY, 1.0, timeout=180.0)
    assert not contact.is_refusal_believed(contact.on_denied(known), Denied("no"))


def test_the_next_poll_is_in_time_to_report_lost_contact() -> None:
    known, _ = contact.on_unavailable(Contact(last_answer_at=0.0, misses=9), AWAY, 4.0, timeout=180.0)
    assert contact.retry_delay(known, 4.0, BACKOFF) == 1.0
    assert contact.retry_delay(known, 6.0, BACKOFF) == 15.0
    assert contact.retry_delay(known._replace(retry_after=40.0), 4.0, BACKOFF) == 40.0


def test_a_heartbeat_is_due_a_minute_after_the_last_event() -> None:
    assert contact.seconds_to_heartbeat(10.0, 69.0) == 1.0
    assert contact.seconds_to_heartbeat(10.0, 70.0) <= 0
