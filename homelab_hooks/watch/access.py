"""Whether CI can be asked and watched: its server answers, takes the token and knows the repository."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from homelab_hooks.ci.model import Repo
from homelab_hooks.ci.woodpecker.client import WoodpeckerClient
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.loop import Clock
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Poll, Unavailable

ACCESS_TIMEOUT_S = 10.0
"""seconds that CI may take to answer before anything is changed (contract, section 10)"""
_MIN_REQUEST_S = 0.5
T = TypeVar("T")


class CiAccess(NamedTuple):
    """Who the token belongs to, and the repository as CI knows it."""

    login: str
    repo: Repo


def check_ci_access(
    ci: WoodpeckerClient, names: Sequence[str], *, clock: Clock, patience: float = ACCESS_TIMEOUT_S, where: str = ""
) -> CiAccess:
    """Ask for the user, then for the repository under each of its names until CI knows one.

    The time is counted over all questions. Raises CommandError (refused) with what stands in the way.

    Args:
        where: the server and the way there, for who has to find out why it does not answer.
    """
    until = clock.now() + patience
    login = _require_answer(ci.user(within=patience), where)
    for name in names:
        look = ci.repository(name, within=max(_MIN_REQUEST_S, until - clock.now()))
        unknown = isinstance(look, Denied) and not look.final and name != names[-1]
        if not unknown:
            return CiAccess(login, _require_answer(look, where))
    raise CommandError(
        "the repository's OWNER/NAME in CI is not known", hint="give it: --repo OWNER/NAME", exit=ExitCode.REFUSED
    )


def _require_answer(look: Poll[T], where: str) -> T:
    if isinstance(look, Found):
        value: T = look.value
        return value
    match look:
        case Denied() as no:
            raise CommandError(no.reason, hint=no.hint, exit=ExitCode.REFUSED)
        case Unavailable(reason) | NotFound(reason):
            hint = "look at the server and at the balancer before it; --no-ci-watch lands without CI"
            raise CommandError(
                f"CI{where and f' at {where}'} cannot be asked: {reason}", hint=hint, exit=ExitCode.REFUSED
            )
