"""A token that is not available yet, as while Vault restarts, counts as an unreachable server (on a fake clock)."""

from __future__ import annotations

import pytest

from homelab_hooks.auth.lookup import TokenNotFound, find_token
from homelab_hooks.ci.connection import CiConnection, connect_when_possible
from homelab_hooks.errors import CommandError
from homelab_hooks.events import ContactLost, ContactRestored, Event
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.watch.snapshot import make_one_poll_timeouts
from homelab_hooks.watch.state import WatchTimeouts
from tests.watch.run_without_sockets import InMemoryWoodpecker

SILENT = "cannot obtain the CI token now: Vault secret/ci/global at https://vault.example.test: it is sealed"
REFUSED = "no CI token found: Vault rejected the token"


class LateToken:
    """A token source that fails with this text until a moment, then has the token."""

    def __init__(self, ci: InMemoryWoodpecker, *, since: float, until_then: ExitCode = ExitCode.UNREACHABLE) -> None:
        self.asked: list[float] = []
        self.ci, self.since, self.exit = ci, since, until_then
        ci.enter = connect_when_possible(self.find)

    def find(self) -> CiConnection:
        now = self.ci.clock.now()
        self.asked.append(now)
        if now < self.since:
            raise CommandError(
                SILENT if self.exit is ExitCode.UNREACHABLE else REFUSED, hint="unseal it", exit=self.exit
            )
        return CiConnection(self.ci, "Vault secret/ci/global")


@pytest.fixture
def ci() -> InMemoryWoodpecker:
    found = InMemoryWoodpecker()
    found.push(timelines.make_green(seconds=200), at=0.0)
    return found


def test_a_token_that_comes_later_is_waited_for_and_reported(ci: InMemoryWoodpecker) -> None:
    keeper, events = LateToken(ci, since=100.0), list[Event]()
    assert ci.watch(tell=events.append).exit is ExitCode.OK
    lost = [event for event in events if isinstance(event, ContactLost)]
    back = [event for event in events if isinstance(event, ContactRestored)]
    assert [event.reason for event in lost] == [SILENT]
    assert 170 < lost[0].retry_for <= 175.0
    assert [100 <= event.away < 120 for event in back] == [True]
    assert events.index(lost[0]) < events.index(back[0])
    assert len(keeper.asked) < 20
    assert not [t for t, _ in ci.requests if t < 100.0]


def test_another_server_instead_of_vault_is_denied_after_three(ci: InMemoryWoodpecker) -> None:
    tries: list[float] = []

    def find() -> CiConnection:
        tries.append(ci.clock.now())
        page = TokenNotFound("Vault", "the response 403 is not from Vault", "check VAULT_ADDR", wrong_server=True)
        find_token((lambda: page,))
        raise AssertionError

    ci.enter = connect_when_possible(find)
    verdict = ci.watch()
    assert (verdict.exit, verdict.hint, len(tries)) == (ExitCode.DENIED, "check VAULT_ADDR", 3)
    assert ci.clock.now() < 5


def test_a_token_that_is_there_at_the_second_try_is_not_spoken_of(ci: InMemoryWoodpecker) -> None:
    LateToken(ci, since=2.0)
    events: list[Event] = []
    assert ci.watch(tell=events.append).exit is ExitCode.OK
    assert not [event for event in events if isinstance(event, ContactLost | ContactRestored)]


def test_found_once_it_is_never_looked_for_again(ci: InMemoryWoodpecker) -> None:
    keeper = LateToken(ci, since=0.0)
    assert ci.watch().exit is ExitCode.OK
    assert keeper.asked == [0.0]


def test_a_token_that_does_not_come_is_unreachable_with_the_reason(ci: InMemoryWoodpecker) -> None:
    keeper = LateToken(ci, since=1e9)
    verdict = ci.watch(timeouts=WatchTimeouts(unreachable=60.0))
    assert verdict.exit is ExitCode.UNREACHABLE
    assert verdict.reason == f"no usable response for 1m00s: {SILENT}"
    assert 50 < keeper.asked[-1] <= 61
    assert not ci.requests


def test_a_refusal_while_the_token_is_waited_for_ends_at_once(ci: InMemoryWoodpecker) -> None:
    keeper = LateToken(ci, since=1e9, until_then=ExitCode.DENIED)
    verdict = ci.watch()
    assert (verdict.exit, verdict.reason, verdict.hint) == (ExitCode.DENIED, REFUSED, "unseal it")
    assert len(keeper.asked) == 1


def test_a_vault_that_comes_back_and_refuses_is_believed_at_once(ci: InMemoryWoodpecker) -> None:
    keeper = LateToken(ci, since=1e9)
    seen: list[Event] = []

    def tell(event: Event) -> None:
        seen.append(event)
        keeper.exit = ExitCode.DENIED

    assert ci.watch(tell=tell).exit is ExitCode.DENIED
    assert isinstance(seen[0], ContactLost)
    assert ci.clock.t < 20


def test_one_poll_may_be_waited_for_too(ci: InMemoryWoodpecker) -> None:
    """As `ci restart` does before it watches; with the timeout of a single request it ends soon."""
    LateToken(ci, since=100.0)
    assert ci.survey().verdict.exit is ExitCode.UNREACHABLE
    assert ci.clock.t < 16
    assert [thread.number for thread in ci.survey(timeouts=make_one_poll_timeouts(180.0)).tracks] == [1]
