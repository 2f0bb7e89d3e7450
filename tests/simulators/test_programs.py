"""The real load balancer and the real Vault behave as the simulators assume."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hvac
import hvac.exceptions
import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.simulators.balancer import CertificateKind, LoadBalancer
from homelab_hooks.simulators.programs import find_program
from homelab_hooks.simulators.vault import VaultDevServer
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.waiting import HANG_S

pytestmark = pytest.mark.slow
NAME = "ci.example.test"
Balance = Callable[..., LoadBalancer]


@pytest.fixture
def balance(woodpecker: WoodpeckerSimulator) -> Iterator[Balance]:
    """`balance(certificate)`: a running load balancer in front of the simulated server."""
    running: list[LoadBalancer] = []

    def one(certificate: CertificateKind = CertificateKind.RIGHT, *, ipv6: bool = False) -> LoadBalancer:
        balancer = LoadBalancer(woodpecker.url, path=os.environ["PATH"], certificate=certificate, ipv6=ipv6)
        running.append(balancer.__enter__())
        return balancer

    yield one
    for balancer in running:
        balancer.stop()


def over_tls(balancer: LoadBalancer, path: str, *, name: str = NAME, host: str = "127.0.0.1") -> bytes:
    """The first bytes of an answer, asked for by a client that trusts only the balancer's own authority."""
    trust = ssl.create_default_context(cafile=str(balancer.ca_file))
    with (
        socket.create_connection((host, balancer.port), timeout=HANG_S) as plain,
        trust.wrap_socket(plain, server_hostname=name) as safe,
    ):
        safe.sendall(f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        got = b""
        while b"\r\n\r\n" not in got or got.endswith(b"\r\n\r\n"):
            got += safe.recv(65536)
        return got


def test_the_right_name_is_verified_and_answered(balance: Balance) -> None:
    got = over_tls(balance(), "/version")
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert b"X-Woodpecker-Version: 3.17.0" in got


def test_it_answers_over_ipv6_too(balance: Balance) -> None:
    assert over_tls(balance(ipv6=True), "/version", host="::1").startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("certificate", "complaint"),
    [
        (CertificateKind.WRONG_NAME, "Hostname mismatch"),
        (CertificateKind.EXPIRED, "certificate has expired"),
        (CertificateKind.UNKNOWN_CA, "unable to get local issuer certificate"),
    ],
)
def test_a_wrong_certificate_is_seen_as_such(
    balance: Balance, woodpecker: WoodpeckerSimulator, certificate: CertificateKind, complaint: str
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=complaint):
        over_tls(balance(certificate), "/version")
    assert woodpecker.requests == []


def test_an_unknown_name_ends_the_handshake(balance: Balance) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)alert internal error"):
        over_tls(balance(), "/version", name="unknown.example.test")


def test_events_pass_the_balancer_at_once(balance: Balance, woodpecker: WoodpeckerSimulator) -> None:
    assert b": ping" in over_tls(balance(), "/api/stream/events")
    assert woodpecker.count("stream/events") == 1


def test_a_stopped_server_is_a_502_of_the_balancer(balance: Balance, woodpecker: WoodpeckerSimulator) -> None:
    balancer = balance()
    woodpecker.stop()
    trust = ssl.create_default_context(cafile=str(balancer.ca_file))
    with (
        socket.create_connection(("127.0.0.1", balancer.port), timeout=HANG_S) as plain,
        trust.wrap_socket(plain, server_hostname=NAME) as safe,
    ):
        safe.sendall(f"GET /version HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        assert safe.recv(4096).startswith(b"HTTP/1.1 502 Bad Gateway")


def test_nothing_is_left_behind(woodpecker: WoodpeckerSimulator) -> None:
    with LoadBalancer(woodpecker.url, path=os.environ["PATH"]) as balancer:
        home = balancer.ca_file.parent
        assert home.parent == Path(tempfile.gettempdir())
        assert home.stat().st_mode & 0o777 == 0o700
    assert not home.exists()


def test_a_missing_program_is_a_problem_with_a_remedy() -> None:
    with pytest.raises(CommandError) as raised:
        find_program("no-such-program", os.environ["PATH"])
    assert "pip install" in raised.value.hint


@pytest.fixture(scope="module")
def vault() -> Iterator[VaultDevServer]:
    with VaultDevServer() as running:
        yield running


def read(vault: VaultDevServer, token: str, path: str, *, mount: str = "secret", version: int = 2) -> Any:
    kv = hvac.Client(url=vault.url, token=token).secrets.kv
    if version == 1:
        return kv.v1.read_secret(path, mount_point=mount)["data"]
    return kv.v2.read_secret_version(path, mount_point=mount, raise_on_deleted_version=True)["data"]["data"]


def test_kv_2_is_there_and_a_policy_opens_it(vault: VaultDevServer) -> None:
    vault.write("ci/global", {"woodpecker_api_token": "t"})
    assert read(vault, vault.create_token(), "ci/global") == {"woodpecker_api_token": "t"}
    with pytest.raises(hvac.exceptions.Forbidden, match="permission denied"):
        read(vault, vault.create_token(reads=("other/*",)), "ci/global")


def test_kv_1_can_be_mounted(vault: VaultDevServer) -> None:
    vault.mount_kv1("old")
    vault.write("ci/global", {"woodpecker_api_token": "t"}, mount="old", version=1)
    token = vault.create_token(reads=("old/*",))
    assert read(vault, token, "ci/global", mount="old", version=1) == {"woodpecker_api_token": "t"}
    with pytest.raises(hvac.exceptions.InvalidPath):
        read(vault, token, "ci/global", mount="old")


def test_a_token_that_is_over_is_forbidden(vault: VaultDevServer) -> None:
    """Revoked and expired are one to those who ask."""
    token = vault.create_token(ttl="1h")
    vault.revoke(token)
    with pytest.raises(hvac.exceptions.Forbidden, match="permission denied"):
        read(vault, token, "ci/global")
