"""The HTTP server under the simulated servers: one daemon thread per connection, and clients may hang up."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from socketserver import BaseServer


class ToleratesHangUps(BaseServer):
    """Prints nothing about a client that has gone; any other error is printed as usual.

    Commands are killed, interrupted and run out of time while they are answered, so a broken connection says nothing
    about the server. Without this, `socketserver` prints a traceback from the connection's thread, at a moment when
    the test that caused it may be over.
    """

    hang_ups: tuple[type[Exception], ...] = (ConnectionError,)
    """what counts as a client that has gone"""

    def handle_error(self, request: object, client_address: object) -> None:
        """Print the traceback of the current exception, unless the client has gone."""
        if not isinstance(sys.exception(), self.hang_ups):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # typeshed wants a socket


class HttpServer(ToleratesHangUps, ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)


def read_exactly(stream: BufferedIOBase, size: int) -> bytes:
    """Read this many bytes of a request. Raises ConnectionAbortedError if the client hangs up before the last one."""
    found = stream.read(size)
    if len(found) < size:
        raise ConnectionAbortedError(f"{len(found)} of {size} bytes")
    return found


def read_chunks(stream: BufferedIOBase) -> bytes:
    """Read a chunked body. Raises ConnectionAbortedError if the client hangs up before its last chunk."""
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
