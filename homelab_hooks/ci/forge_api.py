"""What the providers of a forge's own CI need of its API, and the words that they share."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar

from homelab_hooks.ci.model import Pipeline, QueueInfo, Repo, RunRef, Status
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import Denied, Found, Poll
from homelab_hooks.text.commit_report import REPORT_PAGE_SIZE, read_run_word
from homelab_hooks.text.json_fields import Json

T = TypeVar("T")
PAGE_SIZE = REPORT_PAGE_SIZE
"""rows of the longest page that Gitea gives (forge recording 04); GitHub gives up to 100"""
WORDS = {
    # GitHub's and Gitea's status
    "queued": Status.PENDING,
    "pending": Status.PENDING,
    "requested": Status.PENDING,
    "waiting": Status.PENDING,  # for another job or a runner (Gitea, Forgejo), or a protection rule (GitHub)
    "in_progress": Status.RUNNING,
    # the conclusion of what is completed
    "success": Status.SUCCESS,
    "failure": Status.FAILURE,
    "timed_out": Status.FAILURE,
    "startup_failure": Status.ERROR,
    "cancelled": Status.CANCELED,
    "skipped": Status.SKIPPED,
    "neutral": Status.SKIPPED,
    "action_required": Status.BLOCKED,
    # Forgejo's status, which has no conclusion beside it
    "running": Status.RUNNING,
    "blocked": Status.PENDING,  # by a job that it needs
}
"""GitHub: "Workflow runs" and "Check runs" in the REST documentation; Forgejo 16: its status words in its source.

Gitea's are in forge recordings 07 to 07h; the others were not seen on a real server.
"""


class ForgeApi(Protocol):
    """Sends requests to the API of one forge, with a token of its own."""

    def get(self, path: str, parse: Callable[[object], T], subject: str, *, within: float) -> Poll[T]:
        """Read an object or a list. `subject` names it in messages."""

    def send(self, method: str, path: str, *, within: float) -> HttpResponse | RequestFailed:
        """Send a request, and return the response as it is."""

    def read(self, response: HttpResponse | RequestFailed, parse: Callable[[object], T], subject: str) -> Poll[T]:
        """Return the result of a request from its response."""


def read_status(json: Json) -> tuple[Status, str]:
    """Return the status and the forge's own word: only what is completed has a conclusion that counts.

    >>> read_status({"status": "in_progress", "conclusion": "success"})[0].value
    'running'
    >>> read_status({"status": "completed", "conclusion": "stale"})
    (<Status.UNKNOWN: 'unknown'>, 'stale')
    """
    word = read_run_word(json)
    return WORDS.get(word, Status.UNKNOWN), word


class AttemptCounter:
    """Counts the attempts of what keeps its ID when it runs again.

    Gitea 1.26 reports attempt 0 for every run: one that was completed and is queued again is another attempt (forge
    recording 07e-actions-rerun). GitHub's `run_attempt` counts from 1.
    """

    def __init__(self) -> None:
        self._last: dict[Hashable, tuple[int, bool]] = {}

    def count(self, key: Hashable, status: Status, *, reported: int = 0) -> int:
        """Return the number of the attempt that a response shows."""
        attempt, was_final = self._last.get(key, (1, False))
        attempt = max(attempt + (was_final and not status.is_final), reported)
        self._last[key] = (attempt, status.is_final)
        return attempt


class ReadOnlyAccount:
    """What a forge's API is not asked: a token needs to read the repository only."""

    def user(self, *, within: float) -> Poll[str]:
        """Return that the user is not looked up: `GET /user` needs another scope (forge recording 01)."""
        del within
        return Found("")

    def can_push(self, repo: Repo, *, within: float) -> Poll[bool]:
        """Return that nothing can be restarted here."""
        del repo, within
        return Found(value=False)

    def queue(self, *, within: float) -> Poll[QueueInfo]:
        """Return that a forge has no queue to read."""
        del within
        return Denied("a forge's API does not show the queue of its runners")


class NoRunControl:
    """A forge's runs are neither started nor cancelled."""

    def restart(self, repo: Repo, run: RunRef, *, within: float) -> Poll[Pipeline]:
        """Refuse."""
        del repo, within
        return Denied(f"{run} cannot be restarted here", hint="start it again on its web page")

    def start(self, repo: Repo, branch: str, *, within: float) -> Poll[Pipeline]:
        """Refuse."""
        del repo, within
        return Denied(f"no run of {branch} can be started here", hint="start it on the forge's web page")

    def cancel(self, repo: Repo, run: RunRef, *, within: float) -> Poll[bool]:
        """Refuse."""
        del repo, within
        return Denied(f"{run} cannot be cancelled here", hint="cancel it on its web page")
