"""Takes a snapshot of a workload with kubectl: one that holds together, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from homelab_hooks import image
from homelab_hooks.deploy.question import Question, Snapshot
from homelab_hooks.deploy.standing import Newer, Ours, standing, strangers
from homelab_hooks.deploy.state import State
from homelab_hooks.history import Containment, Contains
from homelab_hooks.kubectl.facts import Kind, Workload
from homelab_hooks.kubectl.kubectl import Kubectl
from homelab_hooks.looks import Absent, Denied, Fault, Look, Missed, Seen

_TRIES = 3


class Sight:
    """Looks at workloads; remembers what git said about the names it found.

    Args:
        now: the time, so that no call is given more than is left.
    """

    def __init__(self, kubectl: Kubectl, contains: Contains, now: Callable[[], float]) -> None:
        self._kubectl = kubectl
        self._contains = contains
        self._now = now
        self._known: dict[tuple[str, str], Containment] = {}

    def look(self, state: State) -> Look[Snapshot]:
        """The workload, its revisions, its pods, and the workload again: the same, or it does not count."""
        for _ in range(_TRIES):
            first = self._kubectl.workload(state.target, within=state.patience(self._now()))
            if not isinstance(first, Seen):
                return first
            snapshot = Snapshot(workload=first.value, kin=self._kin(first.value, state.question))
            if not state.came and not _needs_pods(snapshot, state.question):
                return Seen(snapshot)
            whole = self._whole(state, snapshot)
            if whole is not None:
                return whole
        return Missed("the workload changed while it was looked at, again and again", Fault.BODY)

    def _whole(self, state: State, snapshot: Snapshot) -> Look[Snapshot] | None:
        """The snapshot with all its parts; None when the workload changed meanwhile."""
        target, workload = state.target, snapshot.workload
        revisions = self._kubectl.revisions(target, workload, within=state.patience(self._now()))
        if not isinstance(revisions, Seen):
            return _part(revisions)
        pods = self._kubectl.pods(target, workload, revisions.value, within=state.patience(self._now()))
        if not isinstance(pods, Seen):
            return _part(pods)
        again = self._kubectl.workload(target, within=state.patience(self._now()))
        if not isinstance(again, Seen):
            return again
        if not _same(workload, again.value):
            return None
        whole = Snapshot(workload=again.value, revisions=revisions.value, pods=pods.value, kin=snapshot.kin)
        return Seen(self._with_events(state, whole))

    def _with_events(self, state: State, snapshot: Snapshot) -> Snapshot:
        """Only a Deployment's status says that pods cannot be created; for the others their events are asked."""
        workload = snapshot.workload
        living = sum(pod.lives for pod in snapshot.pods)
        if state.target.kind is Kind.DEPLOYMENT or living >= workload.counts.desired:
            return snapshot
        why = self._kubectl.cannot_create(state.target, workload, within=state.patience(self._now()))
        return replace(snapshot, workload=replace(workload, cannot_create=why))

    def _kin(self, workload: Workload, question: Question) -> dict[str, Containment]:
        for name in strangers(workload, question):
            if (name, question.sha) not in self._known:
                self._known[name, question.sha] = self._contains(newer=name, ours=question.sha)
        return {name: known for (name, sha), known in self._known.items() if sha == question.sha}


def _needs_pods(snapshot: Snapshot, question: Question) -> bool:
    """Until the image comes, the workload alone tells; only a digest is seen on pods first."""
    return isinstance(question.proof, image.ByDigest) or isinstance(standing(snapshot, question), (Ours, Newer))


def _part(look: Absent | Missed | Denied) -> Missed | Denied:
    """A part that is not there although the workload was: an answer of no use."""
    return Missed(look.reason, Fault.BODY) if isinstance(look, Absent) else look


def _same(first: Workload, again: Workload) -> bool:
    return (first.uid, first.generation, first.template) == (again.uid, again.generation, again.template)
