"""Asks the forge to send a lost push event to CI again."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from homelab_hooks.config.address import ServerUrl
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event, Log, LogLevel
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.forge.provider import REQUEST_TIMEOUT_S, PushDelivery, PushedCommit, Redelivery
from homelab_hooks.polling.loop import Clock
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.polling.retry import repeat_until
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.watch.no_pipeline import LAND_EMPTY_COMMIT
from homelab_hooks.watch.redelivery_plan import check_delivery, choose_webhook

FORGE_TIMEOUT_S = 30.0
"""seconds in which each request to the forge must succeed, retries included"""
T = TypeVar("T")


class RedeliveryRequest(NamedTuple):
    """A push to redeliver."""

    repo: str
    """OWNER/NAME on the forge"""
    push: PushedCommit
    server: ServerUrl
    """the CI server that the webhook must notify"""
    webhook_path: str


class RedeliveryOutcome(NamedTuple):
    """What was sent to CI again."""

    delivery: PushDelivery
    is_confirmed: bool = True
    """the forge confirmed it"""


def redeliver_push(
    request: RedeliveryRequest, forge: Redelivery, *, clock: Clock, emit: Callable[[Event], None]
) -> RedeliveryOutcome:
    """Send the push event again, and return what was sent. Raises CommandError if that is refused, or cannot be done.

    If the response to the redelivery is lost, a warning is printed: whether a pipeline appears shows what happened.
    """
    repo, push = request.repo, request.push

    def ask(send: Callable[[float], Poll[T]]) -> T:
        return _require(repeat_until(send, until=clock.now() + FORGE_TIMEOUT_S, clock=clock))

    hooks = ask(lambda within: forge.webhooks(repo, within=min(within, REQUEST_TIMEOUT_S)))
    hook = choose_webhook(hooks, request.server, request.webhook_path)
    delivery = ask(lambda within: forge.find_delivery(repo, hook, push, within=min(within, REQUEST_TIMEOUT_S)))
    check_delivery(delivery, push, hook)
    name = delivery.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    poll = forge.redeliver(repo, hook, delivery, within=REQUEST_TIMEOUT_S)
    if isinstance(poll, Unavailable):
        text = f"the redelivery was not confirmed: {poll.reason}"
        emit(Log(source="homelab", text=text, level=LogLevel.WARNING))
        return RedeliveryOutcome(delivery, is_confirmed=False)
    _require(poll)
    emit(Log(source="homelab", text=f"the forge sent the push of {short_sha(delivery.sha)} on {name} to CI again"))
    if delivery.effects:
        emit(Log(source="homelab", text=f"this is not the original event: {delivery.effects}"))
    return RedeliveryOutcome(delivery)


def _require(poll: Poll[T]) -> T:
    """Return the value of a result. Raises CommandError for every other one."""
    if isinstance(poll, Found):
        value: T = poll.value
        return value
    match poll:
        case NotFound(reason):
            raise CommandError(reason, hint=LAND_EMPTY_COMMIT, exit=ExitCode.REFUSED)
        case Unavailable(reason, hint=hint):
            raise CommandError(reason, hint=hint, exit=ExitCode.UNREACHABLE)
        case Denied(reason, hint=hint, exit=exit_):
            raise CommandError(reason, hint=hint, exit=exit_)
