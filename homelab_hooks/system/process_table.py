"""Processes as the system lists them: who started whom, in which session, on which terminal."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.system.process import ProcessRunner

_LISTED = Path("/proc")
_PTY_MAJOR_CODE, _MINORS_PER_MAJOR_COUNT = range(136, 144), 256
_PLAIN = {"PATH": os.defpath, "LC_ALL": "C"}
_NUMBER = re.compile(r"-?[0-9]{1,10}")
_CONSOLE_MAJOR_CODE, _MAX_CONSOLES = 4, 64


class ProcessInfo(NamedTuple):
    """A process that runs; `began` tells it from a later one with the same id."""

    id: int
    parent: int
    session: int
    name: str
    """of the program, without its directory"""
    terminal: str
    """the path of the terminal that it belongs to; empty where it has none"""
    began: str


def process_info(number: int) -> ProcessInfo | None:
    """The process of this id; None where there is none, or it has ended and waits to be reaped.

    >>> process_info(2**30) is None, process_info(os.getpid()).parent == os.getppid()
    (True, True)
    """
    return info_from_proc(number) if (_LISTED / "self").exists() else info_from_ps(number)


def ancestors(number: int) -> Iterator[ProcessInfo]:
    """Those that a process descends from, the nearest first."""
    seen = {number}
    found = process_info(number)
    while found and found.parent not in seen:
        seen.add(found.parent)
        found = process_info(found.parent)
        if found:
            yield found


def is_same_process(known: ProcessInfo) -> bool:
    """Whether it is the same process that runs under this id now."""
    now = process_info(known.id)
    return now is not None and now.began == known.began


def info_from_proc(number: int) -> ProcessInfo | None:
    """From Linux's /proc."""
    try:
        text = (_LISTED / str(number) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return parse_stat(number, text)


def parse_stat(number: int, text: str) -> ProcessInfo | None:
    """From a line of proc_pid_stat(5): the name stands in brackets and may hold any character."""
    head, _, rest = text.rpartition(")")
    fields = rest.split()
    if len(fields) < 20 or fields[0] in {"Z", "X"} or not all(map(_NUMBER.fullmatch, fields[1:5])):  # noqa: PLR2004 - began
        return None
    parent, _, session, terminal = map(int, fields[1:5])
    return ProcessInfo(number, parent, session, head.partition("(")[2], _terminal(terminal), fields[19])


def _terminal(device: int) -> str:
    """A terminal's path by its device number.

    >>> _terminal(0x8803), _terminal(0x0401), _terminal(0)
    ('/dev/pts/3', '/dev/tty1', '')
    """
    major, minor = device >> 8 & 0xFFF, device & 0xFF | device >> 12 & 0xFFF00
    if major in _PTY_MAJOR_CODE:
        return f"/dev/pts/{(major - _PTY_MAJOR_CODE[0]) * _MINORS_PER_MAJOR_COUNT + minor}"
    return f"/dev/tty{minor}" if major == _CONSOLE_MAJOR_CODE and minor < _MAX_CONSOLES else ""


def info_from_ps(number: int) -> ProcessInfo | None:
    """From ps(1), where there is no /proc."""
    columns = [part for name in ("ppid", "stat", "tty", "lstart", "comm") for part in ("-o", f"{name}=")]
    done = ProcessRunner(_PLAIN).run(["ps", *columns, "-p", str(number)], timeout=5)
    return parse_ps(number, done.out) if done.ok else None


def parse_ps(number: int, text: str) -> ProcessInfo | None:
    """From the line that it prints."""
    fields = text.split(None, 8)
    if len(fields) < 9 or fields[1].startswith("Z") or not _NUMBER.fullmatch(fields[0]):  # noqa: PLR2004 - three, five of a date, the name
        return None
    session = 0
    with contextlib.suppress(OSError):
        session = os.getsid(number)
    terminal = "" if fields[2].startswith("?") else f"/dev/{fields[2]}"
    name = Path(fields[8].strip()).name
    return ProcessInfo(number, int(fields[0]), session, name, terminal, " ".join(fields[3:8]))


def command_line(number: int) -> str:
    """The command line of a process that runs now; empty where there is none, or it has ended and waits to be reaped.

    >>> command_line(2**30)
    ''
    """
    if (_LISTED / "self").exists():
        with contextlib.suppress(OSError):
            told = (_LISTED / str(number) / "cmdline").read_bytes()
            return told.replace(b"\0", b" ").decode("utf-8", "replace")
        return ""
    return ProcessRunner(_PLAIN).run(["ps", "-o", "args=", "-p", str(number)], timeout=5).out.strip()
