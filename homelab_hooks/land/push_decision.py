"""Decides what a landing does after a push."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, assert_never

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.push_result import PushResult, PushStatus
from homelab_hooks.text.durations import format_duration

MAX_NETWORK_ATTEMPTS = 3
_MAX_WAIT_S = 8.0
_FIRST_WAIT_S = 0.5


@dataclass(frozen=True, slots=True)
class Accepted:
    """The commit is on the target."""


@dataclass(frozen=True, slots=True)
class QueryRemote:
    """The result is unknown: query the server."""


class Retry(NamedTuple):
    """Wait `delay` seconds, then fetch, merge, and verify again."""

    delay: float
    reason: str


class WaitForTurn(NamedTuple):
    """Others land too: wait for a turn (`land/contention.py`), then fetch, merge, and verify again."""

    reason: str


@dataclass(frozen=True, slots=True)
class PushFeatureBranch:
    """The target is protected: push the branch, so that a pull request can be opened."""


class Fail(NamedTuple):
    """Nothing was landed, and a retry would not help."""

    error: CommandError


PushDecision = Accepted | QueryRemote | Retry | WaitForTurn | PushFeatureBranch | Fail


def decide_after_push(outcome: PushResult, *, tried: int, attempts: int, jitter: float) -> PushDecision:
    """Return what to do after a push.

    Args:
        tried: number of pushes so far, this one included.
        attempts: number of pushes allowed after the first.
        jitter: from 0 to 1.
    """
    match outcome.status:
        case PushStatus.ACCEPTED | PushStatus.UNKNOWN:
            return Accepted() if outcome.confirmed and outcome.status is PushStatus.ACCEPTED else QueryRemote()
        case PushStatus.LOST_RACE:
            return WaitForTurn(LOST_RACE) if tried <= attempts else _give_up(tried, LOST_RACE)
        case PushStatus.REF_LOCKED:
            return retry_or_fail(tried, attempts, jitter, REF_LOCKED)
        case PushStatus.UNREACHABLE:
            answered = "returned error: " in outcome.reason  # git's text for an HTTP status, such as 503
            why = f"{'the server refused the request' if answered else 'no connection'}: {outcome.reason}"
            return retry_or_fail(tried, min(attempts, MAX_NETWORK_ATTEMPTS - 1), jitter, why)
        case PushStatus.PROTECTED:
            return PushFeatureBranch()
        case PushStatus.REFUSED | PushStatus.LOCAL_HOOK | PushStatus.DENIED:
            return Fail(push_error(outcome))
        case _:
            assert_never(outcome.status)


LOST_RACE = "another push came first"
REF_LOCKED = "the branch is locked on the server by another update"


def retry_or_fail(tried: int, attempts: int, jitter: float, why: str) -> Retry | Fail:
    """Return a retry with exponential backoff, or the failure once all attempts are used."""
    if tried > attempts:
        return _give_up(tried, why)
    wait = min(_MAX_WAIT_S, _FIRST_WAIT_S * 2 ** (tried - 1))
    return Retry(wait * (0.5 + jitter), why)


def retry_after_cut(outcome: PushResult, tried: int, attempts: int, jitter: float) -> Retry | Fail:
    """Return what follows a push that was cut off and has not reached the server.

    Git holds the connection open while the pre-push hook runs. A hook that outlasts what the server or a firewall
    grants an idle connection would do so again.
    """
    why = f"the push did not reach the server: {outcome.reason}"
    took = outcome.hook_took_s
    if took is None or took < LONG_HOOK_S:
        return retry_or_fail(tried, attempts, jitter, why)
    message = f"{why}, {format_duration(took)} after it began; a pre-push hook that outlasts the connection would again"
    hint = "shorten the hook, or keep the connection open (ssh: ServerAliveInterval 30), then run git land again"
    return Fail(CommandError(message, hint=hint, exit=ExitCode.PUSH_FAILED))


LONG_HOOK_S = 60.0
"""seconds of a push with a hook after which it is not repeated; servers and firewalls close connections that are idle
for one to several minutes"""


def _give_up(tried: int, why: str) -> Fail:
    message = f"nothing was landed after {tried} attempts: {why}"
    return Fail(CommandError(message, hint="run git land again", exit=ExitCode.PUSH_FAILED))


_HINTS = {
    PushStatus.REFUSED: "fix what the server reports, then run git land again",
    PushStatus.LOCAL_HOOK: "fix what the pre-push hook reports, then run git land again",
}
_MESSAGES = {
    PushStatus.REFUSED: "the push was rejected",
    PushStatus.LOCAL_HOOK: "the pre-push hook rejected the push",
    PushStatus.DENIED: "access was denied",
    PushStatus.UNREACHABLE: "the server could not be reached",
}


def push_error(outcome: PushResult) -> CommandError:
    """Return the error for a push that failed (24)."""
    what = _MESSAGES.get(outcome.status, "the push failed")
    return CommandError(
        f"{what}: {outcome.reason}" if outcome.reason else what,
        hint=f"{outcome.hint}, then run the same command again" if outcome.hint else _HINTS.get(outcome.status, ""),
        exit=ExitCode.PUSH_FAILED,
    )
