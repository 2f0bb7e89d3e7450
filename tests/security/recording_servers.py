"""Servers that no secret is for, and a Vault: each remembers everything that it was sent."""

from __future__ import annotations

import http.server
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any

from homelab_hooks.simulators.http_server import HttpServer, ServerThread


@dataclass(frozen=True)
class Reply:
    """What a server answers."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class RecordingServer(ServerThread):
    """A server over http on this machine; use it as a context manager.

    Args:
        tls: who it says that it is.
        answer: what it answers to a path with these headers; not found by default.
    """

    def __init__(
        self, answer: Callable[[str, dict[str, str]], Reply] = lambda *_: Reply(404), *, tls: SSLContext | None = None
    ) -> None:
        heard: list[bytes] = []
        self.heard = heard

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_args: object) -> None:
                """Says nothing."""

            def hear(self) -> None:
                heard.append(f"{self.requestline}\n{self.headers}".encode("utf-8", "surrogateescape"))
                reply = answer(self.path, {name.lower(): value for name, value in self.headers.items()})
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = do_CONNECT = do_HEAD = hear  # noqa: N815 - http.server's names

        server = _Server(Handler)
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        super().__init__(server)


class _Server(HttpServer):
    hang_ups = (OSError,)  # a handshake that the client refuses is one


def to(url: str) -> Callable[[str, dict[str, str]], Reply]:
    """Sends everybody to the same path elsewhere."""
    return lambda path, _: Reply(307, headers={"Location": f"{url}{path}"})


def vault(token: str, secret: str) -> Callable[[str, dict[str, str]], Reply]:
    """A Vault whose KV engine of version 2 keeps one secret, for one token."""

    def answer(path: str, headers: dict[str, str]) -> Reply:
        if headers.get("x-vault-token") != token:
            return _json(403, {"errors": [f"permission denied for {headers.get('x-vault-token')}"]})
        if "internal/ui/mounts" in path:
            return _json(200, {"data": {"path": "secret/", "options": {"version": "2"}}})
        return _json(200, {"data": {"data": {"woodpecker_api_token": secret}, "metadata": {}}})

    return answer


def _json(status: int, body: Any) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
