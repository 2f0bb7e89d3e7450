"""What kubectl prints."""

from __future__ import annotations

import json
from functools import partial

from homelab_hooks.deploy.kubernetes.resource_poller import PARSERS
from homelab_hooks.kubectl import parse, pods, watch_stream
from homelab_hooks.kubectl.argo_cd import ArgoApplication
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.cron_job import CronJob, RunningJob
from homelab_hooks.kubectl.flux import Kustomization
from homelab_hooks.kubectl.model import Pod, ReplicaCounts, Revision, Template, Workload, WorkloadKind, WorkloadTarget
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Unavailable
from homelab_hooks.simulators.kubernetes.gitops_objects import (
    make_application,
    make_cron_job,
    make_job,
    make_kustomization,
    make_rollout,
)
from homelab_hooks.system.completed import Completed
from tools.fuzz import seeds, texts
from tools.fuzz.fed import LOOKS, CannedProgram, FuzzTarget
from tools.fuzz.promises import hold


def kubectl(data: bytes) -> None:
    """Whatever kubectl prints, each verb is a look, and what was seen is what its type says."""
    known = Kubectl(CannedProgram(Completed(0, data)))
    workload = None
    for kind in WorkloadKind:
        found = known.workload(WorkloadTarget("shop", kind, "web"), within=1.0)
        assert isinstance(found, LOOKS)
        if isinstance(found, Found):
            workload = found.value
            hold(workload, Workload)
    for kind, parse_resource in PARSERS.items():
        resource = known.resource(WorkloadTarget("shop", kind, "web"), parse_resource, within=1.0)
        assert isinstance(resource, LOOKS)
        hold(resource.value if isinstance(resource, Found) else None, CronJob | Kustomization | ArgoApplication | None)
    workload = workload or WORKLOAD
    listed = Kubectl(CannedProgram(Completed(0, b'{"items": [' + data + b"]}")))
    target = WorkloadTarget("shop", WorkloadKind.DEPLOYMENT, "web")
    for asked in (known, listed):
        made = asked.revisions(target, workload, within=1.0)
        hold(made.value if isinstance(made, Found) else (), tuple[Revision, ...])
        pods = asked.pods(target, workload, made.value if isinstance(made, Found) else (), within=1.0)
        hold(pods.value if isinstance(pods, Found) else (), tuple[Pod, ...])
        jobs = asked.running_jobs(target, workload.uid, within=1.0)
        hold(jobs.value if isinstance(jobs, Found) else (), tuple[RunningJob, ...])
        assert not texts.harmful(asked.cannot_create(target, workload, within=1.0))


def kubectl_errors(data: bytes) -> None:
    """An error of kubectl is never a success, and its text can be shown."""
    for code in (1, 0 - 9, 255):
        found = Kubectl(CannedProgram(Completed(code, data, data))).workload(
            WorkloadTarget("shop", WorkloadKind.DEPLOYMENT, "web"), within=1.0
        )
        assert isinstance(found, (NotFound, Unavailable, Denied))
        assert not texts.harmful(found.reason), found


def watches(data: bytes) -> None:
    """A line of a watch is news that its type describes, or ends the watch; only a DELETED says that it is gone."""
    line = data.decode("utf-8", "replace")
    for kind in WorkloadKind:
        told: list[Workload | None] = []
        went_on = watch_stream.watch_line_handler(partial(parse.parse_workload, kind), told.append)(line)
        hold(tuple(told), tuple[Workload | None, ...])
        assert went_on or not told
        assert None not in told or json.loads(line)["type"] == "DELETED"
    heard: list[Pod | None] = []
    watch_stream.watch_line_handler(lambda raw: pods.parse_pod(raw, ""), heard.append)(line)
    hold(tuple(heard), tuple[Pod | None, ...])


WORKLOAD = Workload(
    uid="45815568-4321-4245-82ff-3baa50c7313e", generation=1, observed=1, template=Template(),
    counts=ReplicaCounts(desired=1, total=1, updated=1, available=1),
)  # fmt: skip

TARGETS = {
    "kubectl": FuzzTarget(kubectl, tuple(
        body for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ControllerRevision", "Pod", "Event")
        for body in seeds.kubernetes(kind)[:6]
    ) + tuple(json.dumps(raw).encode() for raw in (
        make_kustomization("main@sha1:9f2c1a7b"), make_application(("1.2.3", "9f2c1a7b" * 5), operation=("", "Failed")),
        make_cron_job("9f2c1a7b", active=("web-1",)), make_job("web-1", "latest"), make_rollout("9f2c1a7b")[0],
    ))),
    "kubectl-errors": FuzzTarget(kubectl_errors, seeds.kubectl_errors()),
    "kubectl-watch": FuzzTarget(watches, tuple(
        b'{"type": "%s", "object": %s}' % (event, body)
        for event in (b"ADDED", b"MODIFIED", b"DELETED", b"BOOKMARK", b"ERROR")
        for kind in ("Deployment", "StatefulSet", "DaemonSet", "Pod")
        for body in seeds.kubernetes(kind)[:4]
    )),
}  # fmt: skip
