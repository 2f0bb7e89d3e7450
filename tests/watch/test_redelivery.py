"""A lost push is sent to CI again: through which webhook, only for exactly that push, and never twice."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from homelab_hooks.ci.woodpecker.traits import WOODPECKER
from homelab_hooks.config.address import parse_server_url
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event, Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.forge.provider import PushDelivery, PushedCommit, Webhook
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.watch.redelivery_plan import check_delivery, check_redelivery_helps, choose_webhook
from homelab_hooks.watch.redelivery_request import RedeliveryOutcome, RedeliveryRequest, redeliver_push
from homelab_hooks.watch.start_search import find_redelivered
from tests.ci.values import run_ref
from tests.watch.random_history import NEWER, OURS
from tests.watch.run_without_sockets import InMemoryWoodpecker, StreamClock

SERVER = parse_server_url("https://ci.example.test")
OWN = Webhook(23, "ci.example.test", 443, "/api/hook")
OTHER = Webhook(24, "chat.example.test", 443, "/api/hook")
PUSH = PushedCommit(OURS)
TIP = PushDelivery("refs/heads/main", OURS, effects="no changed files")


def refusal(*hooks: Webhook) -> CommandError:
    with pytest.raises(CommandError) as caught:
        choose_webhook(hooks, SERVER, "/api/hook")
    assert caught.value.exit is ExitCode.REFUSED
    return caught.value


def test_the_one_webhook_of_the_ci_server_is_chosen() -> None:
    assert choose_webhook((OTHER, OWN), SERVER, "/api/hook") == OWN
    inner = OWN._replace(port=8000)
    assert choose_webhook((OTHER, inner), SERVER, "/api/hook") == inner
    assert choose_webhook((inner, OWN), SERVER, "/api/hook") == OWN
    below = parse_server_url("https://ci.example.test/ci")
    assert choose_webhook((OWN, OWN._replace(path="/ci/api/hook")), below, "/api/hook").path == "/ci/api/hook"


@pytest.mark.parametrize(
    ("hooks", "words"),
    [
        ((), "none of the repository's 0 webhooks"),
        ((OTHER, OWN._replace(path="/hook")), "none of the repository's 2 webhooks notifies ci.example.test/api/hook"),
        ((OWN, OWN._replace(id=25)), "2 of the repository's webhooks"),
        ((OWN._replace(is_active=False),), "switched off"),
        ((OWN._replace(sends_pushes=False),), "does not send push events"),
    ],
    ids=["none", "others", "two", "inactive", "no pushes"],
)
def test_no_other_webhook_is_used(hooks: tuple[Webhook, ...], words: str) -> None:
    """A test delivery answers 204 also where nothing is sent (recording 05-webhook-redelivery)."""
    assert words in refusal(*hooks).message


@pytest.mark.parametrize(
    ("delivery", "push", "hook", "words"),
    [
        (TIP._replace(sha=NEWER), PUSH, OWN, "the tip of its default branch main, which is"),
        (TIP, PushedCommit(OURS, "refs/tags/v1"), OWN, "not a tag"),
        (TIP._replace(ref="refs/tags/v1"), PUSH, OWN, "can only send"),
        (TIP, PUSH, OWN._replace(branch_filter="release/*"), "branch filter release/*"),
    ],
    ids=["another tip", "tag", "tag of the same commit", "branch filter"],
)
def test_the_event_of_another_push_is_not_sent(
    delivery: PushDelivery, push: PushedCommit, hook: Webhook, words: str
) -> None:
    with pytest.raises(CommandError) as caught:
        check_delivery(delivery, push, hook)
    assert caught.value.exit is ExitCode.REFUSED
    assert words in caught.value.message


def surveyed(script: PipelineTimeline | None) -> InMemoryWoodpecker:
    woodpecker = InMemoryWoodpecker(stream="")
    if script:
        woodpecker.push(script)
    woodpecker.clock.t = 600.0
    return woodpecker


@pytest.mark.parametrize(
    ("script", "message", "words"),
    [
        (timelines.make_red(), "", "#1 is failure; a redelivery would make another one"),
        (timelines.make_config_error(), "", "#1 is error"),
        (None, "docs [skip ci]", "would skip the push again"),
    ],
    ids=["red", "broken configuration", "skip marker"],
)
def test_a_redelivery_that_cannot_help_is_refused(script: PipelineTimeline | None, message: str, words: str) -> None:
    with pytest.raises(CommandError) as caught:
        check_redelivery_helps(surveyed(script).survey(), WOODPECKER, message)
    assert caught.value.exit is ExitCode.REFUSED
    assert words in caught.value.message


def test_a_lost_push_may_be_sent_again() -> None:
    check_redelivery_helps(surveyed(None).survey(), WOODPECKER, "work")


def test_a_new_pipeline_is_found_beside_the_one_that_has_no_configuration() -> None:
    """The old one would decide the watch at once; one of another commit does not count."""
    woodpecker = surveyed(timelines.make_red())
    seen = woodpecker.survey()
    woodpecker.push(timelines.make_green(), at=602.0, sha=NEWER)
    woodpecker.push(timelines.make_green(), at=604.0)
    assert find_redelivered(seen, woodpecker.ci, timeout_s=60.0, clock=woodpecker.clock).run == run_ref(3)


def test_no_new_pipeline_within_the_time_is_no_pipeline() -> None:
    woodpecker = surveyed(timelines.make_red())
    with pytest.raises(CommandError) as caught:
        find_redelivered(woodpecker.survey(), woodpecker.ci, timeout_s=60.0, clock=woodpecker.clock)
    assert caught.value.exit is ExitCode.NO_PIPELINE


@dataclass
class FakeForge:
    """Answers each request with the next of its values; the last one stays."""

    hooks: list[Poll[tuple[Webhook, ...]]] = field(default_factory=lambda: [Found((OTHER, OWN))])
    delivery: Poll[PushDelivery] = field(default_factory=lambda: Found(TIP))
    sent: Poll[None] = field(default_factory=lambda: Found(None))
    sends: int = 0

    def webhooks(self, repo: str, *, within: float) -> Poll[tuple[Webhook, ...]]:
        del repo, within
        return self.hooks.pop(0) if len(self.hooks) > 1 else self.hooks[0]

    def find_delivery(self, repo: str, hook: Webhook, push: PushedCommit, *, within: float) -> Poll[PushDelivery]:
        del repo, push, within
        assert hook == OWN
        return self.delivery

    def redeliver(self, repo: str, hook: Webhook, delivery: PushDelivery, *, within: float) -> Poll[None]:
        del repo, delivery, within
        assert hook == OWN
        self.sends += 1
        return self.sent


def redeliver(forge: FakeForge) -> tuple[RedeliveryOutcome, list[str]]:
    events: list[Event] = []
    request = RedeliveryRequest("acme/app", PUSH, SERVER, "/api/hook")
    outcome = redeliver_push(request, forge, clock=StreamClock(), emit=events.append)
    return outcome, [event.text for event in events if isinstance(event, Log)]


def test_what_is_sent_and_how_it_differs_is_reported() -> None:
    outcome, told = redeliver(FakeForge())
    assert outcome == RedeliveryOutcome(TIP)
    assert told == [
        f"the forge sent the push of {OURS[:10]} on main to CI again",
        "this is not the original event: no changed files",
    ]


def test_a_read_is_repeated_and_a_redelivery_is_not() -> None:
    """Each delivery makes another pipeline, so a lost response is settled by waiting for one."""
    away = Unavailable("bad gateway")
    forge = FakeForge(hooks=[away, away, Found((OWN,))], sent=away)
    outcome, told = redeliver(forge)
    assert (outcome.is_confirmed, forge.sends) == (False, 1)
    assert told == ["the redelivery was not confirmed: bad gateway"]


@pytest.mark.parametrize(
    ("forge", "exit_"),
    [
        (FakeForge(hooks=[Denied("no rights")]), ExitCode.DENIED),
        (FakeForge(hooks=[Unavailable("bad gateway")]), ExitCode.UNREACHABLE),
        (FakeForge(hooks=[Unavailable("limited", retry_after=900.0)]), ExitCode.UNREACHABLE),
        (FakeForge(delivery=NotFound("GitHub has no delivery")), ExitCode.REFUSED),
        (FakeForge(delivery=Found(TIP._replace(sha=NEWER))), ExitCode.REFUSED),
    ],
    ids=["denied", "away", "limited", "not kept", "another tip"],
)
def test_nothing_is_sent_if_it_is_not_certain_what(forge: FakeForge, exit_: ExitCode) -> None:
    with pytest.raises(CommandError) as caught:
        redeliver(forge)
    assert (caught.value.exit, forge.sends) == (exit_, 0)


def test_a_refused_redelivery_is_reported() -> None:
    with pytest.raises(CommandError) as caught:
        redeliver(FakeForge(sent=Denied("lacks the scope write:repository")))
    assert caught.value.exit is ExitCode.DENIED
