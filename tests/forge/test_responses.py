"""Each refusal of a forge has a message of its own, and rate limits are waited for."""

from __future__ import annotations

import pytest

from homelab_hooks.forge.responses import RequestContext, find_missing_scope, read_forge_response
from homelab_hooks.net.certificate import CertificateFault
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, Poll, Unavailable
from tests.forge.fake_transport import DATE_S, reply

CONTEXT = RequestContext("the webhooks of acme/app", "FORGEJO_TOKEN", "Forgejo at https://git.example.test")
SCOPE_TEXT = "token does not have at least one of required scope(s), required=[write:repository], token scope=read:user"


def read(response: HttpResponse | RequestFailed) -> Poll[object]:
    return read_forge_response(response, lambda raw: raw, CONTEXT)


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (reply(401, {"message": "invalid username, password or token"}), "rejected the credentials from FORGEJO_TOKEN"),
        (reply(404, {"message": "not found"}), "the webhooks of acme/app cannot be found"),
        (reply(403, {"message": SCOPE_TEXT}), "the token from FORGEJO_TOKEN lacks the scope write:repository"),
        (
            reply(403, {"message": "user should be an owner or a collaborator with admin write of a repository"}),
            "refused access to the webhooks of acme/app (user should be an owner",
        ),
        (
            reply(403, {"message": "no"}, x_oauth_scopes="gist", x_accepted_oauth_scopes="admin:repo_hook, repo"),
            "lacks the scope admin:repo_hook or repo",
        ),
        (reply(403, {}, x_accepted_github_permissions="repository_hooks=write"), "lacks the scope repository_hooks=wr"),
        (reply(301, None, location="https://other.example.test/"), "a token is not sent along a redirect"),
    ],
    ids=["401", "404", "403 scope", "403 right", "403 GitHub", "403 fine-grained", "redirect"],
)
def test_a_refusal_says_what_is_missing(response: HttpResponse, words: str) -> None:
    poll = read(response)
    assert isinstance(poll, Denied)
    assert words in poll.reason
    assert poll.hint


def test_a_scope_that_the_token_has_is_not_missing() -> None:
    response = reply(403, {"message": "no"}, x_oauth_scopes="repo", x_accepted_oauth_scopes="admin:repo_hook, repo")
    assert find_missing_scope(response) == ""


@pytest.mark.parametrize(
    ("response", "wait_s"),
    [
        (reply(429, {}, retry_after="7"), 7.0),
        (reply(429), 60.0),
        (reply(403, {}, retry_after="30"), 30.0),
        (reply(403, {}, x_ratelimit_remaining="0", x_ratelimit_reset=str(DATE_S + 90)), 90.0),
        (reply(403, {}, x_ratelimit_remaining="0", x_ratelimit_reset=str(DATE_S - 90)), 1.0),
        (reply(403, {}, x_ratelimit_remaining="0", x_ratelimit_reset="soon"), 60.0),
    ],
    ids=str,
)
def test_a_rate_limit_is_no_refusal(response: HttpResponse, wait_s: float) -> None:
    poll = read(response)
    assert isinstance(poll, Unavailable)
    assert poll.retry_after == wait_s


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (reply(502), FailureKind.STATUS),
        (HttpResponse(200, {"content-type": "text/html"}, b"<title>Login</title>", 0.1), FailureKind.FOREIGN),
        (HttpResponse(200, {}, b'[{"id": 1', 0.1), FailureKind.BODY),
        (RequestFailed(FailureKind.CONNECTION, "refused"), FailureKind.CONNECTION),
    ],
    ids=["502", "page", "cut", "refused"],
)
def test_what_is_no_answer_is_unavailable(response: HttpResponse | RequestFailed, kind: FailureKind) -> None:
    poll = read(response)
    assert isinstance(poll, Unavailable)
    assert poll.kind is kind


def test_a_certificate_that_does_not_verify_is_final() -> None:
    failed = RequestFailed(FailureKind.CONNECTION, "unknown CA", certificate_fault=CertificateFault.UNKNOWN_CA)
    poll = read(failed)
    assert isinstance(poll, Denied)
    assert (poll.final, "homelab.caFile" in poll.hint) == (True, True)


def test_a_list_is_read() -> None:
    assert read(reply(200, [1])) == Found([1])
