"""Locks between processes: flock, or a file that only one process can create where the file system has no flock.

Some file systems have none (NFS mounted with nolock, sshfs, Lustre without -o flock). The kernel releases a flock with
its process; the file stays behind if its process is killed, so it names the process, and is removed once that is gone.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

from homelab_hooks.system.process_table import command_line

NO_LOCKS_ERRNOS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""errors of flock on a file system without locks"""
_HOLDER = re.compile(r"process (?P<pid>[0-9]{1,10}) on (?P<host>[^,]*),")
_MAX_CREATE_ATTEMPTS = 3
"""attempts to create the file; a stale one is removed after each but the last"""


class LockHeldError(Exception):
    """Another process holds the lock; the text is what it wrote about itself."""


def describe_process(purpose: str) -> str:
    """Return the text by which this process is named in a lock.

    >>> describe_process("landing topic").endswith(", landing topic")
    True
    """
    return f"process {os.getpid()} on {os.uname().nodename}, {purpose}"


def lock_holder(path: Path) -> str:
    """Return the text that the holder of the lock wrote into it; empty if it is free. Changes nothing."""
    holder = ""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            if holder := file.read():
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return holder
    except OSError:
        pass  # no such file, or no locks
    return _live_holder(_held_file(path))


@contextlib.contextmanager
def hold_lock(path: Path, text: str) -> Iterator[None]:
    """Hold the lock, with the text in it.

    Raises:
        LockHeldError: another process holds it.
        OSError: the file cannot be opened or written.
    """
    with path.open("a+", encoding="utf-8", errors="surrogateescape") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise LockHeldError(file.read()) from error
        except OSError as error:
            if error.errno not in NO_LOCKS_ERRNOS:
                raise
            with _hold_file(_held_file(path), text):
                yield
            return
        file.truncate(0)
        file.write(text)
        file.flush()
        yield
        with contextlib.suppress(OSError):
            file.truncate(0)


def _held_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.held")


@contextlib.contextmanager
def _hold_file(path: Path, text: str) -> Iterator[None]:
    for _ in range(_MAX_CREATE_ATTEMPTS):
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            break
        if holder := _live_holder(path):
            raise LockHeldError(holder)
        path.unlink(missing_ok=True)
    else:
        raise LockHeldError("")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _live_holder(path: Path) -> str:
    """Return the text of a lock file whose process may still run; empty if there is none, or the process is gone."""
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
    found = _HOLDER.match(text)
    if found and found["host"] == os.uname().nodename and not command_line(int(found["pid"])):
        return ""
    return text or "a process that has just started"
