"""A token is sent only to its own server: redirects, proxies, wrong dials."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trustme

from homelab_hooks.simulators import faults
from homelab_hooks.simulators.faults import FaultRule
from tests.security.canaries import CI, FORGE, HELPER, VAULT, found_in
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


REDELIVER = ("homelab", "ci", "restart", "--redeliver", "--no-watch")


def forge(path: str, headers: dict[str, str]) -> Reply:
    """A Forgejo that refuses every token, and says its version to everybody."""
    del headers
    if path.endswith("/api/v1/version"):
        return Reply(200, b'{"version": "16.0.0+gitea-1.22.0"}', {"Content-Type": "application/json"})
    return Reply(401, b"{}", {"Content-Type": "application/json"})


def test_the_forge_is_sent_its_own_token_only_and_only_once_its_kind_is_known(sandbox: CanarySandbox) -> None:
    with RecordingServer(forge) as own:
        sandbox.clone.git("remote", "set-url", "origin", f"{own.url}/acme/app.git")
        ended = sandbox.run(*REDELIVER)
        version, *others = own.heard
    assert ended.code == 4, ended
    assert (found_in(version), b"authorization" in version.lower()) == ([], False)
    assert {core for text in others for core in found_in(text)} == {FORGE.core}
    assert others
    assert sandbox.gave_away(ended) == []


@pytest.mark.parametrize("variable", ["GH_TOKEN", "GITHUB_TOKEN", "GITEA_TOKEN"])
def test_a_token_of_another_kind_of_forge_is_not_sent(sandbox: CanarySandbox, variable: str) -> None:
    empty = dict.fromkeys(("HOMELAB_FORGE_TOKEN", "FORGEJO_TOKEN", "GITEA_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"), "")
    with RecordingServer(forge) as own:
        sandbox.clone.git("remote", "set-url", "origin", f"{own.url}/acme/app.git")
        ended = sandbox.run(*REDELIVER, **{**empty, variable: FORGE.value})
        assert ended.code == 4, ended
        assert [found_in(text) for text in own.heard] == [[]]


def test_a_forge_that_redirects_does_not_have_the_token_sent_elsewhere(sandbox: CanarySandbox) -> None:
    def moved(path: str, headers: dict[str, str]) -> Reply:
        return forge(path, headers) if path.endswith("/version") else to(sandbox.elsewhere.url)(path, headers)

    with RecordingServer(moved) as own:
        sandbox.clone.git("remote", "set-url", "origin", f"{own.url}/acme/app.git")
        ended = sandbox.run(*REDELIVER)
        assert len(own.heard) == 2
    assert (ended.code, sandbox.elsewhere.heard) == (4, []), ended


def test_a_tracked_file_does_not_decide_where_the_forge_is(sandbox: CanarySandbox) -> None:
    text = f'forge-url = "{sandbox.elsewhere.url}"\nforgeUrl = "{sandbox.elsewhere.url}"\n'
    sandbox.clone.write(".homelab.toml", text)
    with RecordingServer(forge) as own:
        sandbox.clone.git("remote", "set-url", "origin", f"{own.url}/acme/app.git")
        ended = sandbox.run(*REDELIVER)
        assert own.heard
    assert (ended.code, sandbox.elsewhere.heard) == (4, []), ended
    assert "ignoring `forge-url` in .homelab.toml" in ended.err


def test_git_credentials_of_the_forge_are_sent_to_the_forge_only(sandbox: CanarySandbox) -> None:
    (sandbox.folder / "kept").mkdir(exist_ok=True)
    (sandbox.folder / "kept/answer").write_text(f"username=ann\npassword={HELPER.value}\n")
    sandbox.configure("credential.helper", f"!cat {sandbox.folder / 'kept/answer'} #")
    empty = dict.fromkeys(("HOMELAB_FORGE_TOKEN", "FORGEJO_TOKEN"), "")
    with RecordingServer(forge) as own:
        sandbox.clone.git("remote", "set-url", "origin", f"{own.url}/acme/app.git")
        ended = sandbox.run(*REDELIVER, **empty)
        assert b"Authorization: Basic " in own.heard[1]
    assert ended.code == 4, ended
    assert sandbox.gave_away(ended) == []
