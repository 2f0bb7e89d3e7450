"""A proxy to Woodpecker without the event stream, as some load balancers are."""

from __future__ import annotations

import http.server
from http import HTTPStatus

import httpx

from homelab_hooks.simulators.http_server import HttpServer, ServerThread
from tests.waiting import HANG_S

_PASSED_ON = ("Authorization", "User-Agent", "Accept")
_PASSED_BACK = ("Content-Type", "X-Woodpecker-Version")


class NoEventStreamProxy(ServerThread):
    """Passes on every GET but the stream's; use it as a context manager."""

    def __init__(self, server: str) -> None:
        self._client = httpx.Client(base_url=server, timeout=HANG_S)
        super().__init__(_ProxyHttp(self._client))

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._client.close()


class _ProxyHttp(HttpServer):
    hang_ups = (ConnectionError, httpx.TransportError)  # the server behind it may go too

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        super().__init__(_ProxyHandler)


class _ProxyHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path.startswith("/api/stream"):
            self._answer(HTTPStatus.BAD_GATEWAY, {"Content-Type": "text/html"}, b"<html>Bad Gateway</html>")
            return
        assert isinstance(self.server, _ProxyHttp)
        given = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
        reply = self.server.client.get(self.path, headers=given)
        back = {name: reply.headers[name] for name in _PASSED_BACK if name in reply.headers}
        self._answer(reply.status_code, back, reply.content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
