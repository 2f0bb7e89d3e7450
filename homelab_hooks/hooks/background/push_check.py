"""Whether a push landed: what this repository knows of it, else what the server says."""

from __future__ import annotations

from collections.abc import Callable

from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.hooks.background.job import WatchJob
from homelab_hooks.polling.loop import Clock
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.system.process_table import ProcessInfo

FIRST_INTERVAL_S, LATER_INTERVAL_S, QUICK_PHASE_S = 0.1, 0.5, 5.0
"""seconds between two looks for the push: at first, and after so many seconds"""


def wait_for_exit(push: ProcessInfo, *, there: Callable[[ProcessInfo], bool], clock: Clock) -> None:
    """Wait until the push has ended; how it did cannot be seen."""
    begin = clock.now()
    while there(push):
        clock.sleep(FIRST_INTERVAL_S if clock.now() - begin < QUICK_PHASE_S else LATER_INTERVAL_S)


def push_landed(git: ReadOnlyRepository, ticket: WatchJob) -> bool | None:
    """Whether the commit is on the branch, now that the push has ended; None where nobody says.

    The tracking branch is believed where it follows the very URL that is pushed to. The server is asked about all other
    pushes, and about those that seem to have failed: it may have taken what git then did not hear of.
    """
    remote, branch = ticket.remote, ticket.branch
    urls = git.remotes.push_urls(remote)
    tracked = remote in git.remotes.remote_names() and urls == (git.remotes.fetch_url(remote),)
    moved = (
        git.remotes.reflog_length(remote, branch) > ticket.reflog_length
        and git.remotes.last_push_commit(remote, branch) == ticket.sha
    )
    if tracked and moved:
        return True
    answers = [_on_server(git, url, ticket, git.remotes.ls_remote_branch(url, branch)) for url in urls]
    if True in answers:
        return True
    if None not in answers:
        return False
    noted = git.location.config_value("core.logAllRefUpdates") not in {"false", "0", "no", "off"}
    return False if tracked and noted else None


def _on_server(git: ReadOnlyRepository, url: str, ticket: WatchJob, tip: Poll[str]) -> bool | None:
    match tip:
        case Found(sha):
            return sha == ticket.sha or _contains(git, url, ticket, sha)
        case NotFound():
            return False
        case Unavailable() | Denied():
            return None


def _contains(git: ReadOnlyRepository, url: str, ticket: WatchJob, tip: str) -> bool | None:
    """Whether others have pushed on top of it since."""
    if not git.history.has_commit(tip):
        git.history.fetch_objects(url, f"refs/heads/{ticket.branch}")
    return git.history.is_ancestor(older=ticket.sha, newer=tip) if git.history.has_commit(tip) else None
