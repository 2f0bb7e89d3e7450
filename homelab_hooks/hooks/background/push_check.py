"""Finds out whether a push landed: from this repository's refs, and from the server if they do not show it."""

from __future__ import annotations

import os
from collections.abc import Callable

from homelab_hooks.git.landed import BranchQuery, as_landed
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.hooks.background.job import WatchJob
from homelab_hooks.polling.loop import Clock
from homelab_hooks.system import process_table
from homelab_hooks.system.process_table import ProcessInfo

FIRST_INTERVAL_S, LATER_INTERVAL_S = 0.1, 0.5
"""between two polls for the end of the push: at first, and after the quick phase"""
QUICK_PHASE_S = 5.0


def find_git_push() -> ProcessInfo | None:
    """Return the git process that runs this hook: the nearest ancestor named git."""
    return next((process for process in process_table.ancestors(os.getpid()) if process.name == "git"), None)


def wait_for_exit(push: ProcessInfo, *, is_running: Callable[[ProcessInfo], bool], clock: Clock) -> None:
    """Wait until the push has ended. Its exit code cannot be read: it is not our child process.

    Args:
        is_running: returns whether a process still runs.
    """
    began = clock.now()
    while is_running(push):
        clock.sleep(FIRST_INTERVAL_S if clock.now() - began < QUICK_PHASE_S else LATER_INTERVAL_S)


def push_landed(git: ReadOnlyRepository, job: WatchJob) -> bool | None:
    """Return whether the commit is on the branch, now that the push has ended; None if no remote responds.

    The tracking branch is trusted if the only push URL of its remote is the fetch URL. The server is asked about all
    other pushes, and about those that seem to have failed: it may have accepted a push whose response git did not
    receive.
    """
    remote, branch = job.remote, job.branch
    urls = git.remotes.push_urls(remote)
    tracked = remote in git.remotes.remote_names() and urls == (git.remotes.fetch_url(remote),)
    moved = (
        git.remotes.reflog_length(remote, branch) > job.reflog_length
        and git.remotes.last_push_commit(remote, branch) == job.sha
    )
    if tracked and moved:
        return True
    query = BranchQuery(remotes=git.remotes, history=git.history)
    answers = [as_landed(query.poll(job.sha, url=url, branch=branch)) for url in urls]
    if True in answers:
        return True
    if None not in answers:
        return False
    has_reflog = git.location.config_value("core.logAllRefUpdates") not in {"false", "0", "no", "off"}
    return False if tracked and has_reflog else None
