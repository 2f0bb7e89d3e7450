"""Faults of the simulated forge: a status or another body instead of the response, or a response that is cut off."""

from __future__ import annotations

from collections.abc import Callable

from homelab_hooks.simulators.faults import BodyFault, Cut, FaultPlan, FaultPoint, StatusFault
from homelab_hooks.simulators.forge.message import JSON_TYPE, ForgeAnswer, ForgeRequest

_HEADER_BYTES = 30
"""bytes that are sent of a response that is cut off in its headers"""


def answer_with_faults(
    plan: FaultPlan, request: ForgeRequest, now: float, reply: Callable[[], ForgeAnswer]
) -> ForgeAnswer:
    """Return the answer to a request; other kinds of faults than these are not used.

    Args:
        plan: the faults.
        request: the request.
        now: the time of the forge.
        reply: makes the forge's own response, with its effects; not called for a fault that comes before them.
    """
    rule = plan.pick(request.method, request.path, now)
    match rule.fault if rule else None:
        case StatusFault() as fault:
            wait = (("Retry-After", f"{fault.retry_after:.0f}"),) if fault.retry_after is not None else ()
            return ForgeAnswer(fault.code, fault.body, fault.content_type or JSON_TYPE, (*fault.headers, *wait))
        case BodyFault() as fault:
            return ForgeAnswer(fault.code, fault.content, fault.content_type)
        case Cut(FaultPoint.BEFORE):
            return ForgeAnswer(0, sent_bytes=0)
        case Cut(FaultPoint.HEADERS):
            return reply()._replace(sent_bytes=_HEADER_BYTES)
        case Cut(FaultPoint.BODY):
            found = reply()
            return found._replace(sent_bytes=-max(1, len(found.body) // 2))
        case _:
            return reply()
