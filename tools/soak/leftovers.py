"""What must not remain after a run: processes, temporary files, locks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
import time
from pathlib import Path

from homelab_hooks.system.process_table import command_line

MARK = "HOMELAB_SOAK"
_POLL_S = 0.02


def processes(mark: str) -> list[int]:
    """Those that have the run's mark in their environment and have not ended."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for place in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if place.name.isdigit() and wanted in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
    return found


def settled(mark: str, within: float) -> list[str]:
    """Commands of the run that still run after that many seconds."""
    end = time.monotonic() + within
    while processes(mark):
        if time.monotonic() > end:
            return [f"{number} {command_line(number)[:120]!r}" for number in processes(mark)]
        threading.Event().wait(_POLL_S)
    return []


def end_all(mark: str) -> None:
    """Whatever is left of a run ends."""
    for number in processes(mark):
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def files(temporary: Path, git: Path) -> list[str]:
    """Temporary files and what was half written."""
    found = [str(path) for path in temporary.rglob("*")]
    ours = git / "homelab"
    if ours.is_dir():
        names = [path for path in ours.rglob("*") if path.suffix[1:].isdigit()]
        found += [str(path) for path in names]
    return found


def locks(git: Path) -> list[str]:
    """Locks that are held, and git's own that were left."""
    ours = git / "homelab"
    found = [str(path) for path in git.rglob("*.lock") if ours not in path.parents]
    for path in ours.rglob("*lock"):
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                found.append(f"{path} is held")
    return found


def opened(process: int) -> tuple[int, int]:
    """How many descriptors and threads a process has; 0 where it has ended."""
    with contextlib.suppress(OSError):
        place = Path("/proc") / str(process)
        return len(list((place / "fd").iterdir())), len(list((place / "task").iterdir()))
    return 0, 0
