"""Checks access to CI: the server responds, accepts the token, and has the repository."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

from homelab_hooks.ci.model import Repo
from homelab_hooks.ci.provider import Provider
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.contact import MAX_SLOW_REFUSALS, Backoff
from homelab_hooks.polling.loop import Clock
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Poll, Unavailable
from homelab_hooks.polling.retry import repeat_until
from homelab_hooks.watch.contact import MAX_FOREIGN

ACCESS_TIMEOUT_S = 10.0
"""seconds that all requests of a check may take together, before anything is changed"""
RETRY_BACKOFF = Backoff(first_s=0.5, longest_s=2.0)
"""the pauses between tries of one request"""
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class TimedRequest(Protocol[T_co]):
    """A request with this timeout, in seconds."""

    def __call__(self, *, within: float) -> Poll[T_co]:
        """Send the request."""


class CiAccess(NamedTuple):
    """The token's owner, and the repository in CI."""

    login: str
    repo: Repo


def check_ci_access(
    ci: Provider, names: Sequence[str], *, clock: Clock, timeout_s: float = ACCESS_TIMEOUT_S, where: str = ""
) -> CiAccess:
    """Request the user, then the repository under each of its names until one exists in CI.

    Raises CommandError (refused) with the reason if either fails.

    Args:
        timeout_s: seconds for all requests together.
        where: the server and the dial, for the message.
    """
    until = clock.now() + timeout_s
    login = _require_answer(_ask(ci.account.user, until, clock), where)
    for name in names:
        look = _ask(partial(ci.runs.repository, name), until, clock)
        unknown = isinstance(look, Denied) and not look.final and name != names[-1]
        if not unknown:
            return CiAccess(login, _require_answer(look, where))
    raise CommandError(
        "could not determine the repository's OWNER/NAME in CI",
        hint="pass --repo OWNER/NAME, or set homelab.ciRepo",
        exit=ExitCode.REFUSED,
    )


def _ask(ask: TimedRequest[T], until: float, clock: Clock) -> Poll[T]:
    """Return the answer to a request, which is repeated until this time while it may still succeed."""
    return repeat_until(
        lambda within: ask(within=within), until=until, clock=clock, may_succeed=_may_succeed, backoff=RETRY_BACKOFF
    )


def _may_succeed(poll: Poll[object], tries: int) -> bool:
    """Return whether another try may succeed: not if the token is refused, or if another server keeps responding."""
    match poll:
        case Denied():
            return poll.slow and tries < MAX_SLOW_REFUSALS
        case Unavailable():
            return poll.kind is not FailureKind.FOREIGN or tries < MAX_FOREIGN
        case _:
            return False


def _require_answer(look: Poll[T], where: str) -> T:
    if isinstance(look, Found):
        value: T = look.value
        return value
    match look:
        case Denied() as no:
            raise CommandError(no.reason, hint=no.hint, exit=ExitCode.REFUSED)
        case Unavailable(reason, kind=FailureKind.FOREIGN, hint=hint):
            raise CommandError(f"{reason}{where and f' ({where})'}", hint=hint, exit=ExitCode.REFUSED)
        case Unavailable(reason) | NotFound(reason):
            hint = "check the server and its load balancer, or pass --no-ci-watch to land without watching CI"
            raise CommandError(f"cannot reach CI{where and f' at {where}'}: {reason}", hint=hint, exit=ExitCode.REFUSED)
