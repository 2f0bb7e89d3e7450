"""One snapshot of a workload, judged in the contract's order."""

from __future__ import annotations

from dataclasses import dataclass

from homelab_hooks import image
from homelab_hooks.deploy.judgement import Awaiting, Complete, Failed, Judgement, Past, Rolling, Unproven, Vanishing
from homelab_hooks.deploy.question import Question, Snapshot
from homelab_hooks.deploy.standing import Nameless, Newer, Other, Ours, standing
from homelab_hooks.kubectl.facts import Kind, Pod, Revision, Workload
from homelab_hooks.sentences import counted


@dataclass(frozen=True, slots=True)
class _Case:
    """A snapshot whose image proves, with its pods told apart."""

    workload: Workload
    question: Question
    past: Past
    proof: Ours | Newer
    current: Revision | None
    new: tuple[Pod, ...]
    old: tuple[Pod, ...]


def current_revision(snapshot: Snapshot, kind: Kind) -> Revision | None:
    """The revision made from the workload's present template; None while its controller has not made it.

    The number (or name) alone is not enough: it is still the old one just after a change.
    """
    workload, revisions = snapshot.workload, snapshot.revisions
    if kind is Kind.DEPLOYMENT:
        found = next((each for each in revisions if str(each.number) == workload.revision), None)
    elif kind is Kind.STATEFULSET:
        found = next((each for each in revisions if each.name == workload.revision), None)
    else:  # a DaemonSet does not tell
        found = max(revisions, key=lambda revision: revision.number, default=None)
    return found if found is not None and found.template == workload.template else None


def split(snapshot: Snapshot, kind: Kind) -> tuple[tuple[Pod, ...], tuple[Pod, ...]]:
    """The living pods of the current revision, and those of others."""
    current = current_revision(snapshot, kind)
    name = current.name if current else None
    living = [pod for pod in snapshot.pods if pod.lives]
    return tuple(pod for pod in living if pod.revision == name), tuple(pod for pod in living if pod.revision != name)


def judge(snapshot: Snapshot, question: Question, past: Past) -> Judgement:
    """What a snapshot comes to; Vanishing and Complete become verdicts only with time."""
    if snapshot.workload.deleting:
        return Vanishing()
    named = standing(snapshot, question)
    match named:
        case Nameless(shown, reason) if past.first:
            return Unproven(
                reason, "deploy images tagged with the commit, or choose another proof with --image-proof", shown
            )
        case Nameless() | Other():
            return _replaced(named, question, past) if past.came else _awaiting(named, question)
        case Ours() | Newer():
            new, old = split(snapshot, past.kind)
            current = current_revision(snapshot, past.kind)
            return _rollout(_Case(snapshot.workload, question, past, named, current, new, old))


def _wanted(question: Question) -> str:
    return question.proof.digest[:19] if isinstance(question.proof, image.ByDigest) else question.short


def _awaiting(found: Nameless | Other, question: Question) -> Awaiting:
    note = ", which git does not know here" if isinstance(found, Other) and found.unknown else ""
    return Awaiting(f"runs {found.image}{note}; waiting for {_wanted(question)}", found.image)


def _replaced(found: Nameless | Other, question: Question, past: Past) -> Failed:
    shown = found.image
    how = "rolled back to" if shown in past.earlier else "replaced by"
    name = found.name if isinstance(found, Other) else image.tag(shown) or shown
    unsure = isinstance(found, Other) and found.unknown
    why = f"of which git cannot say whether it contains {question.short}" if unsure else f"not {question.short}"
    after = f"; before that: {past.evidence[0].trouble.text}" if past.evidence else ""
    return Failed(f"{how} {name} ({why}){after}", past.came)


def _rollout(case: _Case) -> Judgement:
    steps = (_paused, _taken_up, _deadline, _doomed, _zero, _counts, _old_pods, _one_digest)
    for step in steps:
        if (judgement := step(case)) is not None:
            return judgement
    note = f"included in newer deploy {case.proof.name}" if isinstance(case.proof, Newer) else ""
    return Complete(case.proof.image, note)


def _paused(case: _Case) -> Judgement | None:
    """A pause holds back only what is not complete."""
    if not case.workload.paused or not (_taken_up(case) or _counts(case) or _old_pods(case)):
        return None
    return Rolling(case.proof.image, held="the Deployment is paused", remedy="kubectl rollout resume it")


def _taken_up(case: _Case) -> Judgement | None:
    if case.workload.observed != case.workload.generation or case.current is None:
        return Rolling(case.proof.image, "its controller has not taken the change up yet")
    return None


def _deadline(case: _Case) -> Judgement | None:
    if not case.workload.deadline_passed or case.past.moved:
        return None
    why = [evidence.trouble.text for evidence in case.past.evidence]
    why += [f"pod {pod.name} is not ready" for pod in case.new if not pod.ready]
    reason = f"the progress deadline passed: {why[0] if why else case.workload.deadline_passed}"
    crashed = next((each.trouble.crashed for each in case.past.evidence if each.trouble.crashed), None)
    return Failed(reason, case.proof.image, crashed)


def _doomed(case: _Case) -> Judgement | None:
    hopeless = case.past.hopeless
    return Failed(hopeless.text, case.proof.image, hopeless.crashed) if hopeless else None


def _zero(case: _Case) -> Judgement | None:
    if case.workload.counts.desired:
        return None
    reason = "no node is chosen for it" if case.past.kind is Kind.DAEMONSET else "it is scaled to zero"
    return Unproven(
        f"{reason}, so that no pod runs {case.proof.image}", "scale it up, then ask again", case.proof.image
    )


def _counts(case: _Case) -> Judgement | None:
    ready = [pod for pod in case.new if pod.ready]
    all_ready = len(ready) == len(case.new) and len(ready) >= case.workload.counts.desired
    if case.workload.counts.complete and all_ready:
        return None
    return _rolling(case)


def _old_pods(case: _Case) -> Judgement | None:
    return _rolling(case) if case.old else None


def _rolling(case: _Case) -> Rolling:
    held, remedy = _holds(case)
    return Rolling(case.proof.image, held=held, remedy=remedy)


def _holds(case: _Case) -> tuple[str, str]:
    """What holds the rest back, and what to do about it."""
    workload, evidence = case.workload, case.past.evidence
    behind = min(workload.partition, workload.counts.desired, len(case.old))
    if evidence:
        return evidence[0].trouble.text, ""
    if workload.on_delete and case.old:
        count = counted(len(case.old), "pod")
        return f"pods are replaced only when they are deleted (OnDelete): {count} to go", "delete the old pods"
    if behind:
        return f"the partition ({workload.partition}) holds {counted(behind, 'pod')} back", "lower the partition"
    return "", ""


def _one_digest(case: _Case) -> Judgement | None:
    """A tag that was pushed again makes different images of one name."""
    for name in case.proof.containers:
        states = [state for pod in case.new for state in pod.containers if state.name == name and not state.init]
        digests = {state.digest for state in states if state.digest}
        if len(digests) > 1:
            held = f"the pods run {len(digests)} different images as {case.proof.image}"
            return Rolling(case.proof.image, held=held, remedy="the tag was pushed again: restart the rollout")
    return None
