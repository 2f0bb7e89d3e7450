"""Queries the server whether a commit is on a branch, for a push whose result is unknown."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.git.containment import Containment
from homelab_hooks.git.history import History
from homelab_hooks.git.remotes import REMOTE_TIMEOUT_S, Remotes
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Unavailable


class BranchQuery(NamedTuple):
    """Queries the server about a push whose result is unknown: interrupted, cut off, or made by another process.

    The server's branch decides, not the tracking branch, which git moves only after the server's response.
    """

    remotes: Remotes
    """queries the server; its runner must not prompt where the user has interrupted the command"""
    history: History
    """compares the server's commit with ours"""
    timeout: float = REMOTE_TIMEOUT_S
    """seconds for the server to respond"""
    fetches: bool = True
    """fetch the server's commit if it is not here: others may have pushed on top of this one since"""

    def poll(self, sha: str, *, url: str, branch: str) -> Found[Containment] | Unavailable | Denied:
        """Return whether the branch contains the commit.

        UNKNOWN: the server's commit is not here, so that nothing can be compared. A branch that does not exist
        contains nothing.
        """
        match self.remotes.ls_remote_branch(url, branch, timeout=self.timeout):
            case Found(tip) if tip == sha:
                return Found(Containment.CONTAINS)
            case Found(tip):
                return Found(self._compare(sha, tip, url=url, branch=branch))
            case NotFound():
                return Found(Containment.NOT_CONTAINED)
            case Unavailable() | Denied() as no_answer:
                return no_answer

    def _compare(self, sha: str, tip: str, *, url: str, branch: str) -> Containment:
        history = self.history
        if self.fetches and not history.has_commit(tip):
            history.fetch_objects(url, f"refs/heads/{branch}")
        if not history.has_commit(tip):
            return Containment.UNKNOWN
        return history.compare(older=sha, newer=tip)


def as_landed(answer: Found[Containment] | Unavailable | Denied) -> bool | None:
    """Return the result of a query as `landed` is reported: true, false, or null if it is unknown.

    >>> as_landed(Found(Containment.CONTAINS)), as_landed(Unavailable("timed out"))
    (True, None)
    """
    if not isinstance(answer, Found) or answer.value is Containment.UNKNOWN:
        return None
    return answer.value is Containment.CONTAINS
