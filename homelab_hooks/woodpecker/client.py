"""The few calls that are made of Woodpecker's API, each a look."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable
from typing import TypeVar
from urllib.parse import quote, urlencode

from homelab_hooks.looks import Denied, Fault, Look, Missed, Seen
from homelab_hooks.model import LogLine, Pipeline, Queue, Repo
from homelab_hooks.reply import Reply
from homelab_hooks.woodpecker import parse
from homelab_hooks.woodpecker.answer import read
from homelab_hooks.woodpecker.entry import Asks, Enter

T = TypeVar("T")

PER_PAGE = 50
"""the most that the server gives (fact sheet, section 3)"""
QUICK = 6.0
"""seconds for /healthz, which a locked database delays by 5 (measured, B5)"""
ATTEMPTS = 3
"""tries within one look; minutes of patience belong to the machine"""


class Woodpecker:
    """A server as one token sees it.

    Args:
        enter: the way in; where it is closed, that is what a question comes to.
        web: where people find it, for messages.
        deadline: seconds for one answer.
    """

    def __init__(self, enter: Enter, *, web: str = "CI", deadline: float = 15.0) -> None:
        self._enter = enter
        self._web = web
        self._deadline = deadline

    def within(self, seconds: float) -> None:
        """From now on an answer may take this long."""
        self._deadline = seconds

    def user(self) -> Look[str]:
        """Who the token belongs to; a bad token is refused only here (fact 4)."""
        return self._get("/api/user", parse.login, "the user")

    def lookup(self, full_name: str) -> Look[Repo]:
        """The repository of this name."""
        return self._get(f"/api/repos/lookup/{quote(full_name)}", parse.repo, f"the repository {full_name}")

    def find(self, names: Iterable[str]) -> Look[Repo]:
        """The repository under the first of these names that CI knows, else what it says of the last."""
        look: Look[Repo] = Denied("the repository's OWNER/NAME is not known", hint="give it with --repo OWNER/NAME")
        for name in names:
            look = self.lookup(name)
            if not isinstance(look, Denied) or look.final:
                break
        return look

    def may_push(self, repo: int) -> Look[bool]:
        """Whether the token's owner may push to it, and so restart its pipelines."""
        return self._get(f"/api/repos/{repo}/permissions", parse.may_push, "the rights to the repository")

    def pipelines(self, repo: int, *, page: int = 1, per_page: int = PER_PAGE) -> Look[tuple[Pipeline, ...]]:
        """A page of the list, newest number first, without workflows."""
        query = urlencode({"page": page, "perPage": per_page})
        return self._get(f"/api/repos/{repo}/pipelines?{query}", parse.pipelines, "the repository")

    def pipeline(self, repo: int, number: int) -> Look[Pipeline]:
        """One pipeline with its workflows and steps."""
        return self._get(f"/api/repos/{repo}/pipelines/{number}", parse.pipeline, f"pipeline #{number}")

    def log(self, repo: int, number: int, step: int) -> Look[tuple[LogLine, ...]]:
        """A step's log as far as it has arrived; it can be empty, late and cut (measured, A3)."""
        return self._get(f"/api/repos/{repo}/logs/{number}/{step}", parse.log, f"the log of step {step}")

    def queue(self) -> Look[Queue]:
        """The server's queue; refused to all but administrators."""
        return self._get("/api/queue/info", parse.queue, "the queue")

    def restart(self, repo: int, number: int) -> Look[Pipeline]:
        """Run a pipeline again; asked once only, for a 500 may have made the row (measured, B10)."""
        return self._post(f"/api/repos/{repo}/pipelines/{number}", b"", f"pipeline #{number}")

    def start(self, repo: int, branch: str) -> Look[Pipeline]:
        """Start a manual pipeline on the tip of a branch; asked once only."""
        body = json.dumps({"branch": branch}).encode()
        return self._post(f"/api/repos/{repo}/pipelines", body, f"branch {branch}")

    def _post(self, path: str, body: bytes, what: str) -> Look[Pipeline]:
        entry = self._enter()
        if not isinstance(entry, Seen):
            return entry
        asks, token = entry.value
        reply = asks.ask("POST", path, deadline=self._deadline, body=body)
        return read(reply, parse.pipeline, what=what, token=token, web=self._web)

    def _get(self, path: str, shape: Callable[[object], T], what: str) -> Look[T]:
        entry = self._enter()
        if not isinstance(entry, Seen):
            return entry
        asks, token = entry.value

        def look() -> Look[T]:
            reply = asks.ask("GET", path, deadline=self._deadline)
            return _checked(read(reply, shape, what=what, token=token, web=self._web), asks)

        first = look()
        return _again(look, first) if _blip(first) else first


def _checked(look: Look[T], asks: Asks) -> Look[T]:
    """A slow refusal counts only if the server says that it is well."""
    if not (isinstance(look, Denied) and look.slow):
        return look
    health = asks.ask("GET", "/healthz", deadline=QUICK)
    if isinstance(health, Reply) and health.status == 204:  # noqa: PLR2004 - what a well server answers
        return look
    return Missed("the server's database is locked (it refuses every token, slowly)", Fault.STATUS)


def _blip(look: Look[object]) -> bool:
    """Whether asking again at once is likely to help, and cheap."""
    return isinstance(look, Missed) and look.fault in {Fault.CONNECTION, Fault.BODY} and look.retry_after is None


class _AgainError(Exception):
    """One more try, please."""


def _again(look: Callable[[], Look[T]], last: Look[T]) -> Look[T]:
    """A few quick tries more, each after a moment; stamina is imported only when there is something to retry."""
    import stamina
    from stamina.instrumentation import set_on_retry_hooks

    set_on_retry_hooks([])  # its own hook would log to the terminal
    tries = 1

    @stamina.retry(on=_AgainError, attempts=ATTEMPTS, timeout=2.0, wait_initial=0.1, wait_max=0.5, wait_jitter=0.1)
    def steadily() -> None:
        nonlocal last, tries
        if tries > 1:
            last = look()
        tries += 1
        if _blip(last):
            raise _AgainError

    with contextlib.suppress(_AgainError):
        steadily()
    return last
