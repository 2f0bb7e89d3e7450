"""The token out of a real Vault server: both KV versions, every way it can fail, and no leak."""

from __future__ import annotations

import gzip
import os
import socket
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.auth.lookup import Token, TokenNotFound
from homelab_hooks.auth.vault import VaultSettings, create_vault_client, read_token_from_vault
from homelab_hooks.config.address import parse_dial, parse_server_url
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators import faults
from homelab_hooks.simulators.balancer import CertificateKind, LoadBalancer
from homelab_hooks.simulators.faults import FaultRule
from homelab_hooks.simulators.programs import find_free_port
from homelab_hooks.simulators.vault import VaultDevServer as Server
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock

FIELD = "woodpecker_api_token"


def asked(vault: VaultSettings) -> Token | TokenNotFound:
    """Over the network."""
    return read_token_from_vault(vault, create_vault_client(vault, SystemClock()))


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with Server() as server:
        server.write("ci/global", {FIELD: "  t0ken-in-vault\n", "empty": "", "number": 7})
        server.mount_kv1("old")
        server.write("ci/global", {FIELD: "t0ken-in-kv1"}, mount="old", version=1)
        server.mount_kv1("deep/mount")
        server.write("ci", {FIELD: "t0ken-deep"}, mount="deep/mount", version=1)
        yield server


@pytest.fixture
def ask(running: Server) -> Callable[..., Token | TokenNotFound]:
    """`ask(path=, field=, token=, ...)`: the token by a fresh Vault token that may read everything."""

    def one(**changes: Any) -> Token | TokenNotFound:
        everything = ("secret/*", "old/*", "deep/mount/*", "kv/*")
        known: dict[str, Any] = {
            "server": parse_server_url(running.url),
            "token_source": "VAULT_TOKEN",
            "path": "secret/ci/global",
            "field": FIELD,
            **changes,
        }
        return asked(VaultSettings(**{"token": running.create_token(reads=everything), **known}))

    return one


def failed(found: Token | TokenNotFound) -> TokenNotFound:
    assert isinstance(found, TokenNotFound)
    assert found.source.startswith("Vault ")
    assert found.reason
    assert found.hint
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "value"),
    [("secret/ci/global", "t0ken-in-vault"), ("old/ci/global", "t0ken-in-kv1"), ("deep/mount/ci", "t0ken-deep")],
)
def test_the_version_of_the_kv_engine_is_found_out(ask: Any, path: str, value: str) -> None:
    found = ask(path=path)
    assert isinstance(found, Token)
    assert found.value == value
    assert path in found.source


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "reason", "hint"),
    [
        ({"path": "secret/ci/other"}, "no secret at that path", "homelab.vaultPath"),
        ({"path": "old/ci/other"}, "no secret at that path", "homelab.vaultPath"),
        ({"path": "nowhere/ci/global"}, "", ""),
        ({"field": "other"}, "no field other", "homelab.vaultField"),
        ({"field": "empty"}, "field empty is empty", "homelab.vaultField"),
        ({"field": "number"}, "field number is not a text", "homelab.vaultField"),
        ({"token": "hvs.nonsense"}, "rejected the token from VAULT_TOKEN", "vault login"),
        ({"token": ""}, "no Vault token", "VAULT_TOKEN"),
    ],
)
def test_each_way_to_fail_has_its_reason_and_its_remedy(
    ask: Any, changes: dict[str, Any], reason: str, hint: str
) -> None:
    found = failed(ask(**changes))
    assert reason in found.reason
    assert hint in found.hint


@pytest.mark.slow
def test_a_deleted_version_is_nothing_at_that_path(ask: Any, running: Server) -> None:
    running.write("ci/gone", {FIELD: "t"})
    running.client().secrets.kv.v2.delete_latest_version_of_secret("ci/gone", mount_point="secret")
    assert "no secret at that path" in failed(ask(path="secret/ci/gone")).reason


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["expired", "wrong policy"])
def test_a_vault_token_that_may_not_read_is_named_by_its_source(ask: Any, running: Server, kind: str) -> None:
    token = running.create_token(reads=("secret/*",) if kind == "expired" else ("other/*",))
    if kind == "expired":
        running.revoke(token)
    found = failed(ask(token=token, token_source="~/.vault-token"))
    assert "~/.vault-token" in found.reason
    assert token not in repr(found)


@pytest.mark.slow
def test_the_token_is_read_over_tls_at_a_dialled_address(ask: Any, running: Server) -> None:
    with LoadBalancer(running.url, path=os.environ["PATH"], name="vault.example.test") as balancer:
        where = {"server": parse_server_url("https://vault.example.test"), "dial": parse_dial(balancer.dial)}
        found = ask(**where, ca_file=balancer.ca_file)
        assert isinstance(found, Token)
        assert "certificate" in failed(ask(**where)).reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("certificate", "reason"), [(CertificateKind.WRONG_NAME, "not valid for"), (CertificateKind.EXPIRED, "has expired")]
)
def test_a_vault_with_a_wrong_certificate_is_refused(
    ask: Any, running: Server, certificate: CertificateKind, reason: str
) -> None:
    with LoadBalancer(
        running.url, path=os.environ["PATH"], name="vault.example.test", certificate=certificate
    ) as balancer:
        server, dial = parse_server_url("https://vault.example.test"), parse_dial(balancer.dial)
        assert reason in failed(ask(server=server, dial=dial, ca_file=balancer.ca_file)).reason


def fake(server: HTTPServer, **changes: Any) -> TokenNotFound:
    """The result with a server that is not a real Vault."""
    known: dict[str, Any] = {
        "server": parse_server_url(server.url_for("")), "token": "hvs.s3cret", "token_source": "VAULT_TOKEN",
        "path": "secret/ci/global", "field": FIELD, **changes,
    }  # fmt: skip
    return failed(asked(VaultSettings(**known)))


MOUNT = "/v1/sys/internal/ui/mounts/secret/ci/global"
KV2 = {"data": {"path": "secret/", "type": "kv", "options": {"version": "2"}}}


def test_the_namespace_is_passed_on(httpserver: HTTPServer) -> None:
    httpserver.expect_request(MOUNT).respond_with_json(KV2)
    httpserver.expect_request("/v1/secret/data/ci/global").respond_with_json({"data": {"data": {}}})
    fake(httpserver, namespace="team/a")
    assert [request.headers["X-Vault-Namespace"] for request, _ in httpserver.log] == ["team/a"] * 2
    assert {request.headers["X-Vault-Token"] for request, _ in httpserver.log} == {"hvs.s3cret"}


@pytest.fixture(scope="module")
def other() -> Iterator[HTTPServer]:
    """A second server, that is never to be asked."""
    with HTTPServer(port=0) as server:
        yield server


@pytest.mark.parametrize("location", ["/v1/cleaned", "http://{host}:{port}/v1/other", "cleaned", "//{host}:{port}/x"])
def test_a_redirect_within_vault_is_not_called_another_server(httpserver: HTTPServer, location: str) -> None:
    away = {"Location": location.format(host=httpserver.host, port=httpserver.port)}
    httpserver.expect_request(MOUNT).respond_with_data(status=307, headers=away)
    found = fake(httpserver)
    assert "another path of its own" in found.reason
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(
    ("value", "reason"), [("", "is empty"), ("  ", "is empty"), (7, "is not a text"), ([], "is not a text")]
)
def test_a_field_that_is_there_is_not_called_missing(httpserver: HTTPServer, value: object, reason: str) -> None:
    httpserver.expect_request(MOUNT).respond_with_json(KV2)
    httpserver.expect_request("/v1/secret/data/ci/global").respond_with_json({"data": {"data": {FIELD: value}}})
    assert fake(httpserver).reason == f"its field {FIELD} {reason}"


@pytest.mark.parametrize("where", ["mount", "secret"])
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_never_carries_the_vault_token_elsewhere(
    httpserver: HTTPServer, other: HTTPServer, where: str, code: int
) -> None:
    away: dict[str, Any] = {"status": code, "headers": {"Location": other.url_for("/stolen")}}
    if where == "mount":
        httpserver.expect_request(MOUNT).respond_with_data(**away)
    else:
        httpserver.expect_request(MOUNT).respond_with_json(KV2)
        httpserver.expect_request("/v1/secret/data/ci/global").respond_with_data(**away)
    assert "redirect" in fake(httpserver).reason
    assert other.log == []


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, "<html>Sign in</html>", "not from Vault"),
        (200, "[]", "not from Vault"),
        (200, "null", "not from Vault"),
        (200, '{"data": null}', "not from Vault"),
        (200, '{"request_id": "6f1c", "data": null, "warnings": null}', "no data for that path"),
        (200, '{"data": {"path": 5}}', "not from Vault"),
        (200, '{"data": {"path": "secret/", "options": {"version": "x"}}}', "not from Vault"),
        (200, "", "not from Vault"),
        (403, '{"errors": ["permission denied"]}', "rejected the token"),
        (404, '{"errors": []}', "no secret at that path"),
        (429, '{"errors": ["rate limit"]}', "failed with 429"),
        (200, '{"data": {"path": "secret/", "options": {"version": 1e999}}}', "not from Vault"),
        (200, '{"data": {"path": "secret/", "options": {"version": %s}}}' % ("9" * 5000), "not from Vault"),
        (200, '{"data": {"path": "sec", "options": {"version": 2}}}', "not from Vault"),
        (200, "[" * 100_000, "not from Vault"),
        (403, "[" * 100_000, "403 is not from Vault"),
        (500, '{"errors": 5}', "failed with 500"),
        (500, '{"errors": ["1 error\\u001b[2J occurred"]}', "failed"),
        (503, '{"errors": ["Vault is sealed"]}', "sealed"),
    ],
)
def test_an_answer_that_is_none_is_reported_as_such(
    httpserver: HTTPServer, status: int, body: str, reason: str
) -> None:
    httpserver.expect_request(MOUNT).respond_with_data(body, status=status, content_type="application/json")
    found = fake(httpserver)
    assert reason in found.reason
    assert "\x1b" not in found.reason
    assert "s3cret" not in repr(found)


PAGES = {
    "a login page": (200, "text/html", "<title>Sign in</title>", '"Sign in"', False),
    "a login page as 401": (401, "text/html", "<html>", "401 is not from Vault", False),
    "a WAF": (403, "text/html", "<title>Blocked</title>", '"Blocked"', False),
    "a WAF without words": (403, "text/plain", "", "403 is not from Vault", False),
    "a forward-auth": (403, "text/plain", "Forbidden", "403 is not from Vault", False),
    "another API": (403, "application/json", '{"message": "no"}', "403 is not from Vault", False),
    "another API's 404": (404, "application/json", '{"detail": "x"}', "404 is not from Vault", False),
    "a mux": (404, "text/plain", "404 page not found", "404 is not from Vault", False),
    "a portal": (511, "text/html", "<title>Wi-Fi</title>", '"Wi-Fi"', False),
    "a balancer": (503, "text/html", "<title>503</title>", '"503"', True),
    "a balancer in words": (503, "text/plain", "no available server", "503 is not from Vault", True),
    "a gateway": (502, "text/html", "<html>", "502 is not from Vault", True),
    "a busy proxy": (429, "text/plain", "", "429 is not from Vault", True),
}


@pytest.mark.parametrize("where", ["mount", "secret"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_in_front_of_vault_says_nothing_about_the_vault_token(
    httpserver: HTTPServer, name: str, where: str
) -> None:
    status, content_type, body, reason, unreachable = PAGES[name]
    if where == "secret":
        httpserver.expect_request(MOUNT).respond_with_json(KV2)
        httpserver.expect_request("/v1/secret/data/ci/global").respond_with_data(body, status, None, None, content_type)
    else:
        httpserver.expect_request(MOUNT).respond_with_data(body, status, None, None, content_type)
    found = fake(httpserver)
    assert f"the response {status} is not from Vault (" in found.reason
    assert reason in found.reason
    assert (found.unreachable, found.wrong_server) == (unreachable, not unreachable)
    assert "vault login" not in found.hint
    assert "unseal" not in found.hint


def test_a_port_without_tls_is_not_a_vault_that_is_down(httpserver: HTTPServer) -> None:
    known = VaultSettings(
        server=parse_server_url(httpserver.url_for("").replace("http:", "https:")), token="hvs.s3cret",
        token_source="VAULT_TOKEN", path="secret/ci/global", field=FIELD,
    )  # fmt: skip
    found = failed(asked(known))
    assert (found.unreachable, found.wrong_server) == (False, True)
    assert "scheme and the port of VAULT_ADDR" in found.hint


def test_a_vault_that_is_down_is_named_with_what_to_check() -> None:
    port = find_free_port()
    known = VaultSettings(
        server=parse_server_url(f"http://127.0.0.1:{port}"), token="hvs.s3cret", token_source="VAULT_TOKEN",
        path="secret/ci/global", field=FIELD,
    )  # fmt: skip
    found = failed(asked(known))
    assert "refused" in found.reason
    assert "VAULT_ADDR" in found.hint
    assert "s3cret" not in repr(known) + repr(found)


def test_a_vault_that_says_nothing_is_given_up() -> None:
    """A listening socket that no server accepts on."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        known = VaultSettings(
            server=parse_server_url(f"http://127.0.0.1:{silent.getsockname()[1]}"), token="hvs.s3cret",
            token_source="VAULT_TOKEN", path="secret/ci/global", field=FIELD, timeout=0.2,
        )  # fmt: skip
        assert "no complete response" in failed(asked(known)).reason


@pytest.mark.parametrize(
    "fault",
    [faults.Drip(pause=0.04), faults.Hang(faults.FaultPoint.HEADERS), faults.Endless(), faults.HugeHeaders()],
    ids=str,
)
def test_no_answer_of_vaults_takes_longer_or_more_memory_than_it_may(fault: faults.HttpFault) -> None:
    """A drip resets every single read's timeout, but not the whole answer's."""
    with WoodpeckerSimulator(SystemClock()) as server:
        server.fail(FaultRule(fault=fault))
        known = VaultSettings(
            server=parse_server_url(server.url), token="hvs.s3cret", token_source="VAULT_TOKEN",
            path="secret/ci/global", field=FIELD, timeout=0.3,
        )  # fmt: skip
        assert failed(asked(known)).unreachable


def test_a_packed_answer_of_vaults_is_not_unpacked_without_an_end(httpserver: HTTPServer) -> None:
    bomb = gzip.compress(b'{"data": "' + b" " * 60_000_000 + b'"}')
    httpserver.expect_request(MOUNT).respond_with_data(bomb, headers={"Content-Encoding": "gzip"})
    tracemalloc.start()
    assert "longer than" in fake(httpserver).reason
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("token", ["hvs.s3\ncret", "hvs.s3 cret", "hvs.s3crét"])
def test_a_vault_token_that_no_header_can_carry_is_not_shown(token: str) -> None:
    known = VaultSettings(
        server=parse_server_url("http://127.0.0.1:1"), token=token, token_source="~/.vault-token",
        path="secret/ci/global", field=FIELD,
    )  # fmt: skip
    with pytest.raises(CommandError, match=r"~/\.vault-token") as raised:
        asked(known)
    assert raised.value.exit is ExitCode.DENIED
    assert "s3" not in raised.value.message + raised.value.hint


@pytest.mark.slow
def test_the_runtime_finds_the_vault_token_in_the_users_home(
    seal: dict[str, str], running: Server, tmp_path: Path
) -> None:
    environ = {**seal, "WOODPECKER_SERVER": "https://ci.example.test", "VAULT_ADDR": running.url}
    token = running.create_token()
    (Path(seal["HOME"]) / ".vault-token").write_text(f"{token}\n")
    runtime = Runtime(environ, tmp_path)
    found = runtime.token(runtime.config({}))
    assert found.value == "t0ken-in-vault"
    assert runtime.redact(f"{token} t0ken-in-vault") == "*** ***"
    refused = Runtime({**environ, "VAULT_TOKEN": "hvs.nonsense"}, tmp_path)
    with pytest.raises(CommandError, match="rejected the token from VAULT_TOKEN"):
        refused.token(refused.config({}))
