"""A small web service whose answer names the commit that it runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from homelab_hooks.simulators.http_server import HttpServer, ServerThread, SilentHandler


class _Release(NamedTuple):
    """A commit, and when the service begins to serve it, in seconds of the clock."""

    sha: str
    since: float


class WebService(ServerThread):
    """Answers every GET with `{"commit": SHA}`; a context manager.

    Args:
        now: returns the time in seconds.
        sha: the commit that it runs at first.
    """

    def __init__(self, *, now: Callable[[], float], sha: str) -> None:
        self._now = now
        self._releases: tuple[_Release, ...] = (_Release(sha, 0.0),)
        super().__init__(HttpServer(_make_handler(self)))

    def deploy(self, sha: str, *, after: float) -> None:
        """Serve a commit from `after` seconds from now on; until then, the one before it."""
        self._releases = (*self._releases, _Release(sha, self._now() + after))

    @property
    def commit(self) -> str:
        """Return the commit that is served now."""
        now = self._now()
        return next((release.sha for release in reversed(self._releases) if release.since <= now), "")


def _make_handler(service: WebService) -> type[SilentHandler]:
    class Handler(SilentHandler):
        def serve(self) -> None:
            """Answer with the commit."""
            content = json.dumps({"commit": service.commit}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler
