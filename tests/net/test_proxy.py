"""Which servers are reached without the proxy of the environment: as curl, git and kubectl decide it."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from homelab_hooks.config.address import parse_server_url
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.http import HttpClient, find_proxy
from homelab_hooks.net.probe import probe_server
from homelab_hooks.net.probe_result import ViaProxy
from homelab_hooks.net.proxy import is_bypassed
from homelab_hooks.system.clock import SystemClock

PROXY = "http://proxy.example.test:3128"

BYPASSED = [
    ("https://10.1.2.3", "10.0.0.0/8"),
    ("https://10.1.2.3", "10.9.9.9/8"),
    ("https://10.1.2.3", "192.168.0.0/16, 10.0.0.0/8"),
    ("https://10.1.2.3", "10.1.2.3"),
    ("https://10.1.2.3", "10.1.2.3/32"),
    ("https://10.1.2.3:8443", "10.1.2.3:8443"),
    ("https://[fd00::1]", "fd00::/8"),
    ("https://[fd00::1]", "fd00::1"),
    ("https://[fd00::1]", "FD00:0:0::1"),
    ("https://[fd00::1]", "[fd00::1]"),
    ("https://[fd00::1]:8443", "[fd00::1]:8443"),
    ("https://[::ffff:10.1.2.3]", "10.0.0.0/8"),
    ("https://ci.example.test", "ci.example.test"),
    ("https://ci.example.test", "ci.example.test:443"),
    ("https://ci.example.test", "CI.Example.TEST"),
    ("https://ci.example.test", "example.test"),
    ("https://ci.example.test", ".example.test"),
    ("https://ci.example.test", "*.example.test"),
    ("https://ci.example.test", ".example.test:443"),
    ("https://ci.example.test", "example.test."),
    ("https://ci.example.test", "a.test b.test example.test"),
    ("https://ci.example.test", "a.test,, example.test ,"),
    ("https://ci.example.test", "*"),
    ("https://ci.example.test", "localhost,*"),
    ("https://example.test", ".example.test"),
    ("https://m\xfcnchen.test", "m\xfcnchen.test"),
    ("http://ci.example.test", "ci.example.test:80"),
]
PROXIED = [
    ("https://10.1.2.3", "11.0.0.0/8"),
    ("https://10.1.2.3", "10.1.2.4"),
    ("https://10.1.2.3", "10.1.2.3:8443"),
    ("https://10.1.2.3", "1.2.3"),
    ("https://10.1.2.3", ".2.3"),
    ("https://10.1.2.3", "fd00::/8"),
    ("https://10.1.2.3", "10.0.0.0/33"),
    ("https://[fd00::1]", "fe80::/10"),
    ("https://[fd00::1]", "[fd00::1]:8443"),
    ("https://ci.example.test", "10.0.0.0/8"),
    ("https://ci.example.test", "0.0.0.0/0"),
    ("https://ci.example.test", "ci.example.test:8443"),
    ("https://ci.example.test:8443", "ci.example.test:443"),
    ("https://ci.example.test", "notexample.test"),
    ("https://notexample.test", "example.test"),
    ("https://example.test", "ci.example.test"),
    ("https://ci.example.test", "example"),
    ("https://ci.example.test", ""),
    ("https://ci.example.test", " , ,"),
    ("https://ci.example.test", "."),
    ("https://ci.example.test", "https://ci.example.test"),
]


@pytest.fixture(params=["NO_PROXY", "no_proxy"])
def no_proxy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(("server", "value"), BYPASSED)
def test_what_no_proxy_names_is_reached_directly(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, server: str, value: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    monkeypatch.setenv(no_proxy, value)
    assert find_proxy(parse_server_url(server)) is None


@pytest.mark.parametrize(("server", "value"), PROXIED)
def test_what_no_proxy_does_not_name_is_reached_through_the_proxy(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, server: str, value: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    monkeypatch.setenv(no_proxy, value)
    assert find_proxy(parse_server_url(server)) == PROXY


def test_the_lower_case_name_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", "ci.example.test")
    monkeypatch.setenv("no_proxy", "other.example.test")
    assert find_proxy(parse_server_url("https://ci.example.test")) == PROXY
    assert find_proxy(parse_server_url("https://other.example.test")) is None


@pytest.mark.parametrize(
    ("variable", "server"),
    [
        ("HTTPS_PROXY", "https://ci.example.test"),
        ("https_proxy", "https://ci.example.test"),
        ("http_proxy", "http://ci.example.test"),
        ("all_proxy", "https://ci.example.test"),
    ],
)
@pytest.mark.parametrize("value", [PROXY, PROXY.removeprefix("http://")])
def test_a_proxy_may_be_named_without_a_scheme(
    monkeypatch: pytest.MonkeyPatch, variable: str, server: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert find_proxy(parse_server_url(server)) == PROXY


@pytest.mark.parametrize("server", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_this_machine_has_no_proxy(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    assert find_proxy(parse_server_url(server)) is None


@given(st.text(alphabet="*.:/[]%,0123456789abcf \xfc\x00-", max_size=40))
def test_whatever_the_value_is_it_is_read(value: str) -> None:
    for host in ("ci.example.test", "10.1.2.3", "fd00::1"):
        assert is_bypassed(host, 443, value) in {True, False}


@pytest.mark.parametrize(
    "value", ["http://corp:S3cret#pw@proxy.test:3128", "http://corp:S3c/ret@proxy.test", "::::", "http://[::1"]
)
def test_a_proxy_that_cannot_be_read_is_a_usage_error_without_its_password(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, value)
    with pytest.raises(CommandError) as caught:
        HttpClient(parse_server_url("https://ci.example.test"), clock=SystemClock())
    assert caught.value.exit is ExitCode.USAGE
    assert "S3c" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("proxy", ["http://ann:pw1@proxy.example.test:3128", "ann:pw1@proxy.example.test:3128"])
def test_a_proxy_is_named_without_its_user_part(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    server = parse_server_url("https://ci.example.test")
    assert probe_server(server, clock=SystemClock()) == ViaProxy("proxy.example.test:3128")
