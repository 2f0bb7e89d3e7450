"""The HTTP server base of the simulated servers: a daemon thread per connection, tolerant of disconnects."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from socketserver import BaseServer
from typing import Self


class ToleratesHangUps(BaseServer):
    """Ignores errors of clients that disconnect; other errors are printed as usual.

    Tests kill, interrupt, and time out commands during a request, so a broken connection is not a server error.
    `socketserver` would print a traceback from the connection's thread, possibly after the test has ended.
    """

    hang_ups: tuple[type[Exception], ...] = (ConnectionError,)
    """exceptions that mean that the client has disconnected"""

    def handle_error(self, request: object, client_address: object) -> None:
        """Print the traceback of the current exception, unless the client has disconnected."""
        if not isinstance(sys.exception(), self.hang_ups):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # typeshed wants a socket


class SilentHandler(BaseHTTPRequestHandler):
    """Passes requests of every method on to `serve`, keeps connections open, and logs nothing.

    The simulated servers record their requests instead.
    """

    protocol_version = "HTTP/1.1"

    def serve(self) -> None:
        """Answer the request."""
        raise NotImplementedError

    def _dispatch(self) -> None:
        self.serve()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _dispatch  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Do not log."""

    def read_lower_headers(self) -> dict[str, str]:
        """Return the headers of the request by their names in lower case."""
        return {name.lower(): value for name, value in self.headers.items()}

    def read_body(self) -> bytes:
        """Return the body of the request, which may be sent in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return read_chunks(self.rfile)
        return read_exactly(self.rfile, int(self.headers.get("Content-Length") or 0))


class HttpServer(ToleratesHangUps, ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)


class ServerThread:
    """Runs an HTTP server in a thread while its context is open."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Return `http://127.0.0.1:PORT`, without a trailing slash."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"


def read_exactly(stream: BufferedIOBase, size: int) -> bytes:
    """Read `size` bytes of a request. Raises ConnectionAbortedError if the client disconnects before the last one."""
    found = stream.read(size)
    if len(found) < size:
        raise ConnectionAbortedError(f"{len(found)} of {size} bytes")
    return found


def read_chunks(stream: BufferedIOBase) -> bytes:
    """Read a chunked body. Raises ConnectionAbortedError if the client disconnects before the last chunk."""
    parts = []
    while size := int(_line(stream), 16):
        parts.append(read_exactly(stream, size))
        _line(stream)
    _line(stream)
    return b"".join(parts)


def _line(stream: BufferedIOBase) -> bytes:
    found = stream.readline()
    if not found.endswith(b"\n"):
        raise ConnectionAbortedError("the body ends within a chunk")
    return found.strip()
