"""Faults of the simulated forge: a status or another body instead of the response."""

from __future__ import annotations

from homelab_hooks.simulators.faults import BodyFault, FaultPlan, StatusFault
from homelab_hooks.simulators.forge.message import JSON_TYPE, ForgeAnswer, ForgeRequest


def find_fault(plan: FaultPlan, request: ForgeRequest, now: float) -> ForgeAnswer | None:
    """Return what the plan answers to a request; None: the forge's own response. Other kinds of faults are not used."""
    rule = plan.pick(request.method, request.path, now)
    match rule.fault if rule else None:
        case StatusFault() as fault:
            wait = (("Retry-After", f"{fault.retry_after:.0f}"),) if fault.retry_after is not None else ()
            return ForgeAnswer(fault.code, fault.body, fault.content_type or JSON_TYPE, (*fault.headers, *wait))
        case BodyFault() as fault:
            return ForgeAnswer(fault.code, fault.content, fault.content_type)
        case _:
            return None
