"""Parses what a Rollout of Argo Rollouts has beyond a Deployment.

Read from the API types of Argo Rollouts (`pkg/apis/rollouts/v1alpha1/types.go`), not from a recording.
"""

from __future__ import annotations

import re

from homelab_hooks.kubectl.model import RolloutPhase
from homelab_hooks.kubectl.status_text import read_status_text
from homelab_hooks.text.json_fields import Json

POD_HASH_LABEL = "rollouts-pod-template-hash"
"""the label of ReplicaSets and pods with the hash of their template"""
_GENERATION = re.compile(r"[0-9]{1,15}")


def parse_observed_generation(status: Json) -> int:
    """Return the observed generation, which Argo Rollouts writes as a string; 0 if it is not a number.

    >>> parse_observed_generation({"observedGeneration": "7"}), parse_observed_generation({"observedGeneration": "5cd"})
    (7, 0)
    """
    text = str(status.get("observedGeneration") or "")
    return int(text) if _GENERATION.fullmatch(text) else 0


def parse_rollout_phase(spec: Json, status: Json) -> RolloutPhase:
    """Return the phase; clients rely on it only if the generation is observed."""
    name, message = read_status_text(status, "phase"), read_status_text(status, "message")
    current = read_status_text(status, "currentPodHash")
    aborted = bool(status.get("abort"))
    degraded = (message or "it is degraded") if name == "Degraded" or aborted else ""
    reference = spec.get("workloadRef") or {}
    has_template = spec.get("template") is not None
    return RolloutPhase(
        finished=name == "Healthy"
        and not aborted
        and current != ""
        and current == read_status_text(status, "stableRS"),
        detail=_describe_phase(spec, status, name, message),
        paused_by="" if degraded else _find_pause(spec, status, name),
        degraded=degraded,
        template_of=""
        if has_template
        else f"{read_status_text(reference, 'kind')} {read_status_text(reference, 'name')}",
    )


def _find_pause(spec: Json, status: Json, phase: str) -> str:
    reasons = [read_status_text(each, "reason") for each in status.get("pauseConditions") or ()]
    if reasons:
        return ", ".join(reasons)
    if spec.get("paused"):
        return "spec.paused"
    return (read_status_text(status, "message") or "no reason given") if phase == "Paused" else ""


def _describe_phase(spec: Json, status: Json, phase: str, message: str) -> str:
    steps = len(((spec.get("strategy") or {}).get("canary") or {}).get("steps") or ())
    index = status.get("currentStepIndex")
    at_step = isinstance(index, int) and 0 <= index < steps
    parts = [phase, f"canary step {index + 1} of {steps}" if at_step and index is not None else "", message]
    return ", ".join(part for part in parts if part)
