"""A token is sent only to its own server: redirects, proxies, wrong dials."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trustme

from homelab_hooks.simulators import faults
from homelab_hooks.simulators.faults import FaultRule
from tests.security.canaries import CI, VAULT, found_in
from tests.security.canary_clone import CanarySandbox
from tests.security.recording_servers import RecordingServer, Reply, to

pytestmark = pytest.mark.slow

WATCH = ("homelab-watch", "--unreachable-timeout", "0.3s", "--appear-timeout", "0")


def test_ci_that_redirects_does_not_have_the_token_sent_elsewhere(sandbox: CanarySandbox) -> None:
    with RecordingServer(to(sandbox.elsewhere.url)) as moved:
        ended = sandbox.shell(*WATCH, WOODPECKER_SERVER=moved.url)
        doctor = sandbox.shell("homelab", "doctor", WOODPECKER_SERVER=moved.url)
        assert moved.heard
    assert ended.code in {4, 8}, ended
    assert sandbox.elsewhere.heard == []
    assert sandbox.gave_away(ended, doctor) == []


def test_a_vault_that_redirects_does_not_have_its_token_sent_elsewhere(sandbox: CanarySandbox) -> None:
    with RecordingServer(to(sandbox.elsewhere.url)) as moved:
        without = {"WOODPECKER_TOKEN": "", "WP_TOKEN": ""}
        ended = sandbox.run(*WATCH, VAULT_ADDR=moved.url, **without)
        assert moved.heard
    assert ended.code == 4, ended
    assert sandbox.elsewhere.heard == []
    assert sandbox.gave_away(ended) == []


def test_each_server_is_sent_its_own_token_only(sandbox: CanarySandbox) -> None:
    """CI never sees Vault's token, Vault never CI's, and the git server neither."""
    heard: list[bytes] = []

    def answer(path: str, headers: dict[str, str]) -> Reply:
        heard.append(f"{path} {headers}".encode())
        return Reply(401)

    with RecordingServer(answer) as ci:
        sandbox.clone.git("remote", "set-url", "origin", f"{ci.url}/git/acme/app.git")
        sandbox.shell(*WATCH, WOODPECKER_SERVER=f"{ci.url}/ci", WOODPECKER_TOKEN="", WP_TOKEN="")
        sandbox.shell("git-land", "--no-ci-watch", "--verify-cmd", "true")
        mixed = [text for text in ci.heard if b"/git/" in text]
        own = [text for text in ci.heard if b"/ci/" in text]
    assert mixed
    assert {core for text in mixed for core in found_in(text)} == set()
    assert {core for text in own for core in found_in(text)} == {CI.core}
    assert {core for text in sandbox.vault.heard for core in found_in(text)} == {VAULT.core}


@pytest.mark.parametrize("argv", [WATCH, ("homelab", "doctor")], ids=["watch", "doctor"])
def test_a_proxy_is_asked_for_a_tunnel_and_sent_no_token(sandbox: CanarySandbox, argv: tuple[str, ...]) -> None:
    proxies = {"https_proxy": sandbox.elsewhere.url, "no_proxy": ""}
    ended = sandbox.run(*argv, WOODPECKER_SERVER="https://ci.example.test", VAULT_ADDR="", **proxies)
    assert sandbox.elsewhere.heard
    assert sandbox.gave_away(ended) == []


@pytest.fixture
def impostor() -> Iterator[tuple[RecordingServer, str]]:
    """A server at the dialled address with a certificate for the right name from an untrusted CA."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("ci.example.test").configure_cert(context)
    with RecordingServer(tls=context) as there:
        yield there, there.url.removeprefix("http://")


def test_a_wrong_dial_is_sent_nothing(sandbox: CanarySandbox, impostor: tuple[RecordingServer, str]) -> None:
    there, dial = impostor
    told = {"WOODPECKER_SERVER": "https://ci.example.test", "HOMELAB_CI_DIAL": dial}
    vault = {"VAULT_ADDR": "https://ci.example.test", "HOMELAB_VAULT_DIAL": dial}
    watched = sandbox.run(*WATCH, **told)
    asked = sandbox.run(*WATCH, **told, **vault, WOODPECKER_TOKEN="", WP_TOKEN="")
    assert (watched.code, asked.code) == (4, 4), (watched, asked)
    assert there.heard == []
    assert sandbox.gave_away(watched, asked) == []


def test_an_answer_that_repeats_the_token_is_redacted(sandbox: CanarySandbox) -> None:
    """A server's message may hold what it was sent, in any notation."""
    body = f"<html>refused: Bearer {CI.value} {CI.in_url}".encode()
    sandbox.woodpecker.fail(FaultRule(fault=faults.StatusFault(code=403, body=body, content_type="text/html")))
    ended = sandbox.shell(*WATCH)
    assert ended.code == 4, ended
    assert sandbox.gave_away(ended) == []
