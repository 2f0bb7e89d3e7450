"""The way in to CI: its server and a token for it, which for who waits may come later."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from homelab_hooks.errors import Problem
from homelab_hooks.exits import Exit
from homelab_hooks.looks import Denied, Look, Missed, Seen
from homelab_hooks.reply import NoReply, Reply


class Asks(Protocol):
    """One server that can be asked."""

    def ask(
        self, method: str, path: str, *, deadline: float = 15.0, limit: int = ..., body: bytes = b""
    ) -> Reply | NoReply:
        """One request."""


class Entry(NamedTuple):
    """A server that knows our token, and where that came from, for messages."""

    asks: Asks
    token: str


Enter = Callable[[], Look[Entry]]


def entered(asks: Asks, *, token: str) -> Enter:
    """There is a token."""
    known = Seen(Entry(asks, token))
    return lambda: known


def awaited(find: Callable[[], Entry]) -> Enter:
    """Looks for a token until there is one: where none can be had now that is a look without an answer.

    Args:
        find: raises Problem where there is none.
    """
    known: list[Seen[Entry]] = []

    def enter() -> Look[Entry]:
        if not known:
            try:
                known.append(Seen(find()))
            except Problem as problem:
                return _none(problem)
        return known[0]

    return enter


def _none(problem: Problem) -> Missed | Denied:
    if problem.exit is Exit.UNREACHABLE:
        return Missed(problem.what, hint=problem.hint)
    return Denied(problem.what, hint=problem.hint, exit=problem.exit, final=True)
