"""Verbs on kubectl: each is one call with a hard end, and comes to a look."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from homelab_hooks.errors import Problem
from homelab_hooks.kubectl import answers, pods as pods_reading, reading
from homelab_hooks.kubectl.facts import Kind, Pod, Revision, Target, Workload
from homelab_hooks.looks import Absent, Denied, Fault, Missed, Seen
from homelab_hooks.proc import Done

T = TypeVar("T")

_REVISIONS = {
    Kind.DEPLOYMENT: "replicasets",
    Kind.STATEFULSET: "controllerrevisions",
    Kind.DAEMONSET: "controllerrevisions",
}


class Runs(Protocol):
    """Runs a process to its end, or ends it after `timeout` seconds (proc.Processes does)."""

    def run(self, argv: Sequence[str], *, timeout: float | None = None) -> Done:
        """How it ended."""


class Kubectl:
    """The user's own kubectl with the user's own kubeconfig.

    Its own timeouts do not hold (a request timeout of 2 s was seen to take 12), so that each call is given a hard end
    here: `within` seconds.
    """

    def __init__(self, processes: Runs, *, program: str = "kubectl", context: str = "", kubeconfig: str = "") -> None:
        self._processes = processes
        self._program = program
        self._options = [
            *([f"--kubeconfig={kubeconfig}"] if kubeconfig else []),
            *([f"--context={context}"] if context else []),
        ]

    def workload(self, target: Target, *, within: float) -> Seen[Workload] | Absent | Missed | Denied:
        """The workload itself; Absent only where the API server says that it, or its namespace, is not there."""
        return self._get(
            target, [target.kind.value, target.name], lambda raw: reading.workload(target.kind, raw), within
        )

    def revisions(
        self, target: Target, workload: Workload, *, within: float
    ) -> Seen[tuple[Revision, ...]] | Absent | Missed | Denied:
        """The ReplicaSets or ControllerRevisions that the workload owns."""
        what = [_REVISIONS[target.kind], *_selected(workload)]
        return self._get(target, what, lambda raw: reading.revisions(workload.uid, raw), within)

    def pods(
        self, target: Target, workload: Workload, revisions: Sequence[Revision], *, within: float
    ) -> Seen[tuple[Pod, ...]] | Absent | Missed | Denied:
        """The pods that belong to the workload by owner, not by label."""
        what = ["pods", *_selected(workload)]
        return self._get(target, what, lambda raw: pods_reading.pods(workload.uid, revisions, raw), within)

    def cannot_create(self, target: Target, workload: Workload, *, within: float) -> str:
        """Why no pod can be made for a workload whose status does not tell: its newest event says; else empty.

        Best effort: who may not list events learns nothing here.
        """
        what = ["events", f"--field-selector=involvedObject.uid={workload.uid}"]
        look = self._get(target, what, lambda raw: reading.cannot_create(workload.uid, raw), within)
        return look.value if isinstance(look, Seen) else ""

    def _get(
        self, target: Target, what: list[str], read: Callable[[reading.Json], T], within: float
    ) -> Seen[T] | Absent | Missed | Denied:
        argv = [self._program, *self._options, f"--namespace={target.namespace}", "get", *what, "--output=json"]
        done = self._processes.run(argv, timeout=within)
        if done.missing:
            raise Problem(
                f"{self._program} cannot be started: {done.err}",
                hint="install kubectl and put it on the PATH",
            )
        if done.timed_out or not done.ok:
            return answers.failure(done)
        try:
            return Seen(read(json.loads(done.out)))
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
            return Missed(f"kubectl's answer is not what was asked for ({type(error).__name__})", Fault.BODY)


def _selected(workload: Workload) -> list[str]:
    return [f"--selector={workload.selector}"] if workload.selector else []
