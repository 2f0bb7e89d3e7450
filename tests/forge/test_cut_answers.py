"""The answer to a merge is cut off after each of its bytes: no part is taken for an answer, or sent for again."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from homelab_hooks.config.address import parse_server_url
from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.forge.connection import Authorization, ForgeConnection
from homelab_hooks.forge.forges import connect_pull_requests
from homelab_hooks.forge.merge_outcome import MergeNext
from homelab_hooks.forge.pull_requests import MergeRequest
from homelab_hooks.net.http import HttpClient
from homelab_hooks.simulators.http_server import HttpServer, ServerThread, SilentHandler
from homelab_hooks.system.clock import SystemClock

SHA = "a" * 40


def response(status: str, body: object = None) -> bytes:
    """A whole response, as Go's and nginx's servers write it."""
    content = b"" if body is None else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


ANSWERS = {
    "Gitea's merge": (ForgeKind.GITEA, response("200 OK"), MergeNext.MERGED),
    "Gitea's refusal": (
        ForgeKind.GITEA, response("405 No", {"message": "User not allowed to merge PR"}), MergeNext.DENIED,
    ),
    "GitHub's merge": (ForgeKind.GITHUB, response("200 OK", {"sha": SHA, "merged": True}), MergeNext.MERGED),
    "an empty 500": (ForgeKind.GITEA, response("500 Internal Server Error"), MergeNext.TARGET_MOVED),
}  # fmt: skip


class CuttingServer:
    """Answers each request with the beginning of one response, and closes the connection."""

    def __init__(self, whole: bytes) -> None:
        self.requests, self.sent_bytes = 0, 0
        self.thread = ServerThread(HttpServer(self._make_handler(whole)))

    def _make_handler(self, whole: bytes) -> type[SilentHandler]:
        server = self

        class Handler(SilentHandler):
            def serve(self) -> None:
                self.read_body()
                server.requests += 1
                self.wfile.write(whole[: server.sent_bytes])
                self.close_connection = True

        return Handler


@pytest.fixture(params=ANSWERS)
def case(request: pytest.FixtureRequest) -> Iterator[tuple[CuttingServer, ForgeKind, bytes, MergeNext]]:
    kind, whole, expected = ANSWERS[request.param]
    server = CuttingServer(whole)
    with server.thread:
        yield server, kind, whole, expected


def test_no_part_of_an_answer_is_taken_for_it(case: tuple[CuttingServer, ForgeKind, bytes, MergeNext]) -> None:
    """Before it, in the status line, in the headers, in the body; and the whole answer at last."""
    server, kind, whole, expected = case
    client = HttpClient(parse_server_url(server.thread.url), clock=SystemClock())
    credential = Authorization.from_token("canary", "HOMELAB_FORGE_TOKEN")
    forge = connect_pull_requests(kind, ForgeConnection(client, "/api", kind.name, credential))
    found = []
    for server.sent_bytes in range(len(whole) + 1):
        request = MergeRequest(1, SHA, MergeStyle.FAST_FORWARD if kind is ForgeKind.GITEA else MergeStyle.MERGE)
        found.append(forge.gate.merge("acme/app", request, within=60.0).next)
    client.close()
    assert found == [MergeNext.SETTLE] * len(whole) + [expected]
    assert server.requests == len(found)
