"""The whole client over sockets: docker's configuration, a token service, redirects, and what the servers received."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from homelab_hooks.app.registry_setup import make_registry_client
from homelab_hooks.app.runtime import TOKEN_VARIABLES, Runtime
from homelab_hooks.registry.answer import ImageFacts, RegistryAnswer, RegistrySilence, RunningImage
from homelab_hooks.simulators.faults import BAD_GATEWAY, FaultPlan, FaultRule, Redirect
from homelab_hooks.simulators.registry.api import TOKEN_PATH, RegistryLogins
from homelab_hooks.simulators.registry.server import RegistrySimulator
from homelab_hooks.simulators.registry.store import RegistryStore
from tests.net.conftest import PROXIES, Tunnel
from tests.registry.registry_world import SHA

PASSWORD = "canary-password"
SECRETS = (PASSWORD, base64.b64encode(f"alice:{PASSWORD}".encode()).decode(), "s3cret")


class Place:
    """A registry with one image that only alice may pull, and her home directory."""

    def __init__(self, home: Path, environ: dict[str, str]) -> None:
        self.home, self.environ, self.running = home, environ, ExitStack()
        self.redacted = ""
        self.store = RegistryStore(passwords={"alice": PASSWORD})
        app = self.store.repository("acme/app")
        app.readers = frozenset({"alice"})
        self.digest = app.push_image("latest", revision=SHA)

    def open(self, logins: RegistryLogins = RegistryLogins.TOKEN, *rules: FaultRule) -> RegistrySimulator:
        return self.running.enter_context(RegistrySimulator(self.store, logins, faults=FaultPlan(rules)))

    def log_in(self, registry: RegistrySimulator) -> None:
        """Write docker's configuration, as `docker login` does."""
        (self.home / ".docker").mkdir(parents=True, exist_ok=True)
        config = {"auths": {registry.host: {"auth": SECRETS[1]}}}
        (self.home / ".docker" / "config.json").write_text(json.dumps(config), encoding="utf-8")

    def describe(self, registry: RegistrySimulator) -> RegistryAnswer:
        runtime = Runtime({**self.environ, "HOME": str(self.home)}, self.home)
        client = make_registry_client(runtime, runtime.config({}))
        image = RunningImage(reference=f"{registry.host}/acme/app:latest", digest=self.digest)
        with closing(client):
            found = client.describe_image(image, SHA)
        assert [secret for secret in SECRETS if secret in repr(found)] == []
        self.redacted = runtime.redact(" ".join(SECRETS[:2]))
        return found


@pytest.fixture
def place(tmp_path: Path, seal: dict[str, str]) -> Iterator[Place]:
    """A place whose servers are stopped at the end."""
    made = Place(tmp_path, seal)
    with made.running:
        yield made


@pytest.mark.parametrize("logins", [RegistryLogins.TOKEN, RegistryLogins.BASIC])
def test_the_credentials_of_docker_pull_a_private_image(place: Place, logins: RegistryLogins) -> None:
    registry = place.open(logins)
    place.log_in(registry)
    assert place.describe(registry) == ImageFacts(revisions=(SHA,))
    assert place.redacted == "*** ***"


def test_a_token_service_at_another_address_receives_the_credentials_of_the_registry_only(place: Place) -> None:
    registry, service, other = place.open(), place.open(), place.open()
    registry.api.realm = service.url + TOKEN_PATH
    place.log_in(registry)
    assert place.describe(registry) == ImageFacts(revisions=(SHA,))
    assert [one for one in registry.requests if PASSWORD in repr(one) or SECRETS[1] in repr(one)] == []
    assert len(service.requests) == 1
    place.log_in(other)  # the credentials of another registry are not sent
    assert isinstance(place.describe(registry), RegistrySilence)
    assert "authorization" not in service.requests[-1].headers
    assert other.requests == []


@pytest.mark.parametrize("path", ["/manifests/sha256", "/blobs/"])
def test_a_redirect_to_another_server_without_tls_is_not_followed(place: Place, path: str) -> None:
    evil = place.open()
    registry = place.open(RegistryLogins.TOKEN, FaultRule(fault=Redirect(f"{evil.url}/x", 307), path=path))
    place.log_in(registry)
    found = place.describe(registry)
    assert isinstance(found, RegistrySilence)
    assert "does not use https" in found.reason
    assert evil.requests == []


def test_a_redirect_within_the_registry_carries_no_credentials(place: Place) -> None:
    registry = place.open()
    place.log_in(registry)
    registry.api.storage = f"{registry.url}/storage"
    found = place.describe(registry)
    assert isinstance(found, RegistrySilence)  # the simulated storage has nothing
    stored = [request for request in registry.requests if request.path.startswith("/storage/")]
    assert ["authorization" in request.headers for request in stored] == [False]


@pytest.mark.parametrize("dial", [False, True], ids=["proxy", "dial"])
def test_a_redirect_to_another_host_goes_through_the_proxy_unless_its_address_is_set(
    *, place: Place, monkeypatch: pytest.MonkeyPatch, dial: bool
) -> None:
    """Only the proxy has to find the host."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with closing(Tunnel()) as tunnel, closing(Tunnel()) as direct:
        monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
        if dial:
            place.environ["HOMELAB_CONNECT_TO"] = f"storage.example.test=127.0.0.1:{direct.port}"
        registry = place.open()
        place.log_in(registry)
        registry.api.storage = "https://storage.example.test/blobs"
        found = place.describe(registry)
        assert isinstance(found, RegistrySilence)  # the proxy refuses, and nothing answers TLS at the address
        assert tunnel.asked == ([] if dial else ["CONNECT storage.example.test:443 HTTP/1.1"])


def test_a_registry_behind_a_load_balancer_that_is_down_is_passing(place: Place) -> None:
    registry = place.open(RegistryLogins.NONE, FaultRule(fault=BAD_GATEWAY))
    found = place.describe(registry)
    assert isinstance(found, RegistrySilence)
    assert (found.passing, found.retry_after_s) == (True, 5.0)
    assert found.reason.startswith(f"the registry {registry.host} returned 502 with a web page")


def test_a_credential_helper_gets_none_of_our_tokens(place: Place) -> None:
    registry = place.open()
    program = place.home / "bin" / "docker-credential-fake"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nenv >"$HOME/env"\necho credentials not found\nexit 1\n', encoding="utf-8")
    program.chmod(0o755)
    place.environ.update(dict.fromkeys(TOKEN_VARIABLES, "canary-token"))
    place.environ["PATH"] = f"{program.parent}:{place.environ['PATH']}"
    (place.home / ".docker").mkdir()
    (place.home / ".docker" / "config.json").write_text('{"credsStore": "fake"}', encoding="utf-8")
    found = place.describe(registry)
    assert isinstance(found, RegistrySilence)
    assert "without credentials" in found.reason
    environ = (place.home / "env").read_text(encoding="utf-8")
    assert f"HOME={place.home}" in environ
    assert "canary-token" not in environ
