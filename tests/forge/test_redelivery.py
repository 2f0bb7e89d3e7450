"""What each forge can send again: Gitea and Forgejo the default branch's tip, GitHub the original event."""

from __future__ import annotations

import pytest

from homelab_hooks.forge.connection import Authorization
from homelab_hooks.forge.gitea.redelivery import GiteaRedelivery
from homelab_hooks.forge.github.redelivery import MAX_READ_DELIVERIES, GitHubRedelivery
from homelab_hooks.forge.provider import PushDelivery, PushedCommit, Webhook
from homelab_hooks.forge.webhook_json import parse_webhooks
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Unavailable
from tests.forge.fake_transport import Answer, FakeTransport, reply

SHA, OTHER = "a" * 40, "b" * 40
HOOK = Webhook(23, "ci.example.test", 443, "/api/hook")
SECRET = "hookCanary4Zz"
REPO = "/api/v1/repos/acme/app"
HOOKS = "/repos/acme/app/hooks/23/deliveries"


def test_the_query_of_a_webhooks_url_is_not_kept() -> None:
    """It holds Woodpecker's token."""
    url = f"https://bob:{SECRET}@CI.example.test:8443/api/hook?access_token={SECRET}#{SECRET}"
    (hook,) = parse_webhooks([{"id": 1, "config": {"url": url}, "events": ["push"], "active": True}])
    assert (hook.host, hook.port, hook.path, hook.sends_pushes) == ("ci.example.test", 8443, "/api/hook", True)
    assert SECRET not in repr(hook)


@pytest.mark.parametrize("url", ["http://[", "https://ci.example.test:99999/api/hook", "", "x"])
def test_a_url_that_is_not_valid_is_that_of_no_server(url: str) -> None:
    (hook,) = parse_webhooks([{"id": 1, "config": {"url": url}}])
    assert hook.host == ""


def test_gitea_sends_the_tip_of_the_default_branch_and_is_never_given_a_ref() -> None:
    """With the full name of another branch, it would make a pipeline of the wrong commit (recording 05b)."""
    transport = FakeTransport(
        {
            f"GET {REPO}": reply(200, {"default_branch": "release/1"}),
            f"GET {REPO}/branches/release/1": reply(200, {"name": "release/1", "commit": {"id": SHA}}),
            f"POST {REPO}/hooks/23/tests": reply(204),
        }
    )
    forge = GiteaRedelivery(transport.connect())
    found = forge.find_delivery("acme/app", HOOK, PushedCommit(SHA), within=5.0)
    assert isinstance(found, Found)
    assert (found.value.ref, found.value.sha, bool(found.value.effects)) == ("refs/heads/release/1", SHA, True)
    assert forge.redeliver("acme/app", HOOK, found.value, within=5.0) == Found(None)
    assert transport.lines[-1] == f"POST {REPO}/hooks/23/tests"


def test_all_pages_of_webhooks_are_read() -> None:
    rows = [{"id": number, "config": {"url": "https://ci.example.test/x"}} for number in range(60)]
    transport = FakeTransport(
        {
            f"GET {REPO}/hooks?page=1&limit=50": reply(200, rows[:50]),
            f"GET {REPO}/hooks?page=2&limit=50": reply(200, rows[50:]),
        }
    )
    found = GiteaRedelivery(transport.connect()).webhooks("acme/app", within=5.0)
    assert isinstance(found, Found)
    assert len(found.value) == 60


def github(answers: dict[str, Answer]) -> tuple[GitHubRedelivery, FakeTransport]:
    transport = FakeTransport(answers)
    return GitHubRedelivery(transport.connect("", "GitHub at https://github.com")), transport


def delivery(number: int, sha: str, ref: str = "refs/heads/main") -> dict[str, object]:
    payload = {"ref": ref, "after": sha, "repository": {"url": SECRET}}
    return {"id": number, "event": "push", "url": SECRET, "request": {"payload": payload}}


def row(number: int, event: str = "push", guid: str = "") -> dict[str, object]:
    return {"id": number, "guid": guid or f"guid-{number}", "event": event, "redelivery": False, "status_code": 502}


def test_github_redelivers_the_original_event_of_the_push() -> None:
    """The list does not tell the commit; a pull request's event and a second attempt are not read."""
    forge, transport = github(
        {
            f"GET {HOOKS}?per_page=100": reply(
                200, [row(9, "pull_request"), row(8), row(7, guid="g"), row(6, guid="g")]
            ),
            f"GET {HOOKS}/8": reply(200, delivery(8, OTHER)),
            f"GET {HOOKS}/7": reply(200, delivery(7, SHA)),
            f"POST {HOOKS}/7/attempts": reply(202, {}),
        }
    )
    found = forge.find_delivery("acme/app", HOOK, PushedCommit(SHA), within=5.0)
    assert found == Found(PushDelivery("refs/heads/main", SHA, 7))
    assert isinstance(found, Found)
    assert forge.redeliver("acme/app", HOOK, found.value, within=5.0) == Found(None)
    assert [line.rpartition("/")[2] for line in transport.lines] == ["deliveries?per_page=100", "8", "7", "attempts"]


def test_a_tags_event_is_that_of_the_tag_and_may_name_the_tag_object() -> None:
    answers: dict[str, Answer] = {
        f"GET {HOOKS}?per_page=100": reply(200, [row(8), row(7)]),
        f"GET {HOOKS}/8": reply(200, delivery(8, SHA)),
        f"GET {HOOKS}/7": reply(200, delivery(7, OTHER, "refs/tags/v1")),
    }
    forge, _ = github(answers)
    tag = PushedCommit(SHA, "refs/tags/v1", frozenset({OTHER}))
    assert forge.find_delivery("acme/app", HOOK, tag, within=5.0) == Found(PushDelivery("refs/tags/v1", OTHER, 7))


def test_a_push_that_github_does_not_know_is_not_found_after_a_bounded_search() -> None:
    answers: dict[str, Answer] = {f"GET {HOOKS}/{n}": reply(200, delivery(n, OTHER)) for n in range(100)}
    answers[f"GET {HOOKS}?per_page=100"] = reply(200, [row(n) for n in range(100)])
    forge, transport = github(answers)
    assert isinstance(forge.find_delivery("acme/app", HOOK, PushedCommit(SHA), within=5.0), NotFound)
    assert len(transport.requests) == 1 + MAX_READ_DELIVERIES


@pytest.mark.parametrize(("status", "kind"), [(403, Denied), (502, Unavailable)])
def test_a_search_that_is_refused_or_not_answered_is_not_a_miss(status: int, kind: type) -> None:
    forge, _ = github({f"GET {HOOKS}?per_page=100": reply(200, [row(8)]), f"GET {HOOKS}/8": reply(status)})
    assert isinstance(forge.find_delivery("acme/app", HOOK, PushedCommit(SHA), within=5.0), kind)


def test_git_credentials_are_sent_as_a_user_and_a_password() -> None:
    assert Authorization.from_password("bob", "t0ken", "git").value == "Basic Ym9iOnQwa2Vu"
    assert "t0ken" not in repr(Authorization.from_token("t0ken", "git"))
