"""Parses what is being pushed, from the input of a pre-push hook or the variables of pre-commit and prek."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

_HEADS = "refs/heads/"
_ADD_REMOTE_HINT = "to add a remote, run git remote add origin URL"


class RefUpdate(NamedTuple):
    """The update of one ref on the server."""

    sha: str
    """the new commit; zeros delete the ref"""
    ref: str

    @property
    def is_deletion(self) -> bool:
        """Return whether the ref is deleted."""
        return not self.sha.strip("0")

    @property
    def branch(self) -> str:
        """Return the branch's name; empty if the ref is not a branch."""
        return self.ref.removeprefix(_HEADS) if self.ref.startswith(_HEADS) else ""


class PushInput(NamedTuple):
    """One push; `remote` is a name, or the URL if the push used a URL."""

    remote: str
    url: str
    updates: tuple[RefUpdate, ...]

    @property
    def branch_updates(self) -> tuple[RefUpdate, ...]:
        """Return the updates that push a commit to a branch."""
        return tuple(update for update in self.updates if update.branch and not update.is_deletion)


def parse_git_input(remote: str, url: str, stdin: str) -> PushInput:
    r"""Parse git's lines LOCAL-REF LOCAL-SHA REMOTE-REF REMOTE-SHA; there are none if all is up to date (githooks(5)).

    >>> parse_git_input("origin", "u", "HEAD@{1 day ago} 1f2e refs/heads/main 0000\n").updates[0]
    RefUpdate(sha='1f2e', ref='refs/heads/main')
    """
    # Ref names may contain characters that str.split and splitlines treat as white space.
    lines = (line.rsplit(" ", 3) for line in stdin.split("\n"))
    return PushInput(
        remote, url or remote, tuple(RefUpdate(sha, ref) for _, sha, ref, _ in filter(_parse_update, lines))
    )


def _parse_update(words: list[str]) -> bool:
    return len(words) == 4 and all(words)  # noqa: PLR2004 - two refs and two commits


def from_pre_commit(environ: Mapping[str, str], resolve: Callable[[str], str]) -> PushInput | None:
    """Parse the variables of pre-commit and prek; None if they are not set.

    They name one ref of the push, and its commit only if the server has the root commit of its history.

    Args:
        resolve: returns the commit of a revision; empty if there is none.

    >>> told = {"PRE_COMMIT_REMOTE_BRANCH": "refs/heads/main", "PRE_COMMIT_LOCAL_BRANCH": "HEAD"}
    >>> from_pre_commit({**told, "PRE_COMMIT_REMOTE_NAME": "origin"}, {"HEAD": "1f2e"}.get)
    PushInput(remote='origin', url='origin', updates=(RefUpdate(sha='1f2e', ref='refs/heads/main'),))
    >>> from_pre_commit({"PRE_COMMIT": "1"}, str) is None
    True
    """
    ref, remote = environ.get("PRE_COMMIT_REMOTE_BRANCH", ""), environ.get("PRE_COMMIT_REMOTE_NAME", "")
    if not (ref and remote):
        return None
    sha = environ.get("PRE_COMMIT_TO_REF") or environ.get("PRE_COMMIT_LOCAL_BRANCH") or "HEAD"
    found = resolve(sha)
    return PushInput(
        remote, environ.get("PRE_COMMIT_REMOTE_URL") or remote, (RefUpdate(found, ref),) if found else ()
    )  # fmt: skip
