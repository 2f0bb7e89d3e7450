"""The sockets of the simulated Woodpecker: HTTP/1.1 with keep-alive, a thread per connection."""

from __future__ import annotations

import contextlib
import struct
import sys
import threading
from collections.abc import Iterable, Mapping
from socketserver import ThreadingTCPServer
from typing import Any, Protocol
from urllib.parse import urlsplit

from homelab_hooks.simulators.faults import FaultRule
from homelab_hooks.simulators.http_server import SilentHandler, ToleratesHangUps
from homelab_hooks.simulators.woodpecker.log_stream import LOG_STREAM_PATH, collect_log_events
from homelab_hooks.simulators.woodpecker.request import ApiAnswer, IncomingRequest, find_user
from homelab_hooks.simulators.woodpecker.sse import PING_EVENT, PING_INTERVAL_S, collect_events, find_next_event_time
from homelab_hooks.simulators.woodpecker.store import PipelineStore
from homelab_hooks.simulators.woodpecker.wire import (
    ConnectionEnd,
    Pause,
    WireAnswer,
    WirePiece,
    encode_chunk,
    iterate_pieces,
)

SHUTDOWN_POLL_INTERVAL_S = 0.005
"""poll interval of the accept loop, which `stop` waits for, as do a thousand tests"""
STREAM_POLL_INTERVAL_S = 0.05
"""maximum seconds between two clock reads of a stream: a test may have advanced the clock"""
# SOL_SOCKET and SO_LINGER; the socket module may only be imported in homelab_hooks/net
_LINGER = (0xFFFF, 0x80) if sys.platform == "darwin" else (1, 13)
_SHUTDOWN_MODE = 2


class SimulatorServer(Protocol):
    """The simulator, as the sockets need it."""

    store: PipelineStore
    speed: float
    lag: float
    changed: threading.Condition

    @property
    def t(self) -> float:
        """Return the current time in server seconds."""

    @property
    def wall(self) -> float:
        """Return the server's Unix time in seconds."""

    def pause(self, seconds: float, closing: threading.Event) -> None:
        """Wait, unless the server is stopped."""

    def handle_request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[ApiAnswer | None, FaultRule | None]:
        """Return the response to a request (None: the event stream) and its fault rule, if any."""


class SocketListener(ToleratesHangUps, ThreadingTCPServer):
    """Accepts connections until it is stopped, and then closes the open ones."""

    hang_ups = (OSError,)  # a reset closes the connection while its thread still uses it

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, simulator: SimulatorServer, port: int) -> None:
        self.simulator = simulator
        self.closing = threading.Event()
        self.streams_end = threading.Event()
        self._open: set[Any] = set()
        super().__init__(("127.0.0.1", port), _SimulatorConnection)
        self._thread = threading.Thread(target=self.serve_forever, args=(SHUTDOWN_POLL_INTERVAL_S,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return int(self.server_address[1])

    def drop_streams(self) -> None:
        """Close the streams that are open now."""
        self.streams_end.set()
        self.streams_end = threading.Event()

    def stop(self) -> None:
        """Stop listening, and close all connections."""
        self.closing.set()
        self.drop_streams()
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(_SHUTDOWN_MODE)
        self._thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Register the connection, so that `stop` can close it."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Unregister the connection."""
        self._open.discard(request)
        super().shutdown_request(request)


class _SimulatorConnection(SilentHandler):
    disable_nagle_algorithm = True
    server: SocketListener

    def serve(self) -> None:
        """Answer the request as the simulator says."""
        path = self.requestline.split()[1]  # self.path has lost a double slash
        headers, body = self.read_lower_headers(), self.read_body()
        simulator = self.server.simulator
        answer, rule = simulator.handle_request(self.command, path, headers, body)
        fault = rule.fault if rule else None
        if answer is None:
            answer = ApiAnswer(200, PING_EVENT, "text/event-stream", (("X-Accel-Buffering", "no"),))
            if fault is None:
                request = IncomingRequest(method="GET", path=path, t=simulator.t, headers=headers)
                is_log = LOG_STREAM_PATH.fullmatch(urlsplit(path).path)
                self._stream_log(answer, request) if is_log else self._stream(answer, request)
                return
        wire_answer = WireAnswer(answer, simulator.store.version, simulator.wall, is_head=self.command == "HEAD")
        self._write_pieces(iterate_pieces(wire_answer, fault))

    def _write_pieces(self, parts: Iterable[WirePiece]) -> None:
        for part in parts:
            if self.server.closing.is_set():
                break
            match part:
                case bytes():
                    self.wfile.write(part)
                case Pause(seconds):
                    self.server.simulator.pause(seconds, self.server.closing)
                case ConnectionEnd.CLOSE:
                    self.close_connection = True
                case ConnectionEnd.RESET:
                    self._reset()

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(*_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()

    def _stream(self, opening: ApiAnswer, request: IncomingRequest) -> None:
        self.close_connection = True
        simulator, end = self.server.simulator, self.server.streams_end
        since = pinged = request.t
        self.wfile.write(
            WireAnswer(opening, simulator.store.version, simulator.wall).head(chunked=True) + encode_chunk(PING_EVENT)
        )
        while not end.is_set():
            with simulator.changed:
                now = simulator.t
                new_events = collect_events(
                    simulator.store, find_user(simulator.store, request), since=since, until=now, lag=simulator.lag
                )
                since = now
                if not new_events and now - pinged < PING_INTERVAL_S:
                    simulator.changed.wait(self._until_next_event(now))
            for event in new_events or ([PING_EVENT] if now - pinged >= PING_INTERVAL_S else []):
                self.wfile.write(encode_chunk(event))
                pinged = now

    def _stream_log(self, opening: ApiAnswer, request: IncomingRequest) -> None:
        self.close_connection = True
        simulator, end = self.server.simulator, self.server.streams_end
        since = request.t
        self.wfile.write(
            WireAnswer(opening, simulator.store.version, simulator.wall).head(chunked=True) + encode_chunk(PING_EVENT)
        )
        while not end.is_set():
            with simulator.changed:
                now = simulator.t
                found = collect_log_events(simulator.store, request.path, opened=request.t, since=since, until=now)
                since = now
                if not found.events:
                    simulator.changed.wait(STREAM_POLL_INTERVAL_S)
            for event in found.events:
                self.wfile.write(encode_chunk(event))
            if found.ends:
                self.wfile.write(encode_chunk(b""))
                return

    def _until_next_event(self, now: float) -> float:
        simulator = self.server.simulator
        due = find_next_event_time(simulator.store, after=now, lag=simulator.lag)
        return (
            STREAM_POLL_INTERVAL_S
            if due is None
            else min(STREAM_POLL_INTERVAL_S, max((due - now) / simulator.speed, 0.0))
        )
