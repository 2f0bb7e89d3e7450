"""Checks access to CI: the server responds, accepts the token, and has the repository."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

from homelab_hooks.ci.model import Repo
from homelab_hooks.ci.provider import Provider
from homelab_hooks.errors import CommandError
from homelab_hooks.events import ContactLost, ContactRestored, Event
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


class AccessReport(NamedTuple):
    """What a check needs to report its failures."""

    where: str = ""
    """the server and the dial"""
    emit: Callable[[Event], None] = lambda _: None
    """is called with lost and restored contact"""


SILENT_REPORT = AccessReport()


def check_ci_access(
    ci: Provider,
    names: Sequence[str],
    *,
    clock: Clock,
    timeout_s: float = ACCESS_TIMEOUT_S,
    report: AccessReport = SILENT_REPORT,
) -> CiAccess:
    """Request the user, then the repository under each of its names until one exists in CI.

    Raises CommandError (refused) with the reason if either fails.

    Args:
        timeout_s: seconds for all requests together.
        report: where CI is, for the message, and who is told about an outage.
    """
    requests, where = _Requests(clock, timeout_s, report.emit), report.where
    login = _require_answer(requests.ask(ci.account.user), where)
    for name in names:
        look = requests.ask(partial(ci.runs.repository, name))
        unknown = isinstance(look, Denied) and not look.final and name != names[-1]
        if not unknown:
            return CiAccess(login, _require_answer(look, where))
    raise CommandError(
        "could not determine the repository's OWNER/NAME in CI",
        hint="pass --repo OWNER/NAME, or set homelab.ciRepo",
        exit=ExitCode.REFUSED,
    )


class _Requests:
    """Sends the requests of one check, and reports an outage that one retry does not end."""

    def __init__(self, clock: Clock, timeout_s: float, emit: Callable[[Event], None]) -> None:
        self._clock, self._emit = clock, emit
        self._until = clock.now() + timeout_s
        self._failed_since: float | None = None
        self._reported = False

    def ask(self, ask: TimedRequest[T]) -> Poll[T]:
        """Return the answer to a request, which is repeated until the check's end while it may still succeed."""

        def ask_and_report(within: float) -> Poll[T]:
            asked_at = self._clock.now()
            poll = ask(within=within)
            self._report(poll, asked_at)
            return poll

        return repeat_until(
            ask_and_report, until=self._until, clock=self._clock, may_succeed=_may_succeed, backoff=RETRY_BACKOFF
        )

    def _report(self, poll: Poll[object], asked_at: float) -> None:
        now = self._clock.now()
        if not isinstance(poll, Unavailable):
            if self._reported and self._failed_since is not None:
                self._emit(ContactRestored(away=now - self._failed_since))
            self._failed_since, self._reported = None, False
        elif self._failed_since is None:
            self._failed_since = asked_at
        elif not self._reported:
            self._reported = True
            self._emit(ContactLost(reason=poll.reason, retry_for=max(0.0, self._until - now)))


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
