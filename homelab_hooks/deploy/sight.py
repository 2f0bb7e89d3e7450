"""Takes looks at workloads with kubectl: a snapshot that holds together, the workload alone, or what was heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from homelab_hooks import image
from homelab_hooks.deploy import pace
from homelab_hooks.deploy.ear import Ear
from homelab_hooks.deploy.judge import current_revision
from homelab_hooks.deploy.pace import Ask, Heard
from homelab_hooks.deploy.question import Glimpse, Question, Sighting, Snapshot
from homelab_hooks.deploy.standing import proves, strangers
from homelab_hooks.deploy.state import State
from homelab_hooks.history import Containment, Contains
from homelab_hooks.kubectl.facts import Kind, Revision, Target, Workload
from homelab_hooks.kubectl.kubectl import Kubectl
from homelab_hooks.looks import Absent, Denied, Fault, Look, Missed, Seen

_TRIES = 3


class Sight:
    """Looks at workloads; remembers what git said about the names it found.

    Args:
        now: the time, so that no call is given more than is left.
        wake: cuts the wait's sleep short; without it nothing is listened to.
    """

    def __init__(
        self,
        kubectl: Kubectl,
        contains: Contains,
        now: Callable[[], float],
        wake: Callable[[], None] | None = None,
    ) -> None:
        self._kubectl = kubectl
        self._contains = contains
        self._now = now
        self._wake = wake
        self._known: dict[tuple[str, str], Containment] = {}
        self._ears: dict[Target, Ear] = {}

    def close(self) -> None:
        """Stop listening."""
        for ear in self._ears.values():
            ear.close()

    def look(self, state: State) -> Look[Sighting] | None:
        """What there is to see now; None where no look is due and nothing was heard that is worth one."""
        heard = self._heard(state, state.track.seen if state.came else None)
        match pace.ask(state, heard, self._now()):
            case Ask.NOTHING:
                return None
            case Ask.HEARD:
                told = heard.workload or state.track.seen
                return Seen(Glimpse(workload=told, watched=heard.up)) if told else None
            case Ask.WORKLOAD:
                return self._checked(state, self._workload_first(state))
            case Ask.WHOLE:
                return self._checked(state, self._tried(state, state.track.seen))

    def _heard(self, state: State, rolling: Workload | None) -> Heard:
        if self._wake is None:
            return Heard()
        if state.target not in self._ears:
            self._ears[state.target] = Ear(self._kubectl, wake=self._wake, now=self._now)
        return self._ears[state.target].heard(state, rolling)

    def _checked(self, state: State, look: Look[Sighting]) -> Look[Sighting]:
        """With whether the watches can be relied on from now on."""
        ear = self._ears.get(state.target)
        if ear is None or not isinstance(look, Seen):
            return look
        sighting = look.value
        ear.check(sighting.workload)
        came = state.came or (isinstance(sighting, Snapshot) and proves(sighting, state.question))
        return Seen(replace(sighting, watched=ear.heard(state, sighting.workload if came else None).up))

    def _workload_first(self, state: State) -> Look[Sighting]:
        """The workload, and what else it shows to be needed."""
        read = self._read(state)
        if not isinstance(read, Seen):
            return read
        workload = read.value
        if state.came and pace.enough(state, workload, self._now()):
            return Seen(Glimpse(workload=workload))
        bare = Snapshot(workload=workload, kin=self._kin(workload, state.question), bare=True)
        if not state.came and not _needs_pods(bare, state.question):
            return Seen(bare)
        return self._tried(state, workload)

    def _tried(self, state: State, first: Workload | None) -> Look[Sighting]:
        """A snapshot: where the workload changes while it is taken, its new reading begins the next one."""
        for _ in range(_TRIES):
            if first is None:
                read = self._read(state)
                if not isinstance(read, Seen):
                    return read
                first = read.value
            taken = self._whole(state, first)
            if not isinstance(taken, Workload):
                return taken
            first = taken
        return Missed("the workload changed while it was looked at, again and again", Fault.BODY)

    def _whole(self, state: State, first: Workload) -> Look[Sighting] | Workload:
        """Revisions and pods between two readings of the workload; the second one where it changed meanwhile."""
        revisions = self._revisions(state, first)
        if not isinstance(revisions, Seen):
            return _part(revisions)
        taken = self._now()
        pods = self._kubectl.pods(state.target, first, revisions.value, within=state.patience(self._now()))
        if not isinstance(pods, Seen):
            return _part(pods)
        again = self._read(state)
        if not isinstance(again, Seen):
            return again
        if not _same(first, again.value):
            changed: Workload = again.value
            return changed
        kin = self._kin(again.value, state.question)
        whole = Snapshot(workload=again.value, revisions=revisions.value, pods=pods.value, taken=taken, kin=kin)
        return Seen(self._with_events(state, whole))

    def _read(self, state: State) -> Seen[Workload] | Absent | Missed | Denied:
        return self._kubectl.workload(state.target, within=state.patience(self._now()))

    def _revisions(self, state: State, workload: Workload) -> Seen[tuple[Revision, ...]] | Absent | Missed | Denied:
        """Those of the last snapshot, if nothing can have changed about them and they explained what was seen."""
        last = state.track.whole
        unexplained = last is not None and last.workload.counts.complete and state.settling is None
        if last is not None and not unexplained and _same(last.workload, workload):
            kept = replace(last, workload=workload)
            if current_revision(kept, state.target.kind) is not None:
                return Seen(last.revisions)
        return self._kubectl.revisions(state.target, workload, within=state.patience(self._now()))

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
    """Until the image comes and its controller takes it up, the workload alone tells; but pods show a digest first."""
    if isinstance(question.proof, image.ByDigest):
        return True
    taken_up = snapshot.workload.observed == snapshot.workload.generation
    return taken_up and proves(snapshot, question)


def _part(look: Absent | Missed | Denied) -> Missed | Denied:
    """A part that is not there although the workload was: an answer of no use."""
    return Missed(look.reason, Fault.BODY) if isinstance(look, Absent) else look


def _same(first: Workload, again: Workload) -> bool:
    return (first.uid, first.generation, first.template) == (again.uid, again.generation, again.template)
