"""Replaces a file atomically."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOT_PERMITTED = {errno.EACCES, errno.EPERM, errno.EROFS}
_IN_THE_WAY = {errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENOTEMPTY}


def write_error_fix(error: OSError) -> str:
    """Return what to do about a file that cannot be written, as a clause.

    >>> write_error_fix(FileExistsError(errno.EEXIST, "File exists"))
    'remove what is in its place'
    """
    if error.errno in _NO_SPACE:
        return "free up disk space"
    if error.errno in _NOT_PERMITTED:
        return "fix the permissions"
    return "remove what is in its place" if error.errno in _IN_THE_WAY else "fix what the system reports"


def replace_file(path: Path, text: str, *, mode: int, durable: bool = False, infix: str = ".") -> None:
    """Write `text` to a temporary file next to `path` and rename it to `path`: readers see the old text or the new one.

    Surrogate escapes are written as the bytes they stand for. If the process is killed, the temporary file may remain;
    its name starts with that of `path`. Raises OSError if the directory is missing or not writable.

    Args:
        mode: the permissions, also of the temporary file: it may contain data that other users must not read.
        durable: fsync before the rename, so that the file survives a power failure.
        infix: the text between the name of `path` and the random suffix of the temporary file.
    """
    # Not with the tempfile module: importing it takes several milliseconds in a hook that runs on every push.
    new = path.with_name(f"{path.name}{infix}{os.urandom(8).hex()}")
    handle = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
