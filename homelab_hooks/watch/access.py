"""Checks access to CI: the server responds, accepts the token, and knows the repository."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from homelab_hooks.ci.model import Repo
from homelab_hooks.ci.provider import Provider
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.loop import Clock
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Poll, Unavailable

ACCESS_TIMEOUT_S = 10.0
"""seconds that all requests of a check may take together, before anything is changed (contract, section 10)"""
_MIN_REQUEST_S = 0.5
"""seconds for a request even if the time is nearly over"""
T = TypeVar("T")


class CiAccess(NamedTuple):
    """The token's owner, and the repository as CI knows it."""

    login: str
    repo: Repo


def check_ci_access(
    ci: Provider, names: Sequence[str], *, clock: Clock, timeout_s: float = ACCESS_TIMEOUT_S, where: str = ""
) -> CiAccess:
    """Request the user, then the repository under each of its names until CI knows one.

    Raises CommandError (refused) with the reason if either fails.

    Args:
        timeout_s: seconds for all requests together.
        where: the server and the dial, for the message.
    """
    until = clock.now() + timeout_s
    login = _require_answer(ci.account.user(within=timeout_s), where)
    for name in names:
        look = ci.runs.repository(name, within=max(_MIN_REQUEST_S, until - clock.now()))
        unknown = isinstance(look, Denied) and not look.final and name != names[-1]
        if not unknown:
            return CiAccess(login, _require_answer(look, where))
    raise CommandError(
        "could not determine the repository's OWNER/NAME in CI",
        hint="set it with --repo OWNER/NAME",
        exit=ExitCode.REFUSED,
    )


def _require_answer(look: Poll[T], where: str) -> T:
    if isinstance(look, Found):
        value: T = look.value
        return value
    match look:
        case Denied() as no:
            raise CommandError(no.reason, hint=no.hint, exit=ExitCode.REFUSED)
        case Unavailable(reason) | NotFound(reason):
            hint = "check the server and its load balancer, or pass --no-ci-watch to land without watching CI"
            raise CommandError(f"cannot reach CI{where and f' at {where}'}: {reason}", hint=hint, exit=ExitCode.REFUSED)
