"""An HTTP connection to a CI server, authenticated with the CI token, which may become available later."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from homelab_hooks.errors import CommandError, WrongServerError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, Poll, Unavailable


class ApiClient(Protocol):
    """Sends requests to one server."""

    def request(
        self, method: str, path: str, *, timeout: float, max_bytes: int = ..., body: bytes = b""
    ) -> HttpResponse | RequestFailed:
        """Send one request and return the response, or why there is none within `timeout` seconds."""


class StreamClient(Protocol):
    """Reads an event stream of one server."""

    def stream(self, path: str, on_chunk: Callable[[bytes], None], *, idle_timeout: float) -> RequestFailed:
        """Pass on each chunk until the stream ends or is silent for `idle_timeout` seconds; return why it ended."""

    def close(self) -> None:
        """Close the connections."""


class CiConnection(NamedTuple):
    """A client that carries a token, and where the token came from, for messages."""

    client: ApiClient
    token_source: str


Connect = Callable[[], Poll[CiConnection]]


class CiServer(NamedTuple):
    """The settings of a CI server: everything that a provider is built from."""

    url: str
    connect: Connect
    open_stream_client: Callable[[], StreamClient]
    """opens a connection for an event stream, which keeps it busy"""
    wake: Callable[[], None]
    """ends the current sleep of the watch"""
    now: Callable[[], float]
    """monotonic seconds"""


def connect_now(client: ApiClient, *, token_source: str) -> Connect:
    """Return a connection with a token that is known."""
    connection = Found(CiConnection(client, token_source))
    return lambda: connection


def connect_when_possible(find_connection: Callable[[], CiConnection]) -> Connect:
    """Return a connection whose token is looked up at each request until it is found.

    Until then each request results in Unavailable (Vault is sealed, for example) or Denied, so that a watch retries as
    it does for a server that is down.

    Args:
        find_connection: raises CommandError if no token can be obtained.
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
    if isinstance(problem, WrongServerError):
        return Unavailable(problem.message, FailureKind.FOREIGN, hint=problem.hint)
    if problem.exit is ExitCode.UNREACHABLE:
        return Unavailable(problem.message, hint=problem.hint)
    return Denied(problem.message, hint=problem.hint, exit=problem.exit, final=True)
