"""Reads the process table: parent, session, terminal, and start time of a process, from /proc or ps."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.system.process_runner import ProcessRunner

_PROC = Path("/proc")
_PTY_MAJOR_CODE, _MINORS_PER_MAJOR_COUNT = range(136, 144), 256
_PLAIN = {"PATH": os.defpath, "LC_ALL": "C"}
_NUMBER = re.compile(r"-?[0-9]{1,10}")
_CONSOLE_MAJOR_CODE, _MAX_CONSOLES = 4, 64


class ProcessInfo(NamedTuple):
    """A running process; `began` distinguishes it from a later one with the same ID."""

    id: int
    parent: int
    session: int
    name: str
    """the program, without its directory"""
    terminal: str
    """the path of its controlling terminal; empty if it has none"""
    began: str


def process_info(number: int) -> ProcessInfo | None:
    """Return the process with this ID; None if there is none, or if it is a zombie.

    >>> process_info(2**30) is None, process_info(os.getpid()).parent == os.getppid()
    (True, True)
    """
    return info_from_proc(number) if (_PROC / "self").exists() else info_from_ps(number)


def ancestors(number: int) -> Iterator[ProcessInfo]:
    """Yield the ancestors of a process, the parent first."""
    seen = {number}
    found = process_info(number)
    while found and found.parent not in seen:
        seen.add(found.parent)
        found = process_info(found.parent)
        if found:
            yield found


def is_same_process(known: ProcessInfo) -> bool:
    """Return whether the process is still running: its ID may have been reused."""
    now = process_info(known.id)
    return now is not None and now.began == known.began


def boot_id() -> str:
    """Return an ID of this boot of the machine (Linux); empty where start times are absolute (ps)."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def info_from_proc(number: int) -> ProcessInfo | None:
    """Return a process from /proc (Linux); None if there is none, or if it is a zombie."""
    try:
        text = (_PROC / str(number) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return parse_stat(number, text)


def parse_stat(number: int, text: str) -> ProcessInfo | None:
    """Parse a line of proc_pid_stat(5); the name is in parentheses and may contain any character."""
    head, _, rest = text.rpartition(")")
    fields = rest.split()
    if len(fields) < 20 or fields[0] in {"Z", "X"} or not all(map(_NUMBER.fullmatch, fields[1:5])):  # noqa: PLR2004 - starttime is field 20 after the name
        return None
    parent, _, session, terminal = map(int, fields[1:5])
    return ProcessInfo(number, parent, session, head.partition("(")[2], _terminal(terminal), fields[19])


def _terminal(device: int) -> str:
    """Return the path of a terminal by its device number; empty if unknown.

    >>> _terminal(0x8803), _terminal(0x0401), _terminal(0)
    ('/dev/pts/3', '/dev/tty1', '')
    """
    major, minor = device >> 8 & 0xFFF, device & 0xFF | device >> 12 & 0xFFF00
    if major in _PTY_MAJOR_CODE:
        return f"/dev/pts/{(major - _PTY_MAJOR_CODE[0]) * _MINORS_PER_MAJOR_COUNT + minor}"
    return f"/dev/tty{minor}" if major == _CONSOLE_MAJOR_CODE and minor < _MAX_CONSOLES else ""


def info_from_ps(number: int) -> ProcessInfo | None:
    """Return a process from ps(1), for systems without /proc."""
    columns = [part for name in ("ppid", "stat", "tty", "lstart", "comm") for part in ("-o", f"{name}=")]
    done = ProcessRunner(_PLAIN).run(["ps", *columns, "-p", str(number)], timeout=5)
    return parse_ps(number, done.out) if done.ok else None


def parse_ps(number: int, text: str) -> ProcessInfo | None:
    """Parse the line that ps prints in `info_from_ps`."""
    fields = text.split(None, 8)
    if len(fields) < 9 or fields[1].startswith("Z") or not _NUMBER.fullmatch(fields[0]):  # noqa: PLR2004 - three columns, five of the start time, the name
        return None
    session = 0
    with contextlib.suppress(OSError):
        session = os.getsid(number)
    terminal = "" if fields[2].startswith("?") else f"/dev/{fields[2]}"
    name = Path(fields[8].strip()).name
    return ProcessInfo(number, int(fields[0]), session, name, terminal, " ".join(fields[3:8]))


def command_line(number: int) -> str:
    """Return the command line of a process; empty if there is none, or if it is a zombie.

    >>> command_line(2**30)
    ''
    """
    if (_PROC / "self").exists():
        with contextlib.suppress(OSError):
            cmdline = (_PROC / str(number) / "cmdline").read_bytes()
            return cmdline.replace(b"\0", b" ").decode("utf-8", "replace")
        return ""
    return ProcessRunner(_PLAIN).run(["ps", "-o", "args=", "-p", str(number)], timeout=5).out.strip()
