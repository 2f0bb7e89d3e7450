"""A port that a test answers by hand, where a real server would be too polite."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable


class Listener:
    """Accepts connections on a free port of 127.0.0.1 in a thread, one after the other, until it is closed.

    Closing a socket does not end `accept` in another thread (close(2)): it would continue with the next socket that
    gets the same number, and take the connections of another test's server. So the thread closes the socket itself.

    Args:
        serve: gets each connection, and closes it.
    """

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Refuse every further connection."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with self._listening, contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                with contextlib.suppress(OSError):  # the client may be gone before it is answered
                    self._serve(near)


def serve_in_thread(serve: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    """Return what serves each connection in a thread of its own, so that the next one is accepted meanwhile."""

    def start(near: socket.socket) -> None:
        threading.Thread(target=serve, args=(near,), daemon=True).start()

    return start
