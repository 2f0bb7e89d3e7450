"""How soon a live link ends once the service answers with the commit."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from homelab_hooks.exit_codes import ExitCode
from tools.bench.figures import Figure, delays
from tools.bench.place import PROGRAMS, BenchClone

SETTLE = 1.0
LIMIT_S = 1.0
"""one polling interval of the link"""
OLD = "0" * 40


class Service:
    """A service that answers with the commit that it runs."""

    def __init__(self) -> None:
        self.commit = OLD
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = service.commit.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


def latency(place: BenchClone, seconds: Sequence[float]) -> Figure:
    """From the moment at which the service runs the commit to the exit, beyond the settle time."""
    found = [_one(place, length) for length in seconds]
    figure = delays("new commit served to exit, beyond the settle time", found)
    limit = f"worst {LIMIT_S:g} s (one polling interval)"
    return figure._replace(found=figure.found.replace("pipelines", "services"), limit=limit, held=max(found) <= LIMIT_S)


def _one(place: BenchClone, length: float) -> float:
    service = Service()
    argv = [str(PROGRAMS / "homelab"), "follow", "--onto", "main", "--follow", f"live:{service.url}"]
    running = place.start([*argv, "--settle", f"{SETTLE:g}s"])
    threading.Event().wait(length)
    service.commit, begin = place.clone.head, time.monotonic()
    exited, code = running.ended()
    service.close()
    assert code == ExitCode.OK, code
    return exited - begin - SETTLE
