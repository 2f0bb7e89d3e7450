"""The Woodpecker stand-in's sockets: one thread a connection, HTTP/1.1 with keep-alive."""

from __future__ import annotations

import contextlib
import struct
import sys
import threading
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Protocol

from homelab_hooks.demo.faults import Rule
from homelab_hooks.demo.http_server import ToleratesHangUps
from homelab_hooks.demo.woodpecker_book import Book
from homelab_hooks.demo.woodpecker_http import Answer, Asked, user_of
from homelab_hooks.demo.woodpecker_stream import PING, QUIET, events, next_event
from homelab_hooks.demo.woodpecker_wire import End, Pause, Piece, Reply, chunk, pieces

ENDS_WITHIN = 0.005
"""seconds from `stop` to the end of listening: a thousand tests wait for it"""
TICK = 0.05
"""seconds after which a stream looks at its clock at the latest: a test may have moved it"""
# SOL_SOCKET and SO_LINGER; the socket module itself is another door's
_LINGER = (0xFFFF, 0x80) if sys.platform == "darwin" else (1, 13)
_BOTH_WAYS = 2


class Site(Protocol):
    """The server behind the sockets."""

    book: Book
    speed: float
    lag: float
    changed: threading.Condition

    @property
    def t(self) -> float:
        """The server's second now."""

    @property
    def wall(self) -> float:
        """Unix seconds as the server has them."""

    def pause(self, seconds: float, closing: threading.Event) -> None:
        """An answer takes this long, unless the server is stopped."""

    def meet(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Answer | None, Rule | None]:
        """A request's answer (None: the event stream), and the rule it meets."""


class Listener(ToleratesHangUps, ThreadingTCPServer):
    """Accepts connections until it is stopped, and then ends those there are."""

    hang_ups = (OSError,)  # a connection that is reset here is closed under its own thread

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, site: Site, port: int) -> None:
        self.site = site
        self.closing = threading.Event()
        self.streams_end = threading.Event()
        self._open: set[Any] = set()
        super().__init__(("127.0.0.1", port), _Connection)
        self._thread = threading.Thread(target=self.serve_forever, args=(ENDS_WITHIN,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def drop_streams(self) -> None:
        """End the streams that are open now."""
        self.streams_end.set()
        self.streams_end = threading.Event()

    def stop(self) -> None:
        """Stop listening, end all connections."""
        self.closing.set()
        self.drop_streams()
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(_BOTH_WAYS)
        self._thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection while it is open."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget it again."""
        self._open.discard(request)
        super().shutdown_request(request)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def log_message(self, *_: object) -> None:
        """Silent: the site remembers the requests."""

    def _serve(self) -> None:
        path = self.requestline.split()[1]  # self.path has lost a double slash
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length") or 0))
        site = self.server.site
        found, rule = site.meet(self.command, path, headers, body)
        fault = rule.fault if rule else None
        if found is None:
            found = Answer(200, PING, "text/event-stream", (("X-Accel-Buffering", "no"),))
            if fault is None:
                self._stream(found, Asked(method="GET", path=path, t=site.t, headers=headers))
                return
        reply = Reply(found, site.book.version, site.wall, is_head=self.command == "HEAD")
        self._put(pieces(reply, fault))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def _put(self, parts: Iterable[Piece]) -> None:
        for part in parts:
            if self.server.closing.is_set():
                break
            match part:
                case bytes():
                    self.wfile.write(part)
                case Pause(seconds):
                    self.server.site.pause(seconds, self.server.closing)
                case End.CLOSE:
                    self.close_connection = True
                case End.RESET:
                    self._reset()

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(*_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()

    def _stream(self, opening: Answer, asked: Asked) -> None:
        self.close_connection = True
        site, end = self.server.site, self.server.streams_end
        since = pinged = asked.t
        self.wfile.write(Reply(opening, site.book.version, site.wall).head(chunked=True) + chunk(PING))
        while not end.is_set():
            with site.changed:
                now = site.t
                found = events(site.book, user_of(site.book, asked), since=since, until=now, lag=site.lag)
                since = now
                if not found and now - pinged < QUIET:
                    site.changed.wait(self._until_news(now))
            for event in found or ([PING] if now - pinged >= QUIET else []):
                self.wfile.write(chunk(event))
                pinged = now

    def _until_news(self, now: float) -> float:
        site = self.server.site
        due = next_event(site.book, after=now, lag=site.lag)
        return TICK if due is None else min(TICK, max((due - now) / site.speed, 0.0))
