"""Verbs on kubectl: each is one call with a hard end, and comes to a look."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar
from urllib.parse import urlencode

from homelab_hooks.errors import CommandError
from homelab_hooks.kubectl import errors, parse, pods as pods_reading, watch_stream
from homelab_hooks.kubectl.model import Pod, Revision, Workload, WorkloadKind, WorkloadTarget
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Unavailable
from homelab_hooks.system.completed import Completed
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

CRASH_LOG_LINES = 10
"""lines of a container's log that are asked for"""
MAX_LOG_BYTES = 16 * 1024
"""bytes of it at most"""

T = TypeVar("T")

_REVISIONS = {
    WorkloadKind.DEPLOYMENT: "replicasets",
    WorkloadKind.STATEFULSET: "controllerrevisions",
    WorkloadKind.DAEMONSET: "controllerrevisions",
}


_WATCHED = {
    WorkloadKind.DEPLOYMENT: "/apis/apps/v1/namespaces/{}/deployments",
    WorkloadKind.STATEFULSET: "/apis/apps/v1/namespaces/{}/statefulsets",
    WorkloadKind.DAEMONSET: "/apis/apps/v1/namespaces/{}/daemonsets",
}


class LineFollower(Protocol):
    """A process whose lines are heard."""

    @property
    def alive(self) -> bool:
        """Whether lines may still come."""

    def close(self) -> None:
        """End it."""


class KubectlRunner(Protocol):
    """Starts processes (proc.Processes does)."""

    def run(self, argv: Sequence[str], *, timeout: float | None = None) -> Completed:
        """Run to the end, or end it after `timeout` seconds; how it ended."""

    def stream_lines(self, argv: Sequence[str], hear: Callable[[str], bool], over: Callable[[], None]) -> LineFollower:
        """Hand on each line as it comes, in a thread of its own, until `hear` says no; then say that it is over."""


class Kubectl:
    """The user's own kubectl with the user's own kubeconfig.

    Its own timeouts do not hold (a request timeout of 2 s was seen to take 12), so that each call is given a hard end
    here: `within` seconds.
    """

    def __init__(
        self, processes: KubectlRunner, *, program: str = "kubectl", context: str = "", kubeconfig: str = ""
    ) -> None:
        self._processes = processes
        self._program = program
        self._options = [
            *([f"--kubeconfig={kubeconfig}"] if kubeconfig else []),
            *([f"--context={context}"] if context else []),
        ]

    def workload(self, target: WorkloadTarget, *, within: float) -> Found[Workload] | NotFound | Unavailable | Denied:
        """The workload itself; Absent only where the API server says that it, or its namespace, is not there."""
        return self._get(
            target, [target.kind.value, target.name], lambda raw: parse.parse_workload(target.kind, raw), within
        )

    def revisions(
        self, target: WorkloadTarget, workload: Workload, *, within: float
    ) -> Found[tuple[Revision, ...]] | NotFound | Unavailable | Denied:
        """The ReplicaSets or ControllerRevisions that the workload owns."""
        what = [_REVISIONS[target.kind], *_selector_args(workload)]
        return self._get(target, what, lambda raw: parse.parse_revisions(workload.uid, raw), within)

    def pods(
        self, target: WorkloadTarget, workload: Workload, revisions: Sequence[Revision], *, within: float
    ) -> Found[tuple[Pod, ...]] | NotFound | Unavailable | Denied:
        """The pods that belong to the workload by owner, not by label."""
        what = ["pods", *_selector_args(workload)]
        return self._get(target, what, lambda raw: pods_reading.parse_pods(workload.uid, revisions, raw), within)

    def cannot_create(self, target: WorkloadTarget, workload: Workload, *, within: float) -> str:
        """Why no pod can be made for a workload whose status does not tell: its newest event says; else empty.

        Best effort: who may not list events learns nothing here.
        """
        what = ["events", f"--field-selector=involvedObject.uid={workload.uid}"]
        look = self._get(target, what, lambda raw: parse.parse_failed_create(workload.uid, raw), within)
        return look.value if isinstance(look, Found) else ""

    def watch_workload(
        self, target: WorkloadTarget, hear: Callable[[Workload | None], None], over: Callable[[], None], *, lasts: float
    ) -> LineFollower:
        """Watch the workload: hand on what it is now, what it becomes, and None once it is gone.

        One request, which the server ends after `lasts` seconds; whatever is not as expected ends it sooner. It tells
        that there is news, and proves nothing.
        """
        query = {"fieldSelector": f"metadata.name={target.name}"}
        heard = watch_stream.watch_line_handler(lambda raw: parse.parse_workload(target.kind, raw), hear)
        return self._watch(_WATCHED[target.kind].format(target.namespace), query, lasts, (heard, over))

    def watch_pods(
        self,
        target: WorkloadTarget,
        workload: Workload,
        hear: Callable[[Pod | None], None],
        over: Callable[[], None],
        *,
        lasts: float,
    ) -> LineFollower:
        """Watch the pods that the workload selects, in the same way; whose they are is not told."""
        query = {"labelSelector": workload.selector} if workload.selector else {}
        heard = watch_stream.watch_line_handler(lambda raw: pods_reading.parse_pod(raw, ""), hear)
        return self._watch(f"/api/v1/namespaces/{target.namespace}/pods", query, lasts, (heard, over))

    def _watch(
        self, path: str, query: dict[str, str], lasts: float, listener: tuple[Callable[[str], bool], Callable[[], None]]
    ) -> LineFollower:
        asked = urlencode({"watch": "true", "resourceVersion": "0", "timeoutSeconds": str(int(lasts) + 1), **query})
        return self._processes.stream_lines([self._program, *self._options, "get", f"--raw={path}?{asked}"], *listener)

    def previous_logs(self, target: WorkloadTarget, pod: str, container: str, *, within: float) -> tuple[str, ...]:
        """The last lines of a container's run before this one; none where they cannot be had. Best effort."""
        few = [f"--tail={CRASH_LOG_LINES}", f"--limit-bytes={MAX_LOG_BYTES}"]
        argv = [self._program, *self._options, *_logs_command(target, pod, container), *few]
        done = self._processes.run(argv, timeout=within)
        lines = done.out.splitlines() if done.ok else []
        return tuple(text for line in lines[-CRASH_LOG_LINES:] if (text := truncate_text(strip_control_chars(line))))

    def log_command(self, target: WorkloadTarget, pod: str, container: str) -> str:
        """What a person types to read all of it."""
        return shlex.join(["kubectl", *self._options, *_logs_command(target, pod, container)])

    def _get(
        self, target: WorkloadTarget, what: list[str], read: Callable[[parse.Json], T], within: float
    ) -> Found[T] | NotFound | Unavailable | Denied:
        argv = [self._program, *self._options, f"--namespace={target.namespace}", "get", *what, "--output=json"]
        done = self._processes.run(argv, timeout=within)
        if done.not_found:
            raise CommandError(
                f"{self._program} cannot be started: {done.err}",
                hint="install kubectl and put it on the PATH",
            )
        if done.timed_out or not done.ok:
            return errors.to_poll(done)
        try:
            return Found(read(json.loads(done.out)))
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
            return Unavailable(f"kubectl's answer is not what was asked for ({type(error).__name__})", FailureKind.BODY)


def _logs_command(target: WorkloadTarget, pod: str, container: str) -> list[str]:
    return [f"--namespace={target.namespace}", "logs", "--previous", f"--container={container}", pod]


def _selector_args(workload: Workload) -> list[str]:
    return [f"--selector={workload.selector}"] if workload.selector else []
