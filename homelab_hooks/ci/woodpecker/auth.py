"""The way in to CI: its server and a token for it, which for who waits may come later."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import Denied, Found, Poll, Unavailable


class ApiClient(Protocol):
    """One server that can be asked."""

    def request(
        self, method: str, path: str, *, timeout: float = 15.0, max_bytes: int = ..., body: bytes = b""
    ) -> HttpResponse | RequestFailed:
        """One request."""


class CiConnection(NamedTuple):
    """A server that knows our token, and where that came from, for messages."""

    client: ApiClient
    token_source: str


Connect = Callable[[], Poll[CiConnection]]


def connect_now(client: ApiClient, *, token_source: str) -> Connect:
    """There is a token."""
    connection = Found(CiConnection(client, token_source))
    return lambda: connection


def connect_when_possible(find_connection: Callable[[], CiConnection]) -> Connect:
    """Looks for a token until there is one: where none can be had now that is a look without an answer.

    Args:
        find_connection: raises CommandError where there is none.
    """
    known: list[Found[CiConnection]] = []

    def connect() -> Poll[CiConnection]:
        if not known:
            try:
                known.append(Found(find_connection()))
            except CommandError as problem:
                return _on_no_token(problem)
        return known[0]

    return connect


def _on_no_token(problem: CommandError) -> Unavailable | Denied:
    if problem.exit is ExitCode.UNREACHABLE:
        return Unavailable(problem.message, hint=problem.hint)
    return Denied(problem.message, hint=problem.hint, exit=problem.exit, final=True)
