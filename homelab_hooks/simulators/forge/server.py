"""The simulated forge over a real socket; its push events reach a simulated Woodpecker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple, Self

from homelab_hooks.simulators.faults import FaultPlan
from homelab_hooks.simulators.forge import gitea_api, github_api
from homelab_hooks.simulators.forge.faults import answer_with_faults
from homelab_hooks.simulators.forge.gitea_api import find_caller
from homelab_hooks.simulators.forge.message import ForgeAnswer, ForgeRequest
from homelab_hooks.simulators.forge.store import ForgeStore, HookDelivery
from homelab_hooks.simulators.http_server import HttpServer, ServerThread, SilentHandler
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator

Deliver = Callable[[HookDelivery], None]


def answer(forge: ForgeStore, request: ForgeRequest, base_url: str) -> ForgeAnswer:
    """Return the response of this kind of forge to a request."""
    reply = github_api.answer if forge.is_github else gitea_api.answer
    return reply(forge, request, base_url)


class ForgeRequestRecord(NamedTuple):
    """A recorded request, with the login of its credentials; `has_credentials` is about the header itself."""

    method: str
    path: str
    login: str
    has_credentials: bool


class ForgeSimulator:
    """The server; a context manager.

    Args:
        store: its users and repositories.
        deliver: called with each push event that a webhook sends.
        faults: which requests are answered wrongly.
    """

    def __init__(
        self, store: ForgeStore, deliver: Deliver = lambda _: None, *, faults: FaultPlan | None = None
    ) -> None:
        self.store = store
        self.requests: list[ForgeRequestRecord] = []
        self._deliver = deliver
        self._faults = faults or FaultPlan()
        self._lock = threading.Lock()
        self._thread = ServerThread(HttpServer(_make_handler(self)))

    def __enter__(self) -> Self:
        self._thread.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._thread.__exit__(*error)

    @property
    def url(self) -> str:
        """Return its address, without a trailing slash."""
        return self._thread.url

    def handle(self, request: ForgeRequest) -> ForgeAnswer:
        """Answer a request, and deliver the events that it causes."""
        with self._lock:
            authorization = request.headers.get("authorization", "")
            caller = find_caller(self.store, authorization)
            login = caller.login if caller else ""
            self.requests.append(ForgeRequestRecord(request.method, request.path, login, bool(authorization)))
            before = len(self.store.sent)
            found = answer_with_faults(
                self._faults, request, self.store.now(), lambda: answer(self.store, request, self.url)
            )
            new = self.store.sent[before:]
        for delivery in new:
            self._deliver(delivery)
        return found


def deliver_to_woodpecker(woodpecker: WoodpeckerSimulator, timeline: PipelineTimeline) -> Deliver:
    """Return what makes a Woodpecker create the pipeline of each push event, with this timeline.

    It takes the branch from the ref, and the author from the sender (recording 05b-redelivery-to-woodpecker).
    """

    def deliver(delivery: HookDelivery) -> None:
        branch = delivery.ref.removeprefix("refs/heads/")
        woodpecker.push(delivery.repo, branch, delivery.after, timeline, ref=delivery.ref, author=delivery.sender)

    return deliver


def _make_handler(forge: ForgeSimulator) -> type[SilentHandler]:
    class Handler(SilentHandler):
        def serve(self) -> None:
            """Answer the request, and record it."""
            headers, body = self.read_lower_headers(), self.read_body()
            found = forge.handle(ForgeRequest(self.command, self.path, headers, body))
            whole, self.wfile = self.wfile, BytesIO()
            self._write(found)
            sent, self.wfile = self.wfile.getvalue(), whole
            self.wfile.write(sent[: found.sent_bytes])
            self.close_connection |= found.sent_bytes is not None

        def _write(self, found: ForgeAnswer) -> None:
            self.send_response(found.status)
            if found.body:
                self.send_header("Content-Type", found.content_type)
            for name, value in found.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

    return Handler
