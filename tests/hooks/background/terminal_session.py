"""A person at a terminal: a shell that leads its session, and keys."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from tests.waiting import HANG_S, wait_until

_SHELL = "import fcntl, os, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp('sh', ['sh'])"


class TerminalSession:
    """`sh` on a terminal of its own."""

    def __init__(self, cwd: Path, environ: Mapping[str, str], *, kind: str = "xterm") -> None:
        self._ours, theirs = os.openpty()
        self.name = os.ttyname(theirs)
        self._parts: list[bytes] = []
        self.shell = subprocess.Popen(
            [sys.executable, "-c", _SHELL], cwd=cwd, env={**environ, "TERM": kind, "PS1": "$ "},
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                self._parts.append(os.read(self._ours, 65536))
            except OSError:
                return

    @property
    def seen(self) -> str:
        return b"".join(self._parts).decode("utf-8", "replace")

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.seen, lambda: f"{text!r} not in {self.seen!r}")

    def leave(self) -> None:
        """Hang up: the terminal goes, and the shell with it."""
        self.shell.kill()
        self.shell.wait()
        self._reader.join(HANG_S)
        os.close(self._ours)
