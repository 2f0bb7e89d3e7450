"""Assesses one snapshot of a workload: the first condition that applies decides."""

from __future__ import annotations

from dataclasses import dataclass, replace

from homelab_hooks.config.image_proof import ProofKind
from homelab_hooks.deploy.assessment import (
    Assessment,
    CrashedContainer,
    Deleting,
    ImagePending,
    ImageUnproven,
    RolloutComplete,
    RolloutFailed,
    RolloutProgressing,
)
from homelab_hooks.deploy.kubernetes.commit_match import match_commit
from homelab_hooks.deploy.kubernetes.match import (
    CommitMatch,
    EvidencePending,
    NewerCommit,
    NoCommit,
    OtherCommit,
    SameCommit,
)
from homelab_hooks.deploy.kubernetes.pod_failures import ObservedProblem, PodProblem
from homelab_hooks.deploy.kubernetes.revisions import find_current_revision, split_pods
from homelab_hooks.deploy.kubernetes.snapshot import Snapshot, describe_command
from homelab_hooks.deploy.kubernetes.stale_conditions import drop_stale_conditions
from homelab_hooks.deploy.kubernetes.standstill import Standstill
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.kubectl import image_ref
from homelab_hooks.kubectl.model import Pod, Revision, Workload, WorkloadKind, WorkloadTarget
from homelab_hooks.text.humanize import pluralize


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutHistory:
    """What the assessment needs to know about earlier snapshots."""

    target: WorkloadTarget
    first_poll: bool = False
    """whether this is the first poll in which it is known what the workload runs"""
    proven_image: str = ""
    """the image that named the commit in an earlier snapshot; empty if none did"""
    previous_images: tuple[str, ...] = ()
    """the images that the workload ran before that"""
    progressed: bool = False
    """the pods have progressed since the last snapshot"""
    evidence: tuple[ObservedProblem, ...] = ()
    fatal: PodProblem | None = None
    standstill: Standstill | None = None
    """what holds the rollout up, other than the problems"""
    gave_up: bool = False
    """a server that has the evidence has not answered for the unreachable-timeout"""

    @property
    def kind(self) -> WorkloadKind:
        """Return the workload's kind."""
        return self.target.kind

    def failed(self, reason: str, image: str, crashed: CrashedContainer | None = None) -> RolloutFailed:
        """Return a failure, with the command that shows more."""
        return RolloutFailed(reason, image, describe_command(self.target), crashed)


_NO_COMMIT_HINT = "deploy images tagged with the commit, or choose another proof with --image-proof"


@dataclass(frozen=True, slots=True)
class _Context:
    """A snapshot whose image names the commit, with its pods by revision."""

    workload: Workload
    expectation: Expectation
    history: RolloutHistory
    proof: SameCommit | NewerCommit
    current: Revision | None
    new: tuple[Pod, ...]
    old: tuple[Pod, ...]
    incomplete: str = ""
    """what is missing until every pod is known to run the commit; empty if nothing is"""


def assess(snapshot: Snapshot, expectation: Expectation, history: RolloutHistory) -> Assessment:
    """Return the assessment of a snapshot; Deleting and RolloutComplete become results only with time."""
    if snapshot.workload.deleting:
        return Deleting()
    if snapshot.workload.phase is not None and snapshot.workload.phase.template_of:
        reason = f"its template is that of {snapshot.workload.phase.template_of} (workloadRef), which is not compared"
        return ImageUnproven(reason, "use a Rollout with a template of its own")
    named = match_commit(snapshot, expectation)
    match named:
        case SameCommit() | NewerCommit():
            return _assess_rollout(_build_context(snapshot, expectation, history, named, named.mixed))
        case EvidencePending():
            return _assess_undecided(snapshot, expectation, history, named)
        case NoCommit() | OtherCommit():
            return _assess_other(named, expectation, history)


def _assess_other(named: NoCommit | OtherCommit, expectation: Expectation, history: RolloutHistory) -> Assessment:
    """Return that another image runs: it is unproven for good, has replaced the proven one, or is waited on."""
    if isinstance(named, NoCommit) and (named.final or history.first_poll):
        return ImageUnproven(named.reason, named.hint or _NO_COMMIT_HINT, named.image)
    if history.proven_image:
        return _image_replaced(named, expectation, history)
    return _image_pending(named, expectation)


def _assess_undecided(
    snapshot: Snapshot, expectation: Expectation, history: RolloutHistory, named: EvidencePending
) -> Assessment:
    """Return that the rollout is not over, and fails as any other; unproven if the server with the evidence is out."""
    if named.is_outage and history.gave_up:
        return ImageUnproven(named.unproven, named.hint, named.image)
    proof = SameCommit(history.proven_image or named.image, ())
    context = _build_context(snapshot, expectation, history, proof, named.reason)
    if history.proven_image:
        return _assess_rollout(context)
    paused = _assess_paused(context)
    blocked_by = paused.blocked_by if isinstance(paused, RolloutProgressing) else _blocked_by(context)[0]
    return ImagePending(f"{named.reason} ({blocked_by})" if blocked_by else named.reason, named.image)


def unproven_at_timeout(named: CommitMatch) -> ImageUnproven | None:
    """Return the result if the evidence is still incomplete when time runs out; None: the wait has timed out."""
    if isinstance(named, EvidencePending) and named.unproven:
        return ImageUnproven(named.unproven, named.hint, named.image)
    return None


def _build_context(
    snapshot: Snapshot,
    expectation: Expectation,
    history: RolloutHistory,
    proof: SameCommit | NewerCommit,
    incomplete: str,
) -> _Context:
    new, old = split_pods(snapshot, history.kind)
    current = find_current_revision(snapshot, history.kind)
    workload = drop_stale_conditions(snapshot.workload, current, history.kind)
    return _Context(workload, expectation, history, proof, current, new, old, incomplete)


def _wanted_name(expectation: Expectation) -> str:
    proof = expectation.proof
    return proof.value[:19] if proof.kind is ProofKind.DIGEST else expectation.short_sha


def _image_pending(found: NoCommit | OtherCommit, expectation: Expectation) -> ImagePending:
    notes: tuple[str, ...] = ()
    if isinstance(found, OtherCommit):
        name = "" if found.name in found.image else found.name
        notes = (name, "unknown commit" if found.unknown else "", found.outage)
    note = "; ".join(filter(None, notes))
    image = image_ref.shorten_digest(found.image)
    shown = f"{image} ({note})" if note else image
    return ImagePending(f"runs {shown}; waiting for {_wanted_name(expectation)}", found.image)


def _image_replaced(found: NoCommit | OtherCommit, expectation: Expectation, history: RolloutHistory) -> RolloutFailed:
    shown = found.image
    how = "rolled back to" if shown in history.previous_images else "replaced by"
    name = found.name if isinstance(found, OtherCommit) else image_ref.extract_tag(shown) or shown
    unsure = isinstance(found, OtherCommit) and found.unknown
    why = (
        f"could not determine whether it contains {expectation.short_sha}" if unsure else f"not {expectation.short_sha}"
    )
    after = f"; before that: {history.evidence[0].problem.text}" if history.evidence else ""
    failed = history.failed(f"{how} {name} ({why}){after}", history.proven_image)
    return replace(failed, unknown_commit=unsure and found.image not in history.previous_images)


def _assess_rollout(case: _Context) -> Assessment:
    steps = (
        _assess_paused,
        _assess_observed,
        _assess_deadline,
        _assess_problems,
        _assess_scale,
        _assess_counts,
        _assess_old_pods,
        _assess_phase,
        _assess_evidence,
        _assess_digests,
    )
    for step in steps:
        if (assessment := step(case)) is not None:
            return assessment
    note = f"included in newer deploy {case.proof.name}" if isinstance(case.proof, NewerCommit) else ""
    restarts = {pod.uid: pod.restarts for pod in case.new}
    return RolloutComplete(case.proof.image, note, restarts, case.proof.proof)


def _assess_paused(case: _Context) -> Assessment | None:
    """Return that the rollout is blocked by a pause; None if it is not paused, or complete."""
    if not case.workload.paused or not any(
        step(case) for step in (_assess_observed, _assess_counts, _assess_old_pods, _assess_phase)
    ):
        return None
    phase, target = case.workload.phase, case.history.target
    if phase is None:
        return RolloutProgressing(
            case.proof.image,
            blocked_by="the Deployment is paused",
            blocked_hint="to resume the rollout, run kubectl rollout resume",
        )
    return RolloutProgressing(
        case.proof.image,
        blocked_by=f"the Rollout is paused ({phase.paused_by}): {phase.detail}",
        blocked_hint=f"to continue, run kubectl argo rollouts promote {target.name} -n {target.namespace}",
    )


def _assess_observed(case: _Context) -> Assessment | None:
    workload = case.workload
    # Argo Rollouts creates no ReplicaSet for an invalid spec.
    is_degraded = workload.phase is not None and bool(workload.phase.degraded)
    if workload.observed != workload.generation or (case.current is None and not is_degraded):
        return RolloutProgressing(case.proof.image, "waiting for the controller to observe the new spec")
    return None


def _assess_deadline(case: _Context) -> Assessment | None:
    if not case.workload.progress_deadline_message or case.history.progressed:
        return None
    why = [evidence.problem.text for evidence in case.history.evidence]
    why += [f"pod {pod.name} is not ready" for pod in case.new if not pod.ready]
    reason = f"the rollout exceeded its progress deadline: {why[0] if why else case.workload.progress_deadline_message}"
    crashed = next(
        (each.problem.crashed_container for each in case.history.evidence if each.problem.crashed_container), None
    )
    return case.history.failed(reason, case.proof.image, crashed)


def _assess_problems(case: _Context) -> Assessment | None:
    fatal = case.history.fatal
    return case.history.failed(fatal.text, case.proof.image, fatal.crashed_container) if fatal else None


def _assess_scale(case: _Context) -> Assessment | None:
    if case.workload.counts.desired:
        return None
    reason = "no node is selected" if case.history.kind is WorkloadKind.DAEMONSET else "scaled to zero"
    return ImageUnproven(
        f"{reason}, so that no pod runs {case.proof.image}",
        "scale the workload up, then run the same command again",
        case.proof.image,
    )


def _assess_counts(case: _Context) -> Assessment | None:
    ready = [pod for pod in case.new if pod.ready]
    all_ready = len(ready) == len(case.new) and len(ready) >= case.workload.counts.desired
    if case.workload.counts.is_rolled_out and all_ready:
        return None
    return _still_rolling(case)


def _assess_phase(case: _Context) -> Assessment | None:
    """Return that steps of a Rollout are left; its phase counts only for the observed generation, checked before."""
    phase = case.workload.phase
    return RolloutProgressing(case.proof.image, phase.detail) if phase is not None and not phase.finished else None


def _assess_old_pods(case: _Context) -> Assessment | None:
    return _still_rolling(case) if case.old else None


def _still_rolling(case: _Context) -> RolloutProgressing:
    blocked_by, hint = _blocked_by(case)
    phase = case.workload.phase
    return RolloutProgressing(case.proof.image, phase.detail if phase else "", blocked_by=blocked_by, blocked_hint=hint)


def _blocked_by(case: _Context) -> tuple[str, str]:
    """Return the cause of the standstill and a hint; empty texts if the rollout is not blocked."""
    workload, evidence = case.workload, case.history.evidence
    behind = min(workload.partition, workload.counts.desired, len(case.old))
    if evidence:
        return evidence[0].problem.text, ""
    if workload.uses_on_delete and case.old:
        count = f"{pluralize(len(case.old), 'pod')} {'is' if len(case.old) == 1 else 'are'}"
        return f"{count} not updated because the update strategy is OnDelete", "delete the old pods"
    if behind:
        count = f"{pluralize(behind, 'pod')} {'is' if behind == 1 else 'are'}"
        reason = f"{count} not updated because of the partition ({workload.partition})"
        return reason, "lower the partition of the StatefulSet"
    return case.history.standstill or ("", "")


def _assess_evidence(case: _Context) -> Assessment | None:
    """Return that the rollout is blocked by pods that run something else, or that the evidence is incomplete."""
    if case.proof.mixed:
        hint = "restart the rollout, with imagePullPolicy: Always if the tag is pushed again"
        return RolloutProgressing(case.proof.image, blocked_by=case.proof.mixed, blocked_hint=hint)
    return RolloutProgressing(case.proof.image, case.incomplete) if case.incomplete else None


def _assess_digests(case: _Context) -> Assessment | None:
    """Return that the rollout is blocked if the pods run different digests of one tag, which was pushed again."""
    for name in case.proof.containers:
        states = [state for pod in case.new for state in pod.containers if state.name == name and not state.init]
        digests = {state.digest for state in states if state.digest}
        if len(digests) > 1:
            blocked_by = f"the pods run {len(digests)} different images as {case.proof.image}"
            return RolloutProgressing(
                case.proof.image, blocked_by=blocked_by, blocked_hint="restart the rollout: the tag was pushed again"
            )
    return None
