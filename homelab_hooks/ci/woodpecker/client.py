"""The calls of Woodpecker's API that are used, each resulting in a Poll."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from functools import partial
from typing import TypeVar
from urllib.parse import quote, urlencode

from homelab_hooks.ci.connection import ApiClient, Connect
from homelab_hooks.ci.model import LogLine, Pipeline, QueueInfo, Repo, RunRef, Step
from homelab_hooks.ci.provider import RunFilter
from homelab_hooks.ci.woodpecker import parse
from homelab_hooks.ci.woodpecker.responses import (
    UNKNOWN_REPO_HINT,
    USER_SUBJECT,
    describe_foreign,
    is_filtered,
    is_unmarked,
    mark_as_own,
    read_cancellation,
    read_response,
    refuse_if_not_started,
)
from homelab_hooks.ci.woodpecker.traits import HEALTH_PATH, HEALTHY_STATUS_CODE, MAX_PAGE_SIZE, format_pipelines_page
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Poll, Unavailable

T = TypeVar("T")

HEALTH_TIMEOUT_S = 6.0
"""seconds for /healthz, which a locked database delays by 5 (recording 19-database-locked)"""
MAX_ATTEMPTS = 3
"""attempts within one poll; retrying for minutes is the state machine's job"""


class WoodpeckerClient:
    """A client of a Woodpecker server, with the permissions of a token.

    Args:
        connect: returns the connection, or why there is none now; that is then the result of the request.
        server_url: the server's address for messages and for links to its web pages.
    """

    def __init__(self, connect: Connect, *, server_url: str = "") -> None:
        self._connect = connect
        self._server_url = server_url
        self._header_removed = self._marks_responses = self._health_checked = False

    def user(self, *, within: float) -> Poll[str]:
        """Return the login of the token's owner.

        Only this request rejects a bad token; others read public data anonymously (recording 01-lookup-and-errors).
        """
        return self._get("/api/user", parse.parse_login, USER_SUBJECT, within)

    def repository(self, full_name: str, *, within: float) -> Poll[Repo]:
        """Look up a repository by OWNER/NAME."""
        segments = full_name.split("/")
        if not all(segments) or {".", ".."} & set(segments):  # a URL's dot segments would lead to another endpoint
            return Denied(f"{full_name} is not a repository's name", hint=UNKNOWN_REPO_HINT)
        path = f"/api/repos/lookup/{quote(full_name)}"
        return self._get(path, parse.parse_repo, f"the repository {full_name}", within)

    def can_push(self, repo: Repo, *, within: float) -> Poll[bool]:
        """Return whether the token's owner may push to the repository, and so restart its pipelines."""
        path = f"/api/repos/{repo.id}/permissions"
        return self._get(path, parse.parse_can_push, "the permissions on the repository", within)

    def pipelines(
        self, repo: Repo, *, within: float, page: int = 1, per_page: int = MAX_PAGE_SIZE, only: RunFilter | None = None
    ) -> Poll[tuple[Pipeline, ...]]:
        """Return a page of the list, newest first, without workflows. Servers before 3.0 ignore `only`."""
        wanted = only or RunFilter()
        filters = {"event": ",".join(sorted(wanted.events)), "branch": wanted.branch, "ref": wanted.ref}
        given = {name: value for name, value in filters.items() if value}
        query = urlencode({"page": page, "perPage": per_page, **given})
        reader = partial(parse.parse_pipelines, page_url=self._page_url(repo))
        return self._get(f"/api/repos/{repo.id}/pipelines?{query}", reader, "the repository", within)

    def pipeline(self, repo: Repo, run: RunRef, *, within: float) -> Poll[Pipeline]:
        """Return one pipeline with its workflows and steps."""
        path = f"/api/repos/{repo.id}/pipelines/{run.key}"
        return self._get(path, self._pipeline_reader(repo), f"pipeline {run}", within)

    def log(self, repo: Repo, run: RunRef, step: Step, *, within: float) -> Poll[tuple[LogLine, ...]]:
        """Return the lines of a step's log so far; they can be missing, late, and cut off (recording 02c-late-logs)."""
        path = f"/api/repos/{repo.id}/logs/{run.key}/{step.id}"
        return self._get(path, parse.parse_log, f"the log of step {step.id}", within)

    def queue(self, *, within: float) -> Poll[QueueInfo]:
        """Return the state of the job queue; Denied to everyone but administrators."""
        return self._get("/api/queue/info", parse.parse_queue, "the queue", within)

    def restart(self, repo: Repo, run: RunRef, *, within: float) -> Poll[Pipeline]:
        """Run a pipeline again; sent once only, because a 500 may have created the pipeline (recording 10-restart)."""
        return self._post(f"/api/repos/{repo.id}/pipelines/{run.key}", repo, b"", f"pipeline {run}", within)

    def start(self, repo: Repo, branch: str, *, within: float) -> Poll[Pipeline]:
        """Start a manual pipeline on the tip of a branch; sent once only."""
        body = json.dumps({"branch": branch}).encode()
        return self._post(f"/api/repos/{repo.id}/pipelines", repo, body, f"branch {branch}", within)

    def cancel(self, repo: Repo, run: RunRef, *, within: float) -> Poll[bool]:
        """Cancel a pipeline; return False if it is in no status that can be cancelled (recordings 07 and 07b)."""
        connection = self._connect()
        if not isinstance(connection, Found):
            return connection
        client, token_source = connection.value
        response = client.request("POST", f"/api/repos/{repo.id}/pipelines/{run.key}/cancel", timeout=within)
        if (was_cancelled := read_cancellation(response)) is not None:
            return Found(was_cancelled)
        interpret = partial(self._interpret, bool, f"pipeline {run}", token_source)
        poll = self._read(client, response, interpret)
        return Unavailable("the server answered with a page", FailureKind.BODY) if isinstance(poll, Found) else poll

    def _page_url(self, repo: Repo) -> str:
        return format_pipelines_page(self._server_url, repo.id) if self._server_url else ""

    def _pipeline_reader(self, repo: Repo) -> Callable[[object], Pipeline]:
        return partial(parse.parse_pipeline, page_url=self._page_url(repo))

    def _post(self, path: str, repo: Repo, body: bytes, subject: str, within: float) -> Poll[Pipeline]:
        connection = self._connect()
        if not isinstance(connection, Found):
            return connection
        client, token_source = connection.value
        response = client.request("POST", path, timeout=within, body=body)
        if is_filtered(response):
            return NotFound("no workflow's conditions match")
        interpret = partial(self._interpret, self._pipeline_reader(repo), subject, token_source)
        return refuse_if_not_started(self._read(client, response, interpret), response)

    def _get(self, path: str, parser: Callable[[object], T], subject: str, within: float) -> Poll[T]:
        connection = self._connect()
        if not isinstance(connection, Found):
            return connection
        client, token_source = connection.value

        def fetch() -> Poll[T]:
            response = client.request("GET", path, timeout=within)
            poll = self._read(client, response, partial(self._interpret, parser, subject, token_source))
            return _confirm_slow_refusal(poll, client)

        first = fetch()
        return _retry(fetch, first) if _is_transient(first) else first

    def _interpret(
        self,
        parser: Callable[[object], T],
        subject: str,
        token_source: str,
        response: HttpResponse | RequestFailed,
    ) -> Poll[T]:
        server_url = self._server_url or "CI"
        return read_response(response, parser, subject=subject, token_source=token_source, server_url=server_url)

    def _read(
        self,
        client: ApiClient,
        response: HttpResponse | RequestFailed,
        interpret: Callable[[HttpResponse | RequestFailed], Poll[T]],
    ) -> Poll[T]:
        """Interpret a response. One without Woodpecker's header is Woodpecker's only if a proxy removes that header."""
        if isinstance(response, RequestFailed) or not is_unmarked(response):
            self._marks_responses = self._marks_responses or isinstance(response, HttpResponse)
            return self._note_recognition(interpret(response))
        poll, if_own = interpret(response), interpret(mark_as_own(response))
        if isinstance(poll, Found):  # usable; but a server that marks its responses did not send this one
            return describe_foreign(response) if self._marks_responses else self._check_health_once(client, poll)
        may_be_own = _is_foreign(poll) and not _is_foreign(if_own) and not response.is_html  # the API sends no pages
        return if_own if may_be_own and self._is_header_removed(client) else self._note_recognition(poll)

    def _check_health_once(self, client: ApiClient, poll: Found[T]) -> Found[T]:
        """Return the result of a response without the header. One health check shows whether a proxy removes it."""
        if not self._health_checked:
            self._health_checked = True
            self._is_header_removed(client)
        return poll

    def _note_recognition(self, poll: Poll[T]) -> Poll[T]:
        """Return the result, marked if another server sent it and no response of Woodpecker was ever recognized.

        Other servers have `/api/user` with a `login` too (Drone, Gogs), so a user proves nothing.
        """
        recognized = self._marks_responses or self._header_removed
        if isinstance(poll, Unavailable) and poll.kind is FailureKind.FOREIGN and not recognized:
            return poll._replace(never_recognized=True)
        return poll

    def _is_header_removed(self, client: ApiClient) -> bool:
        """Return whether the health check succeeds as Woodpecker's does, but without its header."""
        if not self._header_removed:
            health = client.request("GET", HEALTH_PATH, timeout=HEALTH_TIMEOUT_S)
            self._header_removed = (
                isinstance(health, HttpResponse) and health.status == HEALTHY_STATUS_CODE and is_unmarked(health)
            )
        return self._header_removed


def _is_foreign(poll: Poll[object]) -> bool:
    return isinstance(poll, Unavailable) and poll.kind is FailureKind.FOREIGN


def _confirm_slow_refusal(poll: Poll[T], client: ApiClient) -> Poll[T]:
    """Accept a slow refusal only if the health check succeeds: a locked database rejects valid tokens, slowly."""
    if not (isinstance(poll, Denied) and poll.slow):
        return poll
    health = client.request("GET", HEALTH_PATH, timeout=HEALTH_TIMEOUT_S)
    if isinstance(health, HttpResponse) and health.status == HEALTHY_STATUS_CODE:
        return poll
    return Unavailable("the server's database is locked, so it rejects valid tokens", FailureKind.STATUS)


def _is_transient(poll: Poll[object]) -> bool:
    """Return whether an immediate retry is cheap and likely to help."""
    return (
        isinstance(poll, Unavailable)
        and poll.kind in {FailureKind.CONNECTION, FailureKind.BODY}
        and poll.retry_after is None
    )


class _RetryNeededError(Exception):
    """Makes stamina retry."""


def _retry(fetch: Callable[[], Poll[T]], last: Poll[T]) -> Poll[T]:
    """Retry a few times within 2 seconds. stamina is imported only when there is something to retry."""
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
