"""What a dry run prints about pipelines of the target branch."""

from __future__ import annotations

from homelab_hooks.config.schema import WhenBusy
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.queue import BUSY_HINT, INFORM_TIMEOUT_S, find_sign
from homelab_hooks.land.queue_decision import (
    PushNow,
    RefusePush,
    TargetTip,
    WaitForEnd,
    decide_push,
    describe_occupants,
    find_occupants,
    select_pushes,
)
from homelab_hooks.land.request import LandingDependencies
from homelab_hooks.polling.outcome import Found


def describe_busy_target(dependencies: LandingDependencies, branch: str) -> str:
    """Return what runs on the target branch now, and what a landing would do about it; empty if nothing runs."""
    queue = dependencies.queue
    if queue is None or not branch:
        return ""
    answer = queue.runs.pipelines(branch, within=INFORM_TIMEOUT_S)
    rows = select_pushes(answer.value, branch) if isinstance(answer, Found) else ()
    occupants = find_occupants(rows, TargetTip(), appeared=frozenset(), now=0.0, appear_s=0.0)
    cancels = queue.runs.cancels_previous
    needs_sign = queue.when_busy is WhenBusy.AUTO and cancels
    sign = find_sign(queue, *(row.commit for row in occupants.active)) if needs_sign else ""
    match decide_push(occupants, queue.when_busy, branch=branch, cancels=cancels, sign=sign):
        case PushNow(note):
            return note
        case RefusePush(reason):
            raise CommandError(reason, hint=BUSY_HINT, exit=ExitCode.REFUSED)
        case WaitForEnd(why):
            return f"would wait for {describe_occupants(occupants)}{f'; {why}' if why else ''}"
