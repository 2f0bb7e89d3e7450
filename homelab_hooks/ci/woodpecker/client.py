"""The few calls that are made of Woodpecker's API, each a look."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable
from typing import TypeVar
from urllib.parse import quote, urlencode

from homelab_hooks.ci.model import LogLine, Pipeline, QueueInfo, Repo
from homelab_hooks.ci.woodpecker import parse
from homelab_hooks.ci.woodpecker.auth import ApiClient, Connect
from homelab_hooks.ci.woodpecker.responses import read_response
from homelab_hooks.net.message import HttpResponse
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, Poll, Unavailable

T = TypeVar("T")

MAX_PAGE_SIZE = 50
"""the most that the server gives (fact sheet, section 3)"""
REQUEST_TIMEOUT_S = 15.0
"""seconds for an answer that decides something; a locked database delays a POST by up to 15 (measured, B5)"""
HEALTH_TIMEOUT_S = 6.0
"""seconds for /healthz, which a locked database delays by 5 (measured, B5)"""
MAX_ATTEMPTS = 3
"""tries within one look; minutes of patience belong to the machine"""


class WoodpeckerClient:
    """A server as one token sees it.

    Args:
        connect: the way in; where it is closed, that is what a question comes to.
        server_url: where people find it, for messages.
    """

    def __init__(self, connect: Connect, *, server_url: str = "CI") -> None:
        self._connect = connect
        self._server_url = server_url

    def user(self, *, within: float) -> Poll[str]:
        """Who the token belongs to; a bad token is refused only here (fact 4)."""
        return self._get("/api/user", parse.parse_login, "the user", within)

    def repository(self, full_name: str, *, within: float) -> Poll[Repo]:
        """The repository of this name."""
        path = f"/api/repos/lookup/{quote(full_name)}"
        return self._get(path, parse.parse_repo, f"the repository {full_name}", within)

    def first_repository(self, names: Iterable[str], *, within: float) -> Poll[Repo]:
        """The repository under the first of these names that CI knows, else what it says of the last."""
        poll: Poll[Repo] = Denied("the repository's OWNER/NAME is not known", hint="give it with --repo OWNER/NAME")
        for name in names:
            poll = self.repository(name, within=within)
            if not isinstance(poll, Denied) or poll.final:
                break
        return poll

    def can_push(self, repo: int, *, within: float) -> Poll[bool]:
        """Whether the token's owner may push to it, and so restart its pipelines."""
        return self._get(f"/api/repos/{repo}/permissions", parse.parse_can_push, "the rights to the repository", within)

    def pipelines(
        self, repo: int, *, within: float, page: int = 1, per_page: int = MAX_PAGE_SIZE
    ) -> Poll[tuple[Pipeline, ...]]:
        """A page of the list, newest number first, without workflows."""
        query = urlencode({"page": page, "perPage": per_page})
        return self._get(f"/api/repos/{repo}/pipelines?{query}", parse.parse_pipelines, "the repository", within)

    def pipeline(self, repo: int, number: int, *, within: float) -> Poll[Pipeline]:
        """One pipeline with its workflows and steps."""
        path = f"/api/repos/{repo}/pipelines/{number}"
        return self._get(path, parse.parse_pipeline, f"pipeline #{number}", within)

    def log(self, repo: int, number: int, step: int, *, within: float) -> Poll[tuple[LogLine, ...]]:
        """A step's log as far as it has arrived; it can be empty, late and cut (measured, A3)."""
        path = f"/api/repos/{repo}/logs/{number}/{step}"
        return self._get(path, parse.parse_log, f"the log of step {step}", within)

    def queue(self, *, within: float) -> Poll[QueueInfo]:
        """The server's queue; refused to all but administrators."""
        return self._get("/api/queue/info", parse.parse_queue, "the queue", within)

    def restart(self, repo: int, number: int, *, within: float) -> Poll[Pipeline]:
        """Run a pipeline again; asked once only, for a 500 may have made the row (measured, B10)."""
        return self._post(f"/api/repos/{repo}/pipelines/{number}", b"", f"pipeline #{number}", within)

    def start(self, repo: int, branch: str, *, within: float) -> Poll[Pipeline]:
        """Start a manual pipeline on the tip of a branch; asked once only."""
        body = json.dumps({"branch": branch}).encode()
        return self._post(f"/api/repos/{repo}/pipelines", body, f"branch {branch}", within)

    def _post(self, path: str, body: bytes, subject: str, within: float) -> Poll[Pipeline]:
        connection = self._connect()
        if not isinstance(connection, Found):
            return connection
        client, token_source = connection.value
        response = client.request("POST", path, timeout=within, body=body)
        return read_response(
            response, parse.parse_pipeline, subject=subject, token_source=token_source, server_url=self._server_url
        )

    def _get(self, path: str, parser: Callable[[object], T], subject: str, within: float) -> Poll[T]:
        connection = self._connect()
        if not isinstance(connection, Found):
            return connection
        client, token_source = connection.value

        def fetch() -> Poll[T]:
            response = client.request("GET", path, timeout=within)
            return _confirm_slow_refusal(
                read_response(
                    response, parser, subject=subject, token_source=token_source, server_url=self._server_url
                ),
                client,
            )

        first = fetch()
        return _retry(fetch, first) if _is_transient(first) else first


def _confirm_slow_refusal(poll: Poll[T], client: ApiClient) -> Poll[T]:
    """A slow refusal counts only if the server says that it is well."""
    if not (isinstance(poll, Denied) and poll.slow):
        return poll
    health = client.request("GET", "/healthz", timeout=HEALTH_TIMEOUT_S)
    if isinstance(health, HttpResponse) and health.status == 204:  # noqa: PLR2004 - what a well server answers
        return poll
    return Unavailable("the server's database is locked (it refuses every token, slowly)", FailureKind.STATUS)


def _is_transient(poll: Poll[object]) -> bool:
    """Whether asking again at once is likely to help, and cheap."""
    return (
        isinstance(poll, Unavailable)
        and poll.kind in {FailureKind.CONNECTION, FailureKind.BODY}
        and poll.retry_after is None
    )


class _RetryNeededError(Exception):
    """One more try, please."""


def _retry(fetch: Callable[[], Poll[T]], last: Poll[T]) -> Poll[T]:
    """A few quick tries more, each after a moment; stamina is imported only when there is something to retry."""
    import stamina
    from stamina.instrumentation import set_on_retry_hooks

    set_on_retry_hooks([])  # its own hook would log to the terminal
    attempts = 1

    @stamina.retry(
        on=_RetryNeededError, attempts=MAX_ATTEMPTS, timeout=2.0, wait_initial=0.1, wait_max=0.5, wait_jitter=0.1
    )
    def attempt() -> None:
        nonlocal last, attempts
        if attempts > 1:
            last = fetch()
        attempts += 1
        if _is_transient(last):
            raise _RetryNeededError

    with contextlib.suppress(_RetryNeededError):
        attempt()
    return last
