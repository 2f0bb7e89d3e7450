"""The redirect of a log download: once, over https, without the token, and never into the user's own network."""

from __future__ import annotations

import ipaddress

import pytest

from homelab_hooks.ci.actions.client import ActionsClient
from homelab_hooks.ci.actions.log_download import LogHosts
from homelab_hooks.ci.model import LogLine, Repo, RunRef, Status, Step
from homelab_hooks.config.address import ServerUrl, parse_server_url
from homelab_hooks.net.download_redirect import (
    DownloadPlace,
    RedirectRefused,
    choose_download_address,
    is_public_address,
    parse_download_redirect,
)
from homelab_hooks.polling.outcome import Denied, Found, Poll
from tests.ci.recorded_forge import connect
from tests.forge.fake_transport import FakeTransport, reply

FORGE = parse_server_url("https://api.github.com")
PUBLIC, PRIVATE = "140.82.121.6", "10.0.0.8"
LOGS = "GET /api/v1/repos/acme/app/actions/jobs/7/logs"


class Download:
    """A download that is redirected; `addresses` by host."""

    def __init__(
        self, location: str, addresses: dict[str, str], answer: int = 200, *, is_proxied: bool = False
    ) -> None:
        self._is_proxied = is_proxied
        self.forge = FakeTransport({LOGS: reply(302, location=location)})
        self.other = FakeTransport(
            {"GET /log?sig=s3cret": reply(answer, "boom", location="https://third.example.test/")}
        )
        self.connected: list[tuple[str, str]] = []
        self._addresses = addresses

    def read(self) -> Poll[tuple[LogLine, ...]]:
        def resolve(server: ServerUrl, within: float) -> tuple[str, ...]:
            del within
            return (self._addresses[server.host],)

        def open_host(server: ServerUrl, address: str) -> FakeTransport:
            self.connected.append((server.origin, address))
            return self.other

        hosts = LogHosts(FORGE, resolve, open_host, lambda _: self._is_proxied)
        client = ActionsClient(connect(self.forge), hosts, "a1" * 20)
        step = Step((7, 0), 1, "test", Status.FAILURE)
        return client.log(Repo("acme/app", "acme/app"), RunRef(1, "#1"), step, within=5)


def test_the_token_is_sent_to_the_forge_only() -> None:
    download = Download(
        "https://logs.example.test/log?sig=s3cret", {"logs.example.test": PUBLIC, "api.github.com": PUBLIC}
    )
    found = download.read()
    assert isinstance(found, Found)
    assert [line.text for line in found.value] == ['"boom"']
    assert download.connected == [("https://logs.example.test", PUBLIC)]
    assert "canary" in str(download.forge.requests[0].headers)
    assert "canary" not in repr(download.other.requests)
    assert "Authorization" not in download.other.requests[0].headers


@pytest.mark.parametrize("address", ["127.0.0.1", PRIVATE, "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1"])
def test_a_redirect_into_a_private_network_is_refused(address: str) -> None:
    hosts = {"logs.example.test": address, "api.github.com": PUBLIC}
    download = Download("https://logs.example.test/log?sig=s3cret", hosts)
    assert isinstance(download.read(), Denied)
    assert download.connected == []


def test_behind_a_proxy_no_address_is_looked_up_or_pinned() -> None:
    """The proxy may be the only one that finds the host."""
    download = Download("https://logs.example.test/log?sig=s3cret", {}, is_proxied=True)
    assert isinstance(download.read(), Found)
    assert download.connected == [("https://logs.example.test", "")]


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "10.0.0.8", "[fd00::1]", "[::ffff:10.0.0.1]", "0x7f.1", "167772168"]
)
def test_a_proxy_is_not_asked_for_a_private_address(host: str) -> None:
    download = Download(f"https://{host}/log?sig=s3cret", {}, is_proxied=True)
    assert isinstance(download.read(), Denied)
    assert download.connected == []


def test_a_private_forge_may_keep_its_logs_in_the_same_network() -> None:
    assert choose_download_address([PRIVATE], ["192.168.0.2"], "the log") == PRIVATE
    assert isinstance(choose_download_address([PUBLIC, PRIVATE], [PUBLIC], "the log"), RedirectRefused)
    assert isinstance(choose_download_address([], ["192.168.0.2"], "the log"), RedirectRefused)


def test_a_second_redirect_is_not_followed() -> None:
    hosts = {"logs.example.test": PUBLIC, "api.github.com": PUBLIC}
    download = Download("https://logs.example.test/log?sig=s3cret", hosts, answer=302)
    assert isinstance(download.read(), Denied)
    assert len(download.connected) == 1


@pytest.mark.parametrize(
    "location",
    [
        "http://logs.example.test/1",
        "ftp://logs.example.test/1",
        "https://user:pass@logs.example.test/1",
        "https://logs.example.test:99999/1",
        "https://logs.example.test/a b",
        "file:///etc/passwd",
    ],
)
def test_no_other_scheme_and_no_credential_is_followed(location: str) -> None:
    assert isinstance(parse_download_redirect(location, FORGE, "the log"), RedirectRefused)


def test_a_redirect_within_the_forge_keeps_its_origin() -> None:
    forge = parse_server_url("http://127.0.0.1:3000")
    assert parse_download_redirect("/log?x=1", forge, "the log") == DownloadPlace(
        ServerUrl("http", "127.0.0.1", 3000), "/log?x=1"
    )
    assert isinstance(parse_download_redirect("http://127.0.0.1:3001/log", forge, "the log"), RedirectRefused)


def test_what_is_no_address_is_not_public() -> None:
    assert [is_public_address(text) for text in ("", "logs", "224.0.0.1", "100.64.0.1")] == [False] * 4


@pytest.mark.parametrize("carried", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "0.0.0.0"])  # noqa: S104 - none is bound
@pytest.mark.parametrize("form", ["::{}", "::ffff:{}", "::ffff:0:{}", "64:ff9b::{}", "64:ff9b:1::{}", "2002:{6to4}::1"])
def test_an_ipv6_form_of_a_private_address_is_private(form: str, carried: str) -> None:
    """Translators and tunnels lead it to the IPv4 address."""
    packed = ipaddress.IPv4Address(carried).packed
    address = form.replace("{6to4}", f"{packed[:2].hex()}:{packed[2:].hex()}").format(carried)
    assert not is_public_address(str(ipaddress.IPv6Address(address)))


def test_a_public_address_behind_nat64_is_public() -> None:
    """DNS64 answers with it for every name that has no IPv6 address."""
    assert is_public_address(f"64:ff9b::{PUBLIC}")
    assert is_public_address("2606:50c0:8000::153")
    assert not is_public_address("fec0::1")
