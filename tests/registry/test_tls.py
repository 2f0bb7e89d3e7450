"""Over real TLS: a private CA, an address in place of DNS, and blobs at another host, which receives no credentials."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from homelab_hooks.app.registry_setup import make_registry_client
from homelab_hooks.app.runtime import Runtime
from homelab_hooks.registry.answer import ImageFacts, RegistryAnswer, RegistrySilence, RunningImage
from homelab_hooks.simulators.balancer import CertificateKind, LoadBalancer
from homelab_hooks.simulators.registry.api import TOKEN_PATH, RegistryLogins
from homelab_hooks.simulators.registry.server import RegistrySimulator
from homelab_hooks.simulators.registry.store import RegistryStore
from tests.registry.registry_world import SHA

pytestmark = pytest.mark.slow  # load balancers

REGISTRY, STORAGE = "registry.example.test", "storage.example.test"
PASSWORD = "canary-password"


class TlsPlace:
    """A registry and the storage of its blobs, each behind a load balancer."""

    def __init__(self, home: Path, environ: dict[str, str]) -> None:
        self.home, self.environ, self.running = home, environ, ExitStack()
        store = RegistryStore(passwords={"alice": PASSWORD})
        app = store.repository("acme/app")
        app.readers = frozenset({"alice"})
        self.digest = app.push_image("latest", revision=SHA)
        self.registry = self.running.enter_context(RegistrySimulator(store, RegistryLogins.TOKEN))
        self.storage = self.running.enter_context(RegistrySimulator(store))
        app.readers = None  # the storage serves everyone who knows the address
        self.registry.api.realm = f"https://{REGISTRY}{TOKEN_PATH}"
        self.registry.api.storage = f"https://{STORAGE}/v2/acme/app/blobs"
        (home / ".docker").mkdir()
        auth = base64.b64encode(f"alice:{PASSWORD}".encode()).decode()
        config = {"auths": {REGISTRY: {"auth": auth}, STORAGE: {"auth": auth}}}
        (home / ".docker" / "config.json").write_text(json.dumps(config), encoding="utf-8")

    def serve(self, certificate: CertificateKind = CertificateKind.RIGHT) -> None:
        """Open the load balancers; that of the registry presents this certificate."""
        path = os.environ["PATH"]
        first = LoadBalancer(self.registry.url, path=path, name=REGISTRY, certificate=certificate)
        second = LoadBalancer(self.storage.url, path=path, name=STORAGE)
        balancers = [self.running.enter_context(one) for one in (first, second)]
        bundle = self.home / "ca.pem"
        bundle.write_bytes(b"".join(one.ca_file.read_bytes() for one in balancers))
        self.environ |= {
            "HOMELAB_CONNECT_TO": f"{REGISTRY}={first.dial} {STORAGE}={second.dial}",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "homelab.caFile",
            "GIT_CONFIG_VALUE_0": str(bundle),
            "HOME": str(self.home),
        }

    def describe(self) -> RegistryAnswer:
        runtime = Runtime(self.environ, self.home)
        with closing(make_registry_client(runtime, runtime.config({}))) as client:
            image = RunningImage(reference=f"{REGISTRY}/acme/app:latest", digest=self.digest)
            return client.describe_image(image, SHA)


@pytest.fixture
def place(tmp_path: Path, seal: dict[str, str]) -> Iterator[TlsPlace]:
    """A place whose servers are stopped at the end."""
    made = TlsPlace(tmp_path, seal)
    with made.running:
        yield made


def test_the_storage_of_a_private_registry_receives_no_credentials(place: TlsPlace) -> None:
    place.serve()
    assert place.describe() == ImageFacts(revisions=(SHA,))
    assert [request.path.startswith("/v2/acme/app/blobs/") for request in place.storage.requests] == [True]
    assert "authorization" not in place.storage.requests[0].headers
    assert any("authorization" in request.headers for request in place.registry.requests)


def test_a_certificate_that_does_not_verify_is_final_and_nothing_is_sent(place: TlsPlace) -> None:
    place.serve(CertificateKind.UNKNOWN_CA)
    found = place.describe()
    assert isinstance(found, RegistrySilence)
    assert (found.passing, "certificate verification failed" in found.reason) == (False, True)
    assert "homelab.caFile" in found.hint
    assert place.registry.requests == []
