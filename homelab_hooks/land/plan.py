"""What a landing does after a push: its outcome, in; a decision, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from homelab_hooks.errors import Problem
from homelab_hooks.exits import Exit
from homelab_hooks.git.push import Kind, Outcome

NETWORK_TRIES = 3
_LONGEST_WAIT = 8.0
_FIRST_WAIT = 0.5


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
