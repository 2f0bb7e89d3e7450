"""How a process ended."""

from __future__ import annotations

from typing import NamedTuple


class Completed(NamedTuple):
    """How a process ended; `code` is negative for a signal, as in subprocess."""

    code: int
    stdout: bytes = b""
    stderr: bytes = b""
    timed_out: bool = False
    not_found: bool = False
    """the program could not be started at all"""

    @property
    def ok(self) -> bool:
        """Ended by itself, with 0."""
        return self.code == 0

    @property
    def out(self) -> str:
        """Standard output as text, undecodable bytes kept as surrogates (file names survive)."""
        return self.stdout.decode("utf-8", "surrogateescape")

    @property
    def lines(self) -> tuple[str, ...]:
        r"""The lines of standard output, each ended by a newline and nothing else: names may hold U+2028 or U+0085.

        >>> Completed(0, "a\u2028b\nc\n".encode()).lines
        ('a\u2028b', 'c')
        """
        return tuple(self.out.removesuffix("\n").split("\n")) if self.stdout else ()

    @property
    def err(self) -> str:
        """Standard error as text, undecodable bytes replaced."""
        return self.stderr.decode("utf-8", "replace")
