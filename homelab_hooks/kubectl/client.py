"""Runs kubectl: one subprocess for each method, with a timeout, returning a `Poll`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar
from urllib.parse import urlencode

from homelab_hooks.errors import CommandError
from homelab_hooks.kubectl import cron_job, errors, parse, pods as pods_reading, watch_stream
from homelab_hooks.kubectl.cron_job import RunningJob
from homelab_hooks.kubectl.events import PodWarning, parse_pod_warnings
from homelab_hooks.kubectl.login import CallExpired, LoginListener, LoginPolicy
from homelab_hooks.kubectl.model import Pod, PodsAndWorkload, Revision, Workload, WorkloadKind, WorkloadTarget
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Unavailable
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.output import OutputListener
from homelab_hooks.text.durations import format_duration
from homelab_hooks.text.json_fields import Json
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

MAX_LOG_BYTES = 16 * 1024
"""bytes of a container's log that are read at most"""

_ENDED_CODE = -15
"""of a call that was ended"""

T = TypeVar("T")

_REVISIONS = {
    WorkloadKind.DEPLOYMENT: "replicasets",
    WorkloadKind.STATEFULSET: "controllerrevisions",
    WorkloadKind.DAEMONSET: "controllerrevisions",
    WorkloadKind.ROLLOUT: "replicasets",
}


_WATCHED = {
    WorkloadKind.DEPLOYMENT: "/apis/apps/v1/namespaces/{}/deployments",
    WorkloadKind.STATEFULSET: "/apis/apps/v1/namespaces/{}/statefulsets",
    WorkloadKind.DAEMONSET: "/apis/apps/v1/namespaces/{}/daemonsets",
    WorkloadKind.ROLLOUT: "/apis/argoproj.io/v1alpha1/namespaces/{}/rollouts",
}


class LineFollower(Protocol):
    """A process whose output lines are passed to a callback."""

    @property
    def alive(self) -> bool:
        """Return whether the process may still print lines."""

    def close(self) -> None:
        """End the process."""


class KubectlRunner(Protocol):
    """Starts processes (`system.process.ProcessRunner` does)."""

    def run(self, argv: Sequence[str], *, timeout: float | None = None) -> Completed:
        """Run a command; kill it after `timeout` seconds."""

    def with_listener(self, listener: OutputListener) -> KubectlRunner:
        """Return a runner whose `run` passes messages on as they come; an exception in it ends the command."""

    def stream_lines(
        self, argv: Sequence[str], on_line: Callable[[str], bool], on_end: Callable[[], None]
    ) -> LineFollower:
        """Pass each line to `on_line` on a worker thread until that returns False, then call `on_end`."""


class Kubectl:
    """Runs the user's kubectl with the user's kubeconfig.

    kubectl's own timeouts are not reliable: a request timeout of 2 s was measured to take 12 s. So each process is
    killed after `within` seconds, unless it waits for a login.

    Args:
        login: what to do while a credential plugin waits for a login; None: its call is ended like any other.
    """

    def __init__(
        self,
        processes: KubectlRunner,
        *,
        program: str = "kubectl",
        context: str = "",
        kubeconfig: str = "",
        login: LoginPolicy | None = None,
    ) -> None:
        self._processes = processes
        self._program = program
        self._context, self._kubeconfig = context, kubeconfig
        self._login = login
        self._has_answered = False
        self._options = [
            *([f"--kubeconfig={kubeconfig}"] if kubeconfig else []),
            *([f"--context={context}"] if context else []),
        ]

    def pin_context(self, *, within: float) -> Kubectl:
        """Return a client that keeps to the context that is the current one now.

        Another terminal may switch it during a wait, and another cluster would then prove the rollout. Without a
        current context, as in a pod, kubectl finds its cluster by other means; the client stays as it is.
        """
        if self._context:
            return self
        done = self._processes.run([self._program, *self._options, "config", "current-context"], timeout=within)
        name = done.out.removesuffix("\n") if done.ok else ""
        return self._replace(context=name) if name else self

    def with_login(self, policy: LoginPolicy) -> Kubectl:
        """Return a client that waits while a credential plugin waits for a login."""
        return self._replace(login=policy)

    def _replace(self, *, context: str = "", login: LoginPolicy | None = None) -> Kubectl:
        return Kubectl(
            self._processes,
            program=self._program,
            context=context or self._context,
            kubeconfig=self._kubeconfig,
            login=login or self._login,
        )

    def workload(self, target: WorkloadTarget, *, within: float) -> Found[Workload] | NotFound | Unavailable | Denied:
        """Get the workload; NotFound only if the API server reports that it or its namespace does not exist."""
        return self.resource(target, lambda raw: parse.parse_workload(target.kind, raw), within=within)

    def resource(
        self, target: WorkloadTarget, read: Callable[[Json], T], *, within: float
    ) -> Found[T] | NotFound | Unavailable | Denied:
        """Get the object that the target names, as `read` parses it; NotFound also if the cluster lacks its kind."""
        return self._get(target, [target.kind.resource, target.name], read, within)

    def running_jobs(
        self, target: WorkloadTarget, uid: str, *, within: float
    ) -> Found[tuple[RunningJob, ...]] | NotFound | Unavailable | Denied:
        """Get the Jobs of a CronJob that have not ended."""
        return self._get(target, ["jobs.batch"], lambda raw: cron_job.parse_running_jobs(uid, raw), within)

    def revisions(
        self, target: WorkloadTarget, workload: Workload, *, within: float
    ) -> Found[tuple[Revision, ...]] | NotFound | Unavailable | Denied:
        """Get the ReplicaSets or ControllerRevisions that the workload owns."""
        what = [_REVISIONS[target.kind], *_selector_args(workload)]
        return self._get(target, what, lambda raw: parse.parse_revisions(workload.uid, raw), within)

    def pods(
        self, target: WorkloadTarget, workload: Workload, revisions: Sequence[Revision], *, within: float
    ) -> Found[tuple[Pod, ...]] | NotFound | Unavailable | Denied:
        """Get the pods that the workload owns; a matching label alone does not count."""
        what = ["pods", *_selector_args(workload)]
        return self._get(target, what, lambda raw: pods_reading.parse_pods(workload.uid, revisions, raw), within)

    def pods_then_workload(
        self, target: WorkloadTarget, workload: Workload, revisions: Sequence[Revision], *, within: float
    ) -> Found[PodsAndWorkload] | NotFound | Unavailable | Denied:
        """Get the pods that the workload owns and then the workload, in one call and in this order.

        kubectl requests the resources of a comma-separated list one after the other. The workload's own labels must
        match its selector (`Workload.matches_own_selector`), and the user must be permitted to list workloads.
        """

        def read(raw: Json) -> PodsAndWorkload:
            pods = {"items": [each for each in raw["items"] if each["kind"] == "Pod"]}
            again = parse.find_object(target.kind, target.name, raw)
            return PodsAndWorkload(
                pods_reading.parse_pods(workload.uid, revisions, pods), parse.parse_workload(target.kind, again)
            )

        return self._get(target, [f"pods,{target.kind.resource}", *_selector_args(workload)], read, within)

    def cannot_create(self, target: WorkloadTarget, workload: Workload, *, within: float) -> str:
        """Return why no pod can be created, from the workload's newest event; empty if that is not a failure.

        For workloads whose status does not show it. Best effort: also empty if the user may not list events.
        """
        what = ["events", f"--field-selector=involvedObject.uid={workload.uid}"]
        events = self._get(target, what, lambda raw: parse.parse_failed_create(workload.uid, raw), within)
        return events.value if isinstance(events, Found) else ""

    def pod_warnings(self, target: WorkloadTarget, *, within: float) -> dict[str, PodWarning]:
        """Return the newest warning of each pod in the namespace, by the pod's uid.

        Best effort: empty if the user may not list events.
        """
        what = ["events", "--field-selector=involvedObject.kind=Pod,type=Warning"]
        found = self._get(target, what, parse_pod_warnings, within)
        return found.value if isinstance(found, Found) else {}

    def watch_workload(
        self,
        target: WorkloadTarget,
        on_object: Callable[[Workload | None], None],
        on_end: Callable[[], None],
        *,
        duration: float,
    ) -> LineFollower:
        """Watch the workload: pass its current state, each later one, and None once it is deleted, to `on_object`.

        One request, which the server ends after `duration` seconds; unexpected output ends it sooner. A watch event
        only ends a sleep early, it is never evidence (ADR 10).
        """
        query = {"fieldSelector": f"metadata.name={target.name}"}
        on_line = watch_stream.watch_line_handler(lambda raw: parse.parse_workload(target.kind, raw), on_object)
        return self._watch(_WATCHED[target.kind].format(target.namespace), query, duration, (on_line, on_end))

    def watch_pods(
        self,
        target: WorkloadTarget,
        workload: Workload,
        on_object: Callable[[Pod | None], None],
        on_end: Callable[[], None],
        *,
        duration: float,
    ) -> LineFollower:
        """Watch the pods that the workload selects, as `watch_workload` does; their owner is not checked."""
        query = {"labelSelector": workload.selector} if workload.selector else {}
        on_line = watch_stream.watch_line_handler(lambda raw: pods_reading.parse_pod(raw, ""), on_object)
        return self._watch(f"/api/v1/namespaces/{target.namespace}/pods", query, duration, (on_line, on_end))

    def _watch(
        self,
        path: str,
        query: dict[str, str],
        duration: float,
        listener: tuple[Callable[[str], bool], Callable[[], None]],
    ) -> LineFollower:
        parameters = urlencode(
            {"watch": "true", "resourceVersion": "0", "timeoutSeconds": str(int(duration) + 1), **query}
        )
        return self._processes.stream_lines(
            [self._program, *self._options, "get", f"--raw={path}?{parameters}"], *listener
        )

    def previous_logs(
        self, target: WorkloadTarget, pod: str, container: str, *, count: int, within: float
    ) -> tuple[str, ...]:
        """Return the last `count` log lines of a container's previous run; none on any failure."""
        few = [f"--tail={count}", f"--limit-bytes={MAX_LOG_BYTES}"]
        argv = [self._program, *self._options, *_logs_command(target, pod, container), *few]
        done = self._processes.run(argv, timeout=within)
        lines = done.out.splitlines() if done.ok else []
        return tuple(text for line in lines[-count:] if (text := truncate_text(strip_control_chars(line))))

    def log_command(self, target: WorkloadTarget, pod: str, container: str) -> str:
        """Return the command that prints the whole log."""
        return shlex.join(["kubectl", *self._options, *_logs_command(target, pod, container)])

    def _run(self, argv: Sequence[str], within: float) -> Completed | Denied:
        """Run a call; Denied if the credential plugin of the first one waited for a login for too long."""
        if self._login is None:
            return self._processes.run(argv, timeout=within)
        listener = LoginListener(self._login, within)
        try:
            return self._processes.with_listener(listener).run(argv)
        except CallExpired:
            # A wrapper of kubectl prints lines too: once a call was answered, nobody has to log in.
            if listener.has_waited_for_login and not self._has_answered:
                return _expired_login(listener.words, max(within, self._login.timeout))
            return Completed(_ENDED_CODE, timed_out=True)

    def _get(
        self, target: WorkloadTarget, what: list[str], read: Callable[[Json], T], within: float
    ) -> Found[T] | NotFound | Unavailable | Denied:
        argv = [self._program, *self._options, f"--namespace={target.namespace}", "get", *what, "--output=json"]
        done = self._run(argv, within)
        if isinstance(done, Denied):
            return done
        if done.not_found:
            raise CommandError(
                f"kubectl cannot be started: {done.start_error}",
                hint="install kubectl for this machine and put it on the PATH",
            )
        if done.start_error:
            return Unavailable(f"kubectl cannot be started: {done.start_error}", FailureKind.CONNECTION)
        if done.truncated:
            return Unavailable("kubectl prints more than homelab can read", FailureKind.BODY, hint=_look(argv))
        if done.timed_out or not done.ok:
            failed = errors.to_poll(done)
            self._has_answered = self._has_answered or isinstance(failed, NotFound)
            return failed
        self._has_answered = True
        try:
            return Found(read(json.loads(done.out)))
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
            what_is_wrong = (
                "not JSON" if isinstance(error, json.JSONDecodeError) else "not the object that was asked for"
            )
            reason = f"unexpected output from kubectl: {what_is_wrong}"
            return Unavailable(reason, FailureKind.BODY, hint=_look(argv))


def _look(argv: Sequence[str]) -> str:
    return f"check the kubectl on the PATH: see what this prints: {shlex.join(argv)}"


def _expired_login(words: Sequence[str], seconds: float) -> Denied:
    return Denied(
        f"the credential plugin of kubectl waited for a login for {format_duration(seconds)}: {words[-1]}",
        "log in with the plugin, for example by running kubectl get namespaces, then run the same command again",
        final=True,
    )


def _logs_command(target: WorkloadTarget, pod: str, container: str) -> list[str]:
    return [f"--namespace={target.namespace}", "logs", "--previous", f"--container={container}", pod]


def _selector_args(workload: Workload) -> list[str]:
    return [f"--selector={workload.selector}"] if workload.selector else []
