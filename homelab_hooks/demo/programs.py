"""What a real program beside us needs: a place of its own, a port, and somebody who waits until it is ready."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer

from homelab_hooks.errors import Problem
from homelab_hooks.proc import Background, ProcessRunner

READY_WITHIN = 15.0
"""seconds; Caddy takes less than 0.2, OpenBao about 0.3"""
TRIES = 3
"""a free port may be taken by another before the program gets there"""
_PAUSE = 0.02


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with TCPServer(("127.0.0.1", 0), BaseRequestHandler) as server:
        return int(server.server_address[1])


def find(name: str, path: str) -> str:
    """A program from the search path, or from beside the running Python."""
    beside = Path(sys.executable).parent / name
    found = shutil.which(name, path=path) or (str(beside) if beside.exists() else None)
    if found is None:
        raise Problem(f"{name} is not there", hint='install its parts, in a checkout: pip install ".[demo]"')
    return found


class Beside:
    """A program that runs beside us with its own home, and leaves nothing behind."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self.home = Path(tempfile.mkdtemp(prefix=f"homelab-{name}-"))
        here = str(self.home)
        self._processes = ProcessRunner(
            {**environ, "HOME": here, "XDG_DATA_HOME": here, "XDG_CONFIG_HOME": here, "TMPDIR": here}
        )
        self._running: Background | None = None

    def start(self, argv: Callable[[int], Sequence[str]], *, sign: str) -> int:
        """Start it with a free port; ready when its output has the sign. Returns the port."""
        said = ""
        for _ in range(TRIES):
            port, log = free_port(), self.home / "log"
            log.unlink(missing_ok=True)
            self._running = self._processes.spawn(argv(port), cwd=self.home, log=log)
            said, ready = _wait(self._running, log, sign)
            if ready:
                return port
            self._running.stop()
        raise Problem(f"a part of the demo did not start: {said[-500:].strip()}", hint="see what it said")

    def stop(self) -> None:
        """End it and remove its files."""
        if self._running is not None:
            self._running.stop()
            self._running = None
        shutil.rmtree(self.home, ignore_errors=True)


def _wait(running: Background, log: Path, sign: str) -> tuple[str, bool]:
    pause, said = threading.Event(), ""
    for _ in range(int(READY_WITHIN / _PAUSE)):
        alive = running.alive
        with suppress(OSError):
            said = log.read_text(encoding="utf-8", errors="replace")
        if sign in said or not alive:
            break
        pause.wait(_PAUSE)
    return said, sign in said
