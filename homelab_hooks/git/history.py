"""Commits: resolving names, ancestry, and a commit's contents."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import Enum, auto
from math import inf
from typing import NamedTuple

from homelab_hooks.errors import CommandError
from homelab_hooks.git.command import GitCommands
from homelab_hooks.git.containment import Containment
from homelab_hooks.git.location import Location

_FULL_SHA = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_HEADS = "refs/heads/"
_TAGS = "refs/tags/"
_NOT_IN_REF = re.compile(r"[\^~:]|@\{")
"""what makes a revision more than the name of a ref"""
_TAGGED_OBJECT = re.compile(r"object ([0-9a-f]{40}|[0-9a-f]{64})\n")
_REFLOG_ENTRY = re.compile(r"(?P<sha>[0-9a-f]+) .*@\{(?P<at>[0-9]{1,12})\}", re.DOTALL)
_NOT_AT_REMOTE = re.compile(rb"upload-pack: not our ref ")
"""what git-upload-pack responds, in protocol 2, about a commit that it does not have (tried with git 2.39)"""
MAX_NESTED_TAGS = 16
"""tags that point to each other and are followed"""
FETCH_TIMEOUT_S = 10.0
"""seconds that a fetch of an unknown commit may take"""
REFETCH_AFTER_S = 30.0
"""seconds between two fetches of a commit that is still missing"""


class Commit(NamedTuple):
    """A resolved name; `tag` is the full ref if the name is a tag."""

    sha: str
    tag: str = ""
    tag_objects: tuple[str, ...] = ()
    """the annotated tags between the name and the commit, the outermost first; a tag can point to another tag"""


class CheckedOut(NamedTuple):
    """What HEAD is: its branch, empty if HEAD is detached, and its commit, empty before the first one."""

    branch: str
    sha: str


class ObjectFetch(Enum):
    """The result of a fetch of a commit or a branch."""

    FETCHED = auto()
    ABSENT = auto()
    """the remote responded and does not have the commit"""
    FAILED = auto()


class BranchCommit(NamedTuple):
    """A commit of a branch; a rebase keeps its `identity`."""

    sha: str
    parents: tuple[str, ...]
    identity: str
    """author, time and first line of the message"""
    subject: str

    @property
    def merged(self) -> tuple[str, ...]:
        """Return the parents after the first: what a merge brought in."""
        return self.parents[1:]


class History:
    """Reads commits; changes nothing but the object store."""

    def __init__(self, git: GitCommands, location: Location) -> None:
        self._git, self._location = git, location

    def resolve(self, name: str) -> Commit | None:
        """Return the commit that git resolves `name` to; None for what is not one commit, such as a range or a tree.

        A full SHA that the repository does not have is returned as it is.
        """
        sha = self._commit_of(name)
        if not sha:
            is_missing = _FULL_SHA.fullmatch(name) and not self._git.run("cat-file", "-e", name).ok
            return Commit(name.lower()) if is_missing else None
        if name == "HEAD":
            return Commit(sha)
        ref = "" if _FULL_SHA.fullmatch(name) else self._ref_of(name, sha)
        if ref and not ref.startswith(_TAGS):
            return Commit(sha)
        return Commit(sha, ref, self._tag_objects(ref or name, sha))

    def _commit_of(self, name: str) -> str:
        """Return the commit that a revision means; empty if it is not one commit."""
        if "\0" in name:
            return ""
        # Git would take `:/text^{commit}` as a search for that text, so this form is resolved in two steps.
        found = self._object_of(name) if name.startswith(":/") else name
        sha = self._object_of(f"{found}^{{commit}}")
        return sha if _FULL_SHA.fullmatch(sha) else ""  # `^HEAD` resolves too, and means everything but HEAD

    def _object_of(self, name: str) -> str:
        return self._git.line("rev-parse", "--verify", "--quiet", "--end-of-options", name)

    def _ref_of(self, name: str, sha: str) -> str:
        """Return the full ref that a name means, and empty if it is not a ref's name. A tag precedes a branch.

        `--symbolic-full-name` prints nothing where both exist.
        """
        full = self._git.line("rev-parse", "--symbolic-full-name", "--verify", "--quiet", "--end-of-options", name)
        if full or _NOT_IN_REF.search(name):
            return full
        tag = f"{_TAGS}{name}"
        is_tag = self._git.run("show-ref", "--verify", "--quiet", "--", tag).ok and self._commit_of(tag) == sha
        return tag if is_tag else ""

    def _tag_objects(self, name: str, sha: str) -> tuple[str, ...]:
        """Return the annotated tags from a name down to its commit."""
        found: list[str] = []
        tag = self._object_of(name)
        while tag and tag != sha and len(found) < MAX_NESTED_TAGS:
            found.append(tag)
            inner = _TAGGED_OBJECT.match(self._git.line("cat-file", "tag", tag))
            tag = inner[1] if inner else ""
        return tuple(found)

    def tag_names_at(self, sha: str) -> tuple[str, ...]:
        """Return the names of the tags of a commit, annotated or not."""
        return self._git.lines("for-each-ref", "--format=%(refname:lstrip=2)", f"--points-at={sha}", _TAGS)

    def tag_commit(self, name: str) -> str:
        """Return the commit that a tag leads to, annotated or not; empty if the tag does not exist."""
        return self._object_of(f"{_TAGS}{name}^{{commit}}")

    def annotated_tags_at(self, sha: str) -> tuple[str, ...]:
        """Return the SHAs of the annotated tags that lead to a commit, also through other tags."""
        found: dict[str, None] = {}
        targets = [sha]
        for _ in range(MAX_NESTED_TAGS):
            points_at = [f"--points-at={target}" for target in targets]
            tags = self._git.lines("for-each-ref", *points_at, "--format=%(objectname)", _TAGS)
            targets = [tag for tag in dict.fromkeys(tags) if tag != sha and tag not in found]
            if not targets:
                break
            found |= dict.fromkeys(targets)
        return tuple(found)

    def head(self) -> str:
        """Return the commit that is checked out; empty before the first commit."""
        return self._git.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}")

    def current_branch(self) -> str:
        """Return the branch that is checked out; empty if HEAD is detached."""
        name = self._git.line("symbolic-ref", "--quiet", "HEAD")
        return name.removeprefix(_HEADS) if name.startswith(_HEADS) else ""

    def checked_out(self) -> CheckedOut:
        """Return the branch and the commit that are checked out, from one call."""
        done = self._git.run("rev-parse", "HEAD^{commit}", "--symbolic-full-name", "HEAD")
        if not done.ok or len(done.lines) != len(CheckedOut._fields):  # before the first commit
            return CheckedOut(self.current_branch(), self.head())
        sha, ref = done.lines
        return CheckedOut(ref.removeprefix(_HEADS) if ref.startswith(_HEADS) else "", sha)

    def branch_commit(self, branch: str) -> str:
        """Return the commit of a local branch; empty if the branch does not exist."""
        return self._git.line("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")

    def was_branch_commit(self, branch: str, sha: str) -> bool:
        """Return whether the reflog of a local branch has the commit: it once was the branch's."""
        return sha in self._git.lines("rev-list", "--walk-reflogs", f"refs/heads/{branch}", "--")

    def tree_of(self, sha: str) -> str:
        """Return the tree of a commit."""
        return self._git.line("rev-parse", "--verify", "--quiet", f"{sha}^{{tree}}")

    def parents(self, sha: str) -> tuple[str, ...]:
        """Return a commit's parents in order."""
        return tuple(self._git.line("show", "--no-patch", "--no-show-signature", "--format=%P", sha, "--").split())

    def commit_message(self, sha: str) -> str:
        """Return a commit's message; empty if the commit is missing locally."""
        return self._git.line("show", "--no-patch", "--no-show-signature", "--format=%B", f"{sha}^{{commit}}", "--")

    def has_commit(self, sha: str) -> bool:
        """Return whether the repository has the commit."""
        return self._git.run("cat-file", "-e", f"{sha}^{{commit}}").ok

    def is_ancestor(self, *, older: str, newer: str) -> bool:
        """Return whether `newer` contains `older`; the repository must have both."""
        return self.compare(older=older, newer=newer) is Containment.CONTAINS

    def compare(self, *, older: str, newer: str) -> Containment:
        """Return whether `newer` contains `older`; UNKNOWN if a commit is missing locally.

        In a shallow clone, NOT_CONTAINED can mean that the history ends too early.
        """
        code = self._git.run("merge-base", "--is-ancestor", older, newer).code
        return {0: Containment.CONTAINS, 1: Containment.NOT_CONTAINED}.get(code, Containment.UNKNOWN)

    def common_ancestor(self, a: str, b: str) -> str:
        """Return the best common ancestor of two commits in this repository; empty if they have none.

        It is `a` if `b` contains `a`, and `b` if `a` contains `b`.
        """
        return self._git.line("merge-base", a, b)

    def commits_ahead(self, *, of: str, sha: str) -> int:
        """Return the number of commits that `sha` contains and `of` does not."""
        return self._git.count("rev-list", "--count", sha, f"^{of}")

    def commits_beyond(self, sha: str, *, known: Sequence[str], besides: str = "") -> tuple[BranchCommit, ...]:
        """Return the commits up to `sha` that the `known` ones do not contain, the oldest first.

        Args:
            known: commits; those that are missing here, and empty names, are ignored.
            besides: a branch: commits that any other branch, remote-tracking branch or tag contains are left out.

        Raises:
            CommandError: (refused) git fails: "none" would be wrong.
        """
        elsewhere = (f"--exclude={besides}", "--branches", "--tags", "--remotes") if besides else ()
        entries = self._git.list_entries(
            "rev-list", "--reverse", "--no-commit-header", "--format=%H%x1f%P%x1f%an <%ae> %at%x1f%s%x00",
            "--ignore-missing", sha, "--not", *filter(None, known), *elsewhere, "--",
        )  # fmt: skip
        return tuple(_parse_branch_commit(entry) for entry in map(str.strip, entries) if entry)

    def first_parent_trees(self, old: str, new: str) -> tuple[tuple[str, str], ...]:
        """Return each commit that a branch got between two tips, with its tree, the oldest first."""
        lines = self._git.lines(
            "log", "--first-parent", "--reverse", "--no-show-signature", "--no-patch", "--format=%H %T", new, f"^{old}",
            "--",
        )  # fmt: skip
        return tuple((sha, tree) for sha, _, tree in (line.partition(" ") for line in lines))

    def unpushed_count(self, sha: str) -> int:
        """Return the number of commits up to this one that no remote-tracking branch contains."""
        return self._git.count("rev-list", "--count", sha, "--not", "--remotes")

    def unreferenced_count(self) -> int:
        """Return the number of commits of a detached HEAD that no branch or tag contains."""
        return self._git.count("rev-list", "--count", "HEAD", "--not", "--branches", "--tags", "--remotes")

    def is_shallow(self) -> bool:
        """Return whether this is a shallow clone; git then keeps a file `shallow` (gitrepository-layout)."""
        common = self._location.common_dir()
        return common is not None and (common / "shallow").exists()

    def has_ci_configuration(self, sha: str, paths: Sequence[str]) -> bool | None:
        """Return whether the commit has one of these files or folders; None if the commit is not in this repository."""
        done = self._git.run("ls-tree", "-z", "--full-tree", "--name-only", f"{sha}^{{commit}}", "--", *paths)
        return bool(done.stdout) if done.ok else None

    def previous_commit(self, ref: str) -> str:
        """Return what a ref was before its last change, by its reflog; empty if that is not known."""
        return self._object_of(f"{ref}@{{1}}")

    def ref_updates(self, ref: str) -> tuple[tuple[str, str], ...]:
        """Return the commits of a ref and why it was moved to each, by its reflog, the newest first.

        The last one is what the ref was before its oldest entry, without a reason, if the reflog shows it.
        """
        entries = self._git.lines("log", "--walk-reflogs", "--no-show-signature", "--format=%H %gs", ref, "--")
        found = [(sha, why) for sha, _, why in (entry.partition(" ") for entry in entries)]
        oldest = self._object_of(f"{ref}@{{{len(found)}}}") if found else ""
        return (*found, *([(oldest, "")] if oldest.strip("0") else []))

    def messages_between(self, older: str, newer: str, *, containing: str) -> dict[str, str]:
        """Return the commits that `newer` has and `older` has not whose message contains a text, with the message."""
        entries = self._git.list_entries(
            "log", "-z", "--no-show-signature", "--fixed-strings", f"--grep={containing}", "--format=%H%x0a%B",
            newer, f"^{older}", "--",
        )  # fmt: skip
        return {sha: message for sha, _, message in (entry.partition("\n") for entry in entries)}

    def commit_with_tree(self, tree: str, *, newer: str, older: str) -> str:
        """Return a commit that `newer` has and `older` has not with these files; empty if there is none."""
        for line in self._git.lines("rev-list", "--no-commit-header", "--format=%H %T", newer, f"^{older}", "--"):
            sha, _, found = line.partition(" ")
            if found == tree:
                return sha
        return ""

    def synthesize_commit(self, sha: str, *, parent: str) -> str:
        """Create a commit with the files and the first line of another one, and this parent; empty if git fails.

        No ref points to it. A revert of it takes back everything between the two.
        """
        subject = self._git.line("show", "--no-patch", "--no-show-signature", "--format=%s", sha, "--")
        return self._git.line("commit-tree", f"{sha}^{{tree}}", "-p", parent, "-m", subject or "(no message)")

    def ref_moved_at(self, ref: str, sha: str) -> int:
        """Return the Unix time at which a ref was last moved, by its reflog; 0 if it is not known, or not at `sha`."""
        entry = self._git.line(
            "log",
            "--walk-reflogs",
            "-1",
            "--no-show-signature",
            "--no-patch",
            "--date=unix",
            "--format=%H %gd",
            ref,
            "--",
        )
        found = _REFLOG_ENTRY.fullmatch(entry)
        return int(found["at"]) if found and found["sha"] == sha else 0

    def fetch_objects(self, remote: str, ref: str) -> ObjectFetch:
        """Fetch a commit or a branch without moving any ref, within `FETCH_TIMEOUT_S`."""
        done = self._git.query_remote(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
            "--no-recurse-submodules", "--refmap=", "--", remote, ref,
            remote=remote, timeout=FETCH_TIMEOUT_S,
        )  # fmt: skip
        if done.ok:
            return ObjectFetch.FETCHED
        return ObjectFetch.ABSENT if _NOT_AT_REMOTE.search(done.stderr) else ObjectFetch.FAILED


def _parse_branch_commit(entry: str) -> BranchCommit:
    sha, parents, identity = entry.split("\x1f", 2)
    return BranchCommit(sha, tuple(parents.split()), identity, identity.rpartition("\x1f")[2])


class GitContainment:
    """Checks containment with git (`containment.ContainmentCheck`); fetches a commit that is missing.

    As long as it is missing, it is fetched again every `REFETCH_AFTER_S` seconds: a fetch can fail, and the server can
    receive the commit later.

    Args:
        history: the repository.
        now: the clock.
        remote: where a missing commit is fetched from; empty: it is not fetched.
        branch: fetched if the server does not serve the commit by its id.
    """

    def __init__(self, history: History, *, now: Callable[[], float], remote: str = "", branch: str = "") -> None:
        self._history = history
        self._now = now
        self._sources = (remote, branch)
        self._fetched_at: dict[str, float] = {}
        self._absent: set[str] = set()

    def __call__(self, *, newer: str, ours: str) -> Containment:
        """Return the containment; ABSENT or UNKNOWN if the commits cannot be compared."""
        try:
            full = [self._find(name) for name in (newer, ours)]
            if not all(full):
                missing = {name for name, found in zip((newer, ours), full, strict=True) if not found}
                return Containment.ABSENT if missing <= self._absent else Containment.UNKNOWN
            found = self._history.compare(older=full[1], newer=full[0])
            # In a shallow clone, the ancestor may be beyond the end of history.
            is_certain = found is Containment.CONTAINS or not self._history.is_shallow()
        except CommandError:
            return Containment.UNKNOWN
        return found if is_certain else Containment.UNKNOWN

    def _find(self, name: str) -> str:
        found = self._here(name)
        if found or self._now() - self._fetched_at.get(name, -inf) < REFETCH_AFTER_S:
            return found
        self._fetched_at[name] = self._now()
        remote, branch = self._sources
        fetched = ObjectFetch.FAILED
        if remote and _FULL_SHA.fullmatch(name):
            fetched = self._history.fetch_objects(remote, name.lower())
        if remote and branch and not self._here(name):
            fetched = self._history.fetch_objects(remote, f"refs/heads/{branch}")
        found = self._here(name)
        responded = fetched is not ObjectFetch.FAILED
        (self._absent.add if responded and not found else self._absent.discard)(name)
        return found

    def _here(self, name: str) -> str:
        """Return the commit with this SHA; empty if it is missing, or if a branch or tag of that name hides it.

        An image's tag `20241124` is not the tip of the branch 20241124, to which git resolves that name.
        """
        found = self._history.resolve(name)
        if found is None or not (_FULL_SHA.fullmatch(name) or found.sha.startswith(name.lower())):
            return ""
        return found.sha if self._history.has_commit(found.sha) else ""
