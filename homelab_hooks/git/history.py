"""Commits: what a name means, what contains what, and what a commit holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from homelab_hooks.errors import CommandError
from homelab_hooks.git.command import GitCommands
from homelab_hooks.git.containment import Containment

_FULL_SHA = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_TAGS = "refs/tags/"
FETCH_TIMEOUT_S = 10.0
"""seconds a fetch of an unknown commit may take"""


class Commit(NamedTuple):
    """What a name stands for; `tag` is its full ref where the name is a tag's."""

    sha: str
    tag: str = ""


class History:
    """Questions about commits; none of them changes anything but the object store."""

    def __init__(self, git: GitCommands) -> None:
        self._git = git

    def resolve(self, name: str) -> Commit | None:
        """The commit that git takes `name` for; a full sha is taken also where there is no such commit here."""
        sha = self._git.line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if not _FULL_SHA.fullmatch(sha):  # ^HEAD is taken too, and means all but it
            return Commit(name.lower()) if _FULL_SHA.fullmatch(name) else None
        if name == "HEAD" or _FULL_SHA.fullmatch(name):
            return Commit(sha)
        full = self._git.line("rev-parse", "--symbolic-full-name", "--verify", "--quiet", "--end-of-options", name)
        return Commit(sha, full if full.startswith(_TAGS) else "")

    def head(self) -> str:
        """The commit that is checked out; empty before the first."""
        return self._git.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}")

    def current_branch(self) -> str:
        """The branch that is checked out; empty when HEAD is detached."""
        name = self._git.line("symbolic-ref", "--quiet", "HEAD")
        return name.removeprefix("refs/heads/") if name.startswith("refs/heads/") else ""

    def branch_commit(self, branch: str) -> str:
        """The commit that a branch here is at; empty where there is no such branch."""
        return self._git.line("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")

    def tree_of(self, sha: str) -> str:
        """The tree of a commit."""
        return self._git.line("rev-parse", "--verify", "--quiet", f"{sha}^{{tree}}")

    def parents(self, sha: str) -> tuple[str, ...]:
        """A commit's parents, the first first."""
        return tuple(self._git.line("show", "--no-patch", "--no-show-signature", "--format=%P", sha, "--").split())

    def commit_message(self, sha: str) -> str:
        """A commit's whole message; empty where the commit is not here."""
        return self._git.line("show", "--no-patch", "--no-show-signature", "--format=%B", f"{sha}^{{commit}}", "--")

    def has_commit(self, sha: str) -> bool:
        """Whether the commit is here."""
        return self._git.run("cat-file", "-e", f"{sha}^{{commit}}").ok

    def is_ancestor(self, *, older: str, newer: str) -> bool:
        """Whether `newer` contains `older`; both must be here."""
        return self._git.run("merge-base", "--is-ancestor", older, newer).ok

    def have_common_ancestor(self, a: str, b: str) -> bool:
        """Whether two commits have a common ancestor here."""
        return self._git.run("merge-base", a, b).ok

    def commits_ahead(self, *, of: str, sha: str) -> int:
        """How many commits `sha` has that `of` has not."""
        return self._git.count("rev-list", "--count", sha, f"^{of}")

    def unpushed_count(self, sha: str) -> int:
        """How many of a commit's ancestors, itself included, no remote-tracking branch has."""
        return self._git.count("rev-list", "--count", sha, "--not", "--remotes")

    def is_shallow(self) -> bool:
        """Whether history ends early here."""
        return self._git.line("rev-parse", "--is-shallow-repository") == "true"

    def has_ci_configuration(self, sha: str, paths: Sequence[str]) -> bool | None:
        """Return whether the commit has one of these files or folders; None if the commit is not in this repository."""
        done = self._git.run("ls-tree", "-z", "--full-tree", "--name-only", f"{sha}^{{commit}}", "--", *paths)
        return bool(done.stdout) if done.ok else None

    def fetch_objects(self, remote: str, ref: str) -> bool:
        """Bring a commit or a branch here without moving any ref; gives up after `PATIENCE` seconds."""
        done = self._git.query_remote(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
            "--no-recurse-submodules", "--refmap=", "--", remote, ref,
            remote=remote, timeout=FETCH_TIMEOUT_S,
        )  # fmt: skip
        return done.ok


class GitContainment:
    """Answers whether one commit contains another (`homelab_hooks.git.containment.Contains`).

    Args:
        history: the repository.
        remote: asked once for a commit that is not here; empty: nobody is asked.
        branch: fetched where the commit alone cannot be had.
    """

    def __init__(self, history: History, *, remote: str = "", branch: str = "") -> None:
        self._history = history
        self._sources = (remote, branch)
        self._asked: set[str] = set()

    def __call__(self, *, newer: str, ours: str) -> Containment:
        """Never raises; what cannot be found out is UNKNOWN."""
        try:
            full = [self._find(name) for name in (newer, ours)]
            if not all(full):
                return Containment.UNKNOWN
            if self._history.is_ancestor(older=full[1], newer=full[0]):
                return Containment.CONTAINS
            # Where history ends early, what is not seen may still be there.
            return Containment.UNKNOWN if self._history.is_shallow() else Containment.NOT_CONTAINED
        except CommandError:
            return Containment.UNKNOWN

    def _find(self, name: str) -> str:
        found = self._here(name)
        if found or name in self._asked:
            return found
        self._asked.add(name)
        remote, branch = self._sources
        if remote and _FULL_SHA.fullmatch(name):
            self._history.fetch_objects(remote, name.lower())
        if remote and branch and not self._here(name):
            self._history.fetch_objects(remote, f"refs/heads/{branch}")
        return self._here(name)

    def _here(self, name: str) -> str:
        found = self._history.resolve(name)
        return found.sha if found and self._history.has_commit(found.sha) else ""
