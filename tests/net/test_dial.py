"""The pinned dial against a real balancer: the name stays in SNI, Host and certificate, only the address changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from homelab_hooks.net.certificate import CertificateFault
from homelab_hooks.net.http import HttpClient
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators.balancer import CertificateKind, LoadBalancer
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.waiting import HANG_S

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

Balance = Callable[..., LoadBalancer]
Client = Callable[..., HttpClient]
CI = "https://ci.example.test"


def seen(answer: HttpResponse | RequestFailed) -> HttpResponse:
    assert isinstance(answer, HttpResponse), answer
    return answer


def failed(answer: HttpResponse | RequestFailed) -> RequestFailed:
    assert isinstance(answer, RequestFailed), answer
    return answer


@pytest.mark.slow
def test_the_right_name_is_reached_at_the_dialled_address(
    balance: Balance, client: Client, woodpecker: WoodpeckerSimulator
) -> None:
    balancer = balance()
    reply = seen(client(CI, dial=balancer.dial, ca_file=balancer.ca_file).request("GET", "/api/user", timeout=HANG_S))
    assert (reply.status, reply.headers["x-woodpecker-version"]) == (200, "3.17.0")
    assert [request.user for request in woodpecker.requests] == ["alice"]


@pytest.mark.slow
def test_the_host_header_keeps_the_servers_name(balance: Balance, client: Client, httpserver: HTTPServer) -> None:
    """The balancer answers only to its own name in SNI, and passes Host on."""
    httpserver.expect_request("/version").respond_with_json({})
    balancer = balance(upstream=httpserver.url_for(""))
    assert (
        seen(client(CI, dial=balancer.dial, ca_file=balancer.ca_file).request("GET", "/version", timeout=HANG_S)).status
        == 200
    )
    request, _ = httpserver.log[0]
    assert request.headers["Host"] == "ci.example.test"
    assert request.headers["Authorization"] == "Bearer alice-token"


@pytest.mark.slow
def test_a_server_with_a_port_keeps_it_in_host_and_is_dialled_there(
    balance: Balance, client: Client, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/ci/version").respond_with_json({})
    balancer = balance(upstream=httpserver.url_for(""))
    https = client(f"{CI}:{balancer.port}/ci", dial="127.0.0.1", ca_file=balancer.ca_file)
    assert seen(https.request("GET", "/version", timeout=HANG_S)).status == 200
    assert httpserver.log[0][0].headers["Host"] == f"ci.example.test:{balancer.port}"


BAD_CERTIFICATES = {
    CertificateKind.WRONG_NAME: ("Hostname mismatch", CertificateFault.WRONG_NAME),
    CertificateKind.EXPIRED: ("certificate has expired", CertificateFault.EXPIRED),
    CertificateKind.NOT_YET_VALID: ("certificate is not yet valid", CertificateFault.NOT_YET_VALID),
    CertificateKind.UNKNOWN_CA: ("unable to get local issuer certificate", CertificateFault.UNKNOWN_CA),
    CertificateKind.SELF_SIGNED: ("self.signed certificate", CertificateFault.SELF_SIGNED),
}


@pytest.mark.slow
@pytest.mark.parametrize("certificate", BAD_CERTIFICATES, ids=lambda one: one.value)
def test_a_certificate_that_does_not_verify_ends_before_the_token_is_sent(
    balance: Balance, client: Client, woodpecker: WoodpeckerSimulator, certificate: CertificateKind
) -> None:
    reason, why = BAD_CERTIFICATES[certificate]
    balancer = balance(certificate)
    answer = failed(
        client(CI, dial=balancer.dial, ca_file=balancer.ca_file).request("GET", "/api/user", timeout=HANG_S)
    )
    assert answer.certificate_fault is why
    assert re.search(reason, answer.reason)
    assert woodpecker.requests == []


@pytest.mark.slow
def test_the_systems_trust_store_does_not_know_the_tests_own_authority(balance: Balance, client: Client) -> None:
    assert failed(client(CI, dial=balance().dial).request("GET", "/api/user", timeout=HANG_S)).certificate_fault


@pytest.mark.slow
def test_a_name_that_the_balancer_does_not_know_is_not_a_usable_answer(balance: Balance, client: Client) -> None:
    balancer = balance()
    https = client("https://nobody.example.test", dial=balancer.dial, ca_file=balancer.ca_file)
    answer = failed(https.request("GET", "/version", timeout=HANG_S))
    assert (answer.kind, answer.certificate_fault) == (FailureKind.CONNECTION, None)


@pytest.mark.slow
def test_an_ipv6_address_can_be_dialled(balance: Balance, client: Client) -> None:
    balancer = balance(ipv6=True)
    https = client(CI, dial=f"[::1]:{balancer.port}", ca_file=balancer.ca_file)
    assert seen(https.request("GET", "/version", timeout=HANG_S)).status == 200


@pytest.mark.slow
def test_two_names_at_one_address_stay_apart(balance: Balance, client: Client, httpserver: HTTPServer) -> None:
    """Each name gets its own answer, and neither passes for the other."""
    httpserver.expect_request("/version").respond_with_data("other")
    one, two = balance(), balance(upstream=httpserver.url_for(""), name="other.example.test")
    ours = client(CI, dial=one.dial, ca_file=one.ca_file)
    theirs = client("https://other.example.test", dial=two.dial, ca_file=two.ca_file)
    assert b"3.17.0" in seen(ours.request("GET", "/version", timeout=HANG_S)).body
    assert seen(theirs.request("GET", "/version", timeout=HANG_S)).body == b"other"
    crossed = client(CI, dial=two.dial, ca_file=two.ca_file)
    assert isinstance(crossed.request("GET", "/version", timeout=HANG_S), RequestFailed)


@pytest.mark.slow
def test_the_dial_wins_over_a_proxy(
    balance: Balance, client: Client, tunnel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
    monkeypatch.setenv("ALL_PROXY", tunnel.url)
    balancer = balance()
    assert (
        seen(client(CI, dial=balancer.dial, ca_file=balancer.ca_file).request("GET", "/version", timeout=HANG_S)).status
        == 200
    )
    assert tunnel.asked == []


@pytest.mark.slow
def test_without_a_dial_the_proxy_is_used_and_the_certificate_checked_through_it(
    balance: Balance, client: Client, tunnel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    balancer = balance()
    tunnel.to = balancer.port
    monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
    assert seen(client(CI, ca_file=balancer.ca_file).request("GET", "/version", timeout=HANG_S)).status == 200
    assert tunnel.asked == ["CONNECT ci.example.test:443 HTTP/1.1"]
    assert failed(client(CI).request("GET", "/version", timeout=HANG_S)).certificate_fault


@pytest.mark.slow
def test_a_redirect_of_the_balancers_is_not_followed(balance: Balance, client: Client, httpserver: HTTPServer) -> None:
    """From https to http of another host, the classic leak."""
    httpserver.expect_request("/api/user").respond_with_data(
        status=302, headers={"Location": httpserver.url_for("/stolen")}
    )
    balancer = balance(upstream=httpserver.url_for(""))
    reply = seen(client(CI, dial=balancer.dial, ca_file=balancer.ca_file).request("GET", "/api/user", timeout=HANG_S))
    assert reply.status == 302
    assert [request.path for request, _ in httpserver.log] == ["/api/user"]
