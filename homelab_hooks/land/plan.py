"""What a landing does next: facts about two histories and a push's outcome, in; a decision, out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from homelab_hooks.errors import Problem
from homelab_hooks.exits import Exit
from homelab_hooks.git.push import Kind, Outcome
from homelab_hooks.text import clean

NETWORK_TRIES = 3
SHOWN_FILES = 10
_LONGEST_WAIT = 8.0
_FIRST_WAIT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What preflight found; nothing has been changed yet."""

    branch: str
    """empty when HEAD is detached"""
    head: str
    target: str
    """empty where nobody says which branch is meant"""
    remote: str
    operation: str = ""
    changes: tuple[str, ...] = ()
    verifiable: bool = True
    unfinished: str = ""
    """the stage in which an earlier landing was cut short"""
    unfinished_branch: str = ""


def refusals(facts: Facts) -> tuple[Problem, ...]:
    """Every reason not to begin, the first to be told first; none: it can land.

    >>> [problem.what for problem in refusals(Facts(branch="", head="1", target="main", remote="origin"))]
    ['HEAD is detached: there is no branch to land']
    """
    found = (_unfinished(facts), _operation(facts), _branch(facts), _target(facts), _dirt(facts), _verifiable(facts))
    return tuple(Problem(what, hint=hint, exit=Exit.REFUSED) for what, hint in found if what)


Finding = tuple[str, str]
_FINE: Finding = ("", "")


def _unfinished(facts: Facts) -> Finding:
    if not facts.unfinished:
        return _FINE
    return (
        f"the landing of {clean(facts.unfinished_branch)} was cut short at {facts.unfinished}",
        "git land --continue finds out how it stands and goes on; git land --abort goes back",
    )


def _operation(facts: Facts) -> Finding:
    if not facts.operation:
        return _FINE
    return (
        f"a {facts.operation} is in progress",
        "resolve and finish it, then git land --continue; or git land --abort"
        if facts.operation in {"merge", "rebase"}
        else f"finish it or undo it (git {facts.operation} --help), then git land again",
    )


def _branch(facts: Facts) -> Finding:
    if not facts.head:
        return "there is no commit yet", "commit something first"
    if not facts.branch and facts.operation != "rebase":  # which detaches HEAD by itself
        return "HEAD is detached: there is no branch to land", "make one: git switch -c TOPIC"
    if facts.branch and facts.branch == facts.target:
        return (
            f"{clean(facts.branch)} is the target itself",
            "land from a branch of its own: git switch -c TOPIC",
        )
    return _FINE


def _target(facts: Facts) -> Finding:
    if facts.target:
        return _FINE
    return f"{clean(facts.remote)} does not say which branch to land on", "name it: --onto BRANCH"


def _dirt(facts: Facts) -> Finding:
    if not facts.changes:
        return _FINE
    return (
        f"the work tree has changes that would not be landed: {listed(change[3:] for change in facts.changes)}",
        "commit them, or put them aside: git stash",
    )


def _verifiable(facts: Facts) -> Finding:
    if facts.verifiable:
        return _FINE
    return (
        "there is nothing to verify with",
        "say how: --verify-cmd CMD, or git config homelab.verify CMD; or land unverified on purpose: --no-verify",
    )


def listed(names: Iterable[str]) -> str:
    """Some names in one line, control characters removed.

    >>> listed(["a", "b"])
    'a, b'
    """
    cleaned = [clean(name) for name in names]
    more = len(cleaned) - SHOWN_FILES
    return ", ".join(cleaned[:SHOWN_FILES]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "commit"), counted(0, "commit")
    ('1 commit', '0 commits')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass(frozen=True, slots=True)
class Rejoice:
    """It is there."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Nobody knows: ask the server."""


@dataclass(frozen=True, slots=True)
class Again:
    """Wait so many seconds, then fetch, merge and verify again."""

    wait: float
    why: str


@dataclass(frozen=True, slots=True)
class OfferBranch:
    """The target takes no pushes: push the branch, so that a pull request can be opened."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing was landed, and trying again would not help."""

    problem: Problem


Next = Rejoice | Ask | Again | OfferBranch | Stop


def after_push(outcome: Outcome, *, tried: int, attempts: int, jitter: float) -> Next:
    """What to do after a push.

    Args:
        tried: how many pushes there were, this one included.
        attempts: how many there may be after the first.
        jitter: from 0 to 1.
    """
    match outcome.kind:
        case Kind.LANDED:
            return Rejoice() if outcome.sure else Ask()
        case Kind.UNKNOWN:
            return Ask()
        case Kind.LOST_RACE | Kind.REF_LOCKED:
            return again(tried, attempts, jitter, _LOST[outcome.kind])
        case Kind.UNREACHABLE:
            return again(tried, min(attempts, NETWORK_TRIES - 1), jitter, f"no connection: {outcome.why}")
        case Kind.PROTECTED:
            return OfferBranch()
        case Kind.REFUSED | Kind.LOCAL_HOOK | Kind.DENIED:
            return Stop(failure(outcome))
        case _:
            assert_never(outcome.kind)


_LOST = {
    Kind.LOST_RACE: "somebody else pushed first",
    Kind.REF_LOCKED: "another update holds the branch's lock on the server",
}


def again(tried: int, attempts: int, jitter: float, why: str) -> Again | Stop:
    """Another try, later each time; or the end of all tries."""
    if tried > attempts:
        return Stop(
            Problem(
                f"nothing was landed after {tried} tries: {why}",
                hint="git land again",
                exit=Exit.PUSH_FAILED,
            )
        )
    wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (tried - 1))
    return Again(wait * (0.5 + jitter), why)


_REMEDY = {
    Kind.REFUSED: "mend what the server names, then git land again",
    Kind.LOCAL_HOOK: "mend what the pre-push hook names, then git land again",
    Kind.DENIED: "check your access and your key or token for this remote, then git land again",
    Kind.UNREACHABLE: "git land again when the server can be reached",
}
_WHAT = {
    Kind.REFUSED: "the push was refused",
    Kind.LOCAL_HOOK: "the pre-push hook of this repository refused the push",
    Kind.DENIED: "access was denied",
    Kind.UNREACHABLE: "the server could not be reached",
}


def failure(outcome: Outcome) -> Problem:
    """A refusal as a person is told it (24)."""
    what = _WHAT.get(outcome.kind, "the push failed")
    return Problem(
        f"{what}: {outcome.why}" if outcome.why else what,
        hint=_REMEDY.get(outcome.kind, "git land again"),
        exit=Exit.PUSH_FAILED,
    )
