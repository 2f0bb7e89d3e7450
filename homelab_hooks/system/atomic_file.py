"""Replaces a file as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, text: str, *, mode: int, durable: bool = False, infix: str = ".") -> None:
    """Write `text` to a new file beside `path` and rename it over `path`; a reader sees the old text or the new one.

    Characters that came from undecodable bytes are written as those bytes. A process that is killed may leave the new
    file, under a name that begins with that of `path`. Raises OSError where the directory is missing or refuses.

    Args:
        mode: the file's permissions, also while it is written: it may hold what other accounts must not read.
        durable: flush it to the disk before the rename, so that it survives the loss of power.
        infix: stands between the name of `path` and the random end of the new file's name.
    """
    # Not by the tempfile module: importing it costs a hook that records a push several milliseconds.
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
