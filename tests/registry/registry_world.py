"""Registries without sockets: each origin answers from a simulated registry, and every request is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homelab_hooks.config.address import Dial, ServerUrl
from homelab_hooks.net.message import FailureCause, HttpRequest, HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.registry.answer import RegistryAnswer, RunningImage
from homelab_hooks.registry.client import RegistryClient
from homelab_hooks.registry.docker_config import LoginProblem, RegistryLogin
from homelab_hooks.registry.exchange import RegistryHosts
from homelab_hooks.registry.reference import ImageReference
from homelab_hooks.simulators.registry.api import PulledRequest, RegistryApi, RegistryLogins
from homelab_hooks.simulators.registry.store import RegistryStore
from homelab_hooks.simulators.woodpecker.replay import load_recording
from tests.support.clock import FakeClock

RECORDINGS = Path(__file__).parent.parent / "recordings" / "registry"
HOST = "registry.example.test"
ORIGIN = f"https://{HOST}"
IMAGE = f"{HOST}/acme/app:latest"
SHA = "8f2c1d3e4b5a69788796a5b4c3d2e1f001122334"
OTHER_SHA = "1b2c3d4e5f60718293a4b5c6d7e8f90011223344"
PUBLIC = "140.82.121.6"
ALICE = RegistryLogin("alice", "~/.docker/config.json", "canary-password")
Answer = Callable[[HttpRequest], HttpResponse | RequestFailed]
NO_TLS = RequestFailed(FailureKind.FOREIGN, "the server does not use TLS on this port", cause=FailureCause.NO_TLS)


def reply(status: int, body: bytes = b"", **headers: str) -> HttpResponse:
    """A response; header names with underscores."""
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, 0.1)


def serve(api: RegistryApi) -> Answer:
    """Answer as a simulated registry does."""

    def answer(request: HttpRequest) -> HttpResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        found = api.answer(PulledRequest(request.method, request.path, headers, request.body))
        body = b"" if request.method == "HEAD" else found.body
        return HttpResponse(found.status, {name.lower(): value for name, value in found.headers}, body, 0.1)

    return answer


@dataclass
class Logins:
    """The user's credentials: the same for every registry."""

    login: RegistryLogin | LoginProblem | None = None
    asked: list[str] = field(default_factory=list)

    def find_login(self, image: ImageReference) -> RegistryLogin | LoginProblem | None:
        self.asked.append(image.credential_key)
        return self.login


@dataclass
class RegistryWorld:
    """Servers by origin, and addresses by host; `lines` are the requests with their origin."""

    store: RegistryStore = field(default_factory=RegistryStore)
    logins: Logins = field(default_factory=Logins)
    clock: FakeClock = field(default_factory=FakeClock)
    servers: dict[str, Answer] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, HttpRequest]] = field(default_factory=list)
    connected: list[tuple[str, Dial | None]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def open_registry(self, logins: RegistryLogins = RegistryLogins.NONE, **options: Any) -> RegistryApi:
        """Begin to answer at ORIGIN."""
        api = RegistryApi(self.store, logins, f"{ORIGIN}/v2/token", **options)
        self.servers[ORIGIN] = serve(api)
        return api

    def client(self, *, allows_http: bool = False) -> RegistryClient:
        def connect(server: ServerUrl, dial: Dial | None) -> OneServer:
            self.connected.append((server.origin, dial))
            return OneServer(self, server.origin)

        def resolve(server: ServerUrl, within: float) -> tuple[str, ...]:
            del within
            return (self.addresses.get(server.host, PUBLIC),)

        hosts = RegistryHosts(connect, resolve, self.clock.now, redact=self.secrets.append)
        return RegistryClient(hosts, self.logins, allows_http=allows_http)

    def describe(self, digest: str, sha: str = SHA, image: str = IMAGE) -> RegistryAnswer:
        """Ask a new client one question."""
        return self.client().describe_image(RunningImage(reference=image, digest=digest), sha)

    @property
    def lines(self) -> list[str]:
        return [f"{request.method} {origin}{request.path}" for origin, request in self.requests]

    def authorizations(self, origin: str) -> list[str]:
        """The Authorization headers that an origin received; empty for a request without one."""
        return [request.headers.get("Authorization", "") for one, request in self.requests if one == origin]


@dataclass
class OneServer:
    """The transport to one origin."""

    world: RegistryWorld
    origin: str

    def send(self, request: HttpRequest, *, timeout: float, max_bytes: int) -> HttpResponse | RequestFailed:
        assert 0 < timeout <= 10 < max_bytes
        self.world.requests.append((self.origin, request))
        found = self.world.servers.get(self.origin)
        return found(request) if found else RequestFailed(FailureKind.CONNECTION, "Connection refused")

    def close(self) -> None:
        self.world.closed.append(self.origin)


def fill_from_recording(store: RegistryStore, recording: Mapping[str, Any]) -> None:
    """Keep what was pulled in a recording: manifests with their tags, and blobs."""
    for exchange in recording["exchanges"]:
        request, response = exchange["request"], exchange["response"]
        parts = request["path"].removeprefix("/v2/").rsplit("/", 2)
        if request["method"] != "GET" or response["status"] != 200 or len(parts) != 3:
            continue
        name, kind, reference = parts
        if kind == "manifests":
            tags = () if reference.startswith("sha256:") else (reference,)
            body, media_type = response["body"].encode(), response["headers"]["content-type"]
            store.repository(name).put_manifest(body, media_type, tags)
        elif kind == "blobs":
            store.repository(name).put_blob(response["body"].encode())


def recorded(name: str) -> dict[str, Any]:
    """A recording of a real registry."""
    return load_recording(RECORDINGS / f"{name}.json.gz")
