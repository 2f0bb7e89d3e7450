"""A forge that answers as a recorded one did, by the time of a fake clock, and a watch of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from homelab_hooks.ci.actions.client import ActionsClient
from homelab_hooks.ci.actions.connect import make_actions_provider
from homelab_hooks.ci.actions.log_download import LogHosts
from homelab_hooks.ci.actions.traits import make_actions_traits
from homelab_hooks.ci.provider import Provider
from homelab_hooks.config.address import ServerUrl
from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.events import Event
from homelab_hooks.forge.connection import Authorization, ForgeConnection
from homelab_hooks.git.containment import Containment
from homelab_hooks.net.message import HttpRequest, HttpResponse, RequestFailed
from homelab_hooks.simulators.woodpecker.replay import load_recording
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.no_pipeline import CommitFacts
from homelab_hooks.watch.poller import WatchDependencies, WatchRequest
from homelab_hooks.watch.run import run_watch
from homelab_hooks.watch.state import WatchScope, WatchTimeouts
from tests.watch.run_without_sockets import StreamClock

RECORDINGS = Path(__file__).parent.parent / "recordings" / "forge"
FORGE = ServerUrl("https", "git.example.test", 443)
REPO = "acme/app"


class RecordedForge:
    """Answers each GET with the last recorded answer for the same path; the time is that of the recording."""

    def __init__(self, name: str, clock: StreamClock, *, start: float = 0.0) -> None:
        self.clock, self.start = clock, start
        self.requests: list[HttpRequest] = []
        self._answers: dict[str, list[tuple[float, Any]]] = {}
        for exchange in load_recording(RECORDINGS / f"{name}.json.gz")["exchanges"]:
            request = exchange.get("request")
            if request and request["method"] == "GET" and "response" in exchange:
                self._answers.setdefault(_key(request["path"]), []).append((exchange["t"], exchange["response"]))

    def first_read(self, sha: str) -> float:
        """When the runs of a commit were first listed."""
        return min(t for key, found in self._answers.items() if f"head_sha={sha}" in key for t, _ in found)

    @property
    def shas(self) -> list[str]:
        """The commits whose runs were listed."""
        return [found[1] for key in self._answers if (found := re.search(r"head_sha=([0-9a-f]{40})", key))]

    def send(self, request: HttpRequest, *, timeout: float, max_bytes: int) -> HttpResponse | RequestFailed:
        del timeout, max_bytes
        self.requests.append(request)
        recorded = self._answers.get(_key(request.path), [])
        now = self.start + self.clock.now()
        past = [answer for t, answer in recorded if t <= now] or [answer for _, answer in recorded[:1]]
        if not past:
            return HttpResponse(404, {"content-type": "application/json"}, b'{"message": "not found"}', 0.1)
        body = past[-1]["body"]
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        return HttpResponse(past[-1]["status"], past[-1]["headers"], content, 0.1)


def _key(path: str) -> str:
    """The path without paging and the repository's name."""
    parts = urlsplit(path)
    sha = parse_qs(parts.query).get("head_sha", [""])[0]
    return re.sub(r"/repos/[^/]+/[^/]+", "", parts.path) + (f"?head_sha={sha}" if sha else "")


def no_hosts() -> LogHosts:
    def refuse(*_: object) -> Any:
        raise OSError("no host is reached")

    return LogHosts(FORGE, refuse, refuse)


def connect(transport: Any) -> ForgeConnection:
    return ForgeConnection(transport, "/api/v1", "Gitea", Authorization.from_token("canary", "GITEA_TOKEN"))


def make_actions(
    transport: Any,
    sha: str,
    kind: ForgeKind = ForgeKind.GITEA,
    hosts: LogHosts | None = None,
    *,
    is_anonymous: bool = False,
) -> Provider:
    client = ActionsClient(connect(transport), hosts or no_hosts(), sha)
    return make_actions_provider(client, make_actions_traits(kind, is_anonymous=is_anonymous))


def contains(*, newer: str, ours: str) -> Containment:
    del newer, ours
    return Containment.UNKNOWN


def watch(
    ci: Provider, sha: str, clock: StreamClock, *, scope: WatchScope | None = None, timeout: float = 600
) -> tuple[Verdict, list[Event]]:
    """Watch the pushes to main, and return the verdict with the events."""
    events: list[Event] = []
    request = WatchRequest(
        scope=scope or WatchScope(sha=sha, events=frozenset({"push"}), branch="main"),
        repo_names=(REPO,),
        timeouts=WatchTimeouts(overall=timeout, appear=60),
    )
    reads = WatchDependencies(ci=ci, contains=contains, commit_facts=CommitFacts)
    return run_watch(request, reads, clock=clock, emit=events.append), events
