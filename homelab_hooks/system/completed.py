"""The result of a process that has ended, or could not be started."""

from __future__ import annotations

from typing import NamedTuple


class Completed(NamedTuple):
    """The exit code and output of a process; `code` is negative for a signal, as in subprocess."""

    code: int
    stdout: bytes = b""
    stderr: bytes = b""
    timed_out: bool = False
    not_found: bool = False
    """the program does not exist, or it cannot be run on this machine; `code` is 127 then"""
    start_error: str = ""
    """why it could not be started; empty if it was"""
    truncated: bool = False
    """it was ended because its standard output was longer than this process keeps"""

    @property
    def ok(self) -> bool:
        """Return whether the process exited with 0."""
        return self.code == 0

    @property
    def out(self) -> str:
        """Return standard output as text; undecodable bytes become surrogate escapes, which preserves file names."""
        return self.stdout.decode("utf-8", "surrogateescape")

    @property
    def lines(self) -> tuple[str, ...]:
        r"""Return the lines of standard output, split at newlines only: file names may contain U+2028 or U+0085.

        >>> Completed(0, "a\u2028b\nc\n".encode()).lines
        ('a\u2028b', 'c')
        """
        return tuple(self.out.removesuffix("\n").split("\n")) if self.stdout else ()

    @property
    def err(self) -> str:
        """Return standard error as text; undecodable bytes are replaced."""
        return self.stderr.decode("utf-8", "replace")
