"""The kind of a forge is detected from answers to requests without a token."""

from __future__ import annotations

import pytest

from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.forge.detect import GITEA_VERSION_PATH, GITHUB_META_PATH, detect_forge_kind
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, Unavailable
from tests.forge.fake_transport import FakeTransport, reply

VERSION, META = f"GET {GITEA_VERSION_PATH}", f"GET {GITHUB_META_PATH}"


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({VERSION: reply(200, {"version": "1.26.0"})}, ForgeKind.GITEA),
        ({VERSION: reply(200, {"version": "1.26.0+dev-1-g1234567"})}, ForgeKind.GITEA),
        ({VERSION: reply(200, {"version": "16.0.0+gitea-1.22.0"})}, ForgeKind.FORGEJO),
        ({META: reply(200, {"verifiable_password_authentication": True})}, ForgeKind.GITHUB),
        ({META: reply(401, {"message": "no"}, x_github_request_id="1:2")}, ForgeKind.GITHUB),
    ],
    ids=["Gitea", "Gitea from source", "Forgejo", "GitHub Enterprise", "GitHub in private mode"],
)
def test_a_forge_is_recognized(answers: dict[str, HttpResponse], kind: ForgeKind) -> None:
    transport = FakeTransport(answers)
    assert detect_forge_kind(transport, "", within=5.0) == Found(kind)
    assert not any(request.headers for request in transport.requests)


def test_the_path_of_the_forges_address_is_kept() -> None:
    transport = FakeTransport({f"GET /git{GITEA_VERSION_PATH}": reply(200, {"version": "1.26.0"})})
    assert detect_forge_kind(transport, "/git", within=5.0) == Found(ForgeKind.GITEA)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({}, "it is not Gitea, Forgejo, or GitHub"),
        ({VERSION: reply(401), META: reply(404)}, "only with a token"),
        ({VERSION: reply(200, ["1.26.0"])}, "it is not"),
        ({VERSION: HttpResponse(200, {"content-type": "text/html"}, b"<html>", 0.1)}, "it is not"),
    ],
    ids=["unknown", "login", "list", "page"],
)
def test_what_is_not_recognized_can_be_named(answers: dict[str, HttpResponse], words: str) -> None:
    poll = detect_forge_kind(FakeTransport(answers), "", within=5.0)
    assert isinstance(poll, Denied)
    assert words in poll.reason
    assert "forgeKind" in poll.hint


@pytest.mark.parametrize("answer", [reply(502), RequestFailed(FailureKind.TIMEOUT, "no complete response")], ids=str)
def test_a_forge_that_does_not_respond_is_asked_nothing_else(answer: HttpResponse | RequestFailed) -> None:
    transport = FakeTransport({VERSION: answer})
    assert isinstance(detect_forge_kind(transport, "", within=5.0), Unavailable)
    assert transport.lines == [VERSION]
