"""What stands against a landing: facts that were found, in; every reason not to begin, out."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from homelab_hooks.errors import Problem
from homelab_hooks.exits import Exit
from homelab_hooks.sentences import listed
from homelab_hooks.text import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What preflight found; nothing has been changed yet."""

    branch: str
    """empty when HEAD is detached"""
    head: str
    target: str
    """empty where nobody says which branch is meant"""
    remote: str
    silent: str = ""
    """why the remote could not be asked for the target"""
    operation: str = ""
    changes: tuple[str, ...] = ()
    verifiable: bool = True
    exposed: tuple[str, ...] = ()
    """files that git-crypt is to encrypt and that are committed in plaintext"""
    lock: str = ""
    """the lock of another git, or of a killed one"""
    unfinished: str = ""
    """the stage in which an earlier landing was cut short"""
    unfinished_branch: str = ""


def refusals(facts: Facts) -> tuple[Problem, ...]:
    """Every reason not to begin, the first to be told first; none: it can land.

    >>> [problem.what for problem in refusals(Facts(branch="", head="1", target="main", remote="origin"))]
    ['HEAD is detached: there is no branch to land']
    """
    found = (
        _unfinished(facts),
        _lock(facts),
        _operation(facts),
        _branch(facts),
        None if facts.silent else _target(facts),
        _dirt(facts),
        _exposed(facts),
        _verifiable(facts),
        _target(facts) if facts.silent else None,  # what needs no network first
    )
    return tuple(problem for problem in found if problem is not None)


def _refused(what: str, hint: str) -> Problem:
    return Problem(what, hint=hint, exit=Exit.REFUSED)


_OF_THE_TREE = {"merge", "rebase", "cherry-pick", "revert"}
"""operations that change files until they are finished"""


def _unfinished(facts: Facts) -> Problem | None:
    if not facts.unfinished:
        return None
    branch = facts.unfinished_branch
    elsewhere = facts.branch != branch and facts.operation != "rebase"  # which detaches HEAD by itself
    return _refused(
        f"the landing of {clean(branch)} was cut short at {facts.unfinished}",
        (f"git switch {shlex.quote(clean(branch))}; then " if elsewhere else "")
        + "git land --continue finds out how it stands and goes on; git land --abort goes back",
    )


def _lock(facts: Facts) -> Problem | None:
    return locked_by(facts.lock) if facts.lock else None


def locked_by(lock: str) -> Problem:
    """What to say of a lock, and what to do about it."""
    return _refused(
        f"another git works here, or was killed: there is a lock, {clean(lock)}",
        "wait for its end; where none runs, remove that file; then the same command again",
    )


def _operation(facts: Facts) -> Problem | None:
    if not facts.operation:
        return None
    return _refused(
        f"a {facts.operation} is in progress",
        "resolve and finish it, then git land --continue; or git land --abort"
        if facts.operation in {"merge", "rebase"}
        else f"finish it or undo it (git {facts.operation} --help), then git land again",
    )


def _branch(facts: Facts) -> Problem | None:
    if not facts.head:
        return _refused("there is no commit yet", "commit something first")
    if not facts.branch and facts.operation != "rebase":  # which detaches HEAD by itself
        return _refused("HEAD is detached: there is no branch to land", "make one: git switch -c TOPIC")
    if facts.branch and facts.branch == facts.target:
        return _refused(
            f"{clean(facts.branch)} is the target itself",
            "land from a branch of its own: git switch -c TOPIC",
        )
    return None


def _target(facts: Facts) -> Problem | None:
    if facts.target or not facts.remote:  # that there is no remote is a finding of its own
        return None
    if facts.silent:
        what = f"{clean(facts.remote)} cannot be asked which branch to land on: {clean(facts.silent)}"
        return Problem(what, hint="git land again when it can be reached", exit=Exit.PUSH_FAILED)
    return _refused(f"{clean(facts.remote)} does not say which branch to land on", "name it: --onto BRANCH")


def _dirt(facts: Facts) -> Problem | None:
    if not facts.changes or facts.operation in _OF_THE_TREE:  # whose end, or undoing, is told already
        return None
    return _refused(
        f"the work tree has changes that would not be landed: {listed(change[3:] for change in facts.changes)}",
        "commit them, or put them aside: git stash",
    )


def _exposed(facts: Facts) -> Problem | None:
    if not facts.exposed:
        return None
    return _refused(
        f"git-crypt is to encrypt these files, and they are committed in plaintext: {listed(facts.exposed)}",
        "git-crypt unlock, then commit them anew in place of those commits",
    )


def _verifiable(facts: Facts) -> Problem | None:
    if facts.verifiable:
        return None
    return _refused(
        "there is nothing to verify with",
        "say how: --verify-cmd CMD, or git config homelab.verify CMD; or land unverified on purpose: --no-verify",
    )
