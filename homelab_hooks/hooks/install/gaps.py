"""Finds reasons why an installed hook would not detect a push to the target.

The reference-transaction hook acts when git moves `refs/remotes/REMOTE/BRANCH` during a push, and git does so only if a
fetch refspec of the remote maps the branch to that ref (git-push(1), "remote-tracking branches"). It also has to
recognize the push among its parent processes, by the name that git runs as.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

GIT_PROCESS = re.compile(r"(?:.*/)?(?:git|git-.*|\.git-.*)")
"""the names by which the shims recognize git; the same pattern as in both shims"""


class Gap(NamedTuple):
    """A reason why a push would not be detected, and the command that fixes it."""

    reason: str
    hint: str


class WatchedRemote(NamedTuple):
    """The remote that is pushed to.

    Args:
        refspecs: `remote.NAME.fetch`.
        target: the target branch; empty if it would have to be requested from the remote.
    """

    name: str
    refspecs: tuple[str, ...]
    target: str = ""


def find_gaps(remote: WatchedRemote | None, git_process: str) -> tuple[Gap, ...]:
    """Return why a push to the target would not be detected; empty if it would.

    Args:
        remote: None if there is none, or none could be chosen.
        git_process: the name that git runs as; empty if it cannot be found out.
    """
    return (*_refspec_gaps(remote), *_process_gaps(git_process))


def _refspec_gaps(remote: WatchedRemote | None) -> Iterator[Gap]:
    if remote is None:
        return
    branch = remote.target or "*"
    expected = f"refs/remotes/{remote.name}/{branch}"
    found = tracking_ref(remote.refspecs, f"refs/heads/{branch}")
    if found == expected:
        return
    what = f"{remote.name}/{remote.target}" if remote.target else f"the branches of {remote.name}"
    reason = f"git tracks {what} as {found}" if found else f"no fetch refspec of {remote.name} tracks {what}"
    command = f"git config --add remote.{remote.name}.fetch '+refs/heads/*:refs/remotes/{remote.name}/*'"
    yield Gap(f"a plain git push is not detected: {reason}", f"run {command}")


def _process_gaps(git_process: str) -> Iterator[Gap]:
    if git_process and not GIT_PROCESS.fullmatch(git_process):
        yield Gap(
            f"a plain git push is not detected: git runs as {git_process}, and the hook looks for git",
            "put a git that runs under its own name first on PATH",
        )


def tracking_ref(refspecs: Sequence[str], ref: str) -> str:
    """Return the ref that git updates when `ref` is pushed to a remote with these fetch refspecs; empty if none.

    A push ignores negative refspecs (tried with git 2.39).

    >>> tracking_ref(["+refs/heads/*:refs/remotes/origin/*", "^refs/heads/main"], "refs/heads/main")
    'refs/remotes/origin/main'
    >>> tracking_ref(["+refs/heads/topic:refs/remotes/origin/topic"], "refs/heads/main")
    ''
    """
    for spec in refspecs:
        source, _, target = spec.removeprefix("+").partition(":")
        part = None if spec.startswith("^") else _match(source, ref)
        if part is not None and target:
            return target.replace("*", part, 1)
    return ""


def _match(pattern: str, ref: str) -> str | None:
    """Return what `*` stands for (empty for a pattern without one); None if the ref does not match."""
    before, star, after = pattern.partition("*")
    if not star:
        return "" if ref == pattern else None
    fits = len(ref) >= len(before) + len(after) and ref.startswith(before) and ref.endswith(after)
    return ref[len(before) : len(ref) - len(after)] if fits else None
