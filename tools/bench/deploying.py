"""How soon a rollout's end is known, and what that costs the cluster: with watches, without, and `rollout status`."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.kubernetes.evidence_source import EvidenceSource
from homelab_hooks.deploy.kubernetes.probe import KubernetesProbe
from homelab_hooks.deploy.run import DeployRequest, wait_for_rollouts
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.containment import Containment
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.model import WorkloadTarget
from homelab_hooks.simulators.clock import SimulatedClock
from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript, ScriptedRollout
from homelab_hooks.simulators.kubernetes.server import FailWatches, KubernetesSimulator
from tests.support.kubectl_replay import ReplayedKubectl
from tools.bench.figures import Figure, at_most, compared, delays
from tools.bench.place import PROGRAMS, BenchClone

WATCHED_TIMES = 3.0
"""of `kubectl rollout status`"""
MOST = {True: 20, False: 80}
SETTLE = 1.0
AT_ONCE = 2
FIVE_MINUTES = 300.0
DISCOVERY = 2
"""requests that kubectl makes of a cluster that it has not seen before; real ones are counted below"""
REPLICAS = 3
WAY = {True: "with watches", False: "without watches"}


class ObservedRollout(NamedTuple):
    """A rollout as one deploy wait saw it: seconds from its end in the API to the exit, beyond the settle time."""

    delay: float
    requests: int


def requests() -> Iterator[Figure]:
    """Of a rollout of five minutes, in played time, by the code that also runs against the real kubectl."""
    for listens in (True, False):
        worst = max(_played(replicas, listens=listens) for replicas in (1, 2, 3, 5, 10))
        what = f"API requests of a five-minute rollout {WAY[listens]} (worst of 1 to 10 pods, simulated time)"
        yield at_most(what, worst, MOST[listens], "requests")


def _played(replicas: int, *, listens: bool) -> int:
    time_ = SimulatedClock()
    stage = DeploymentScript(SampleApp(replicas=replicas), now=time_.now)
    sha = "9f2c1a7b" + "0" * 32
    stage.deploy(sha, ScriptedRollout(image_after=5.0, pod_takes=(FIVE_MINUTES - 5.5) / replicas))
    played = ReplayedKubectl(stage.at, now=time_.now, sleep=time_.advance)
    time_.listeners[:] = [played.emit_changes] if listens else []
    request = DeployRequest(
        targets=(WorkloadTarget.parse("shop/web"),),
        sha=sha,
        proof=ImageProof(ProofKind.TAG),
        timeout=900.0,
        settle=5.0,
        unreachable=60.0,
        use_watches=listens,
    )
    wake = time_.wake if listens else None
    probe = KubernetesProbe(
        Kubectl(played), EvidenceSource(_apart, now=time_.now), now=time_.now, wake=wake, tell=lambda _event: None
    )
    verdict = wait_for_rollouts(request, probe=probe, clock=time_, tell=lambda _event: None)
    assert verdict.exit is ExitCode.OK, verdict
    return played.requests + DISCOVERY


def _apart(*, newer: str, ours: str) -> Containment:
    del newer, ours
    return Containment.NOT_CONTAINED


def latency(place: BenchClone, seconds: Sequence[float]) -> Iterator[Figure]:
    """Rollouts of these lengths in real time, through the real kubectl; each wait has its own cluster."""
    found: dict[str, list[ObservedRollout]] = {"watched": [], "polled": [], "status": []}
    for first in range(0, len(seconds), AT_ONCE):
        threads = [
            threading.Thread(target=_one, args=(place, name, length, found))
            for length in seconds[first : first + AT_ONCE]
            for name in found
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    longest = max(seconds)
    requests: list[Figure] = []
    middle = statistics.median(_delays(found["status"]))
    for listens, name in ((True, "watched"), (False, "polled")):
        figure = delays(f"end of a rollout to exit {WAY[listens]}, beyond the settle time", _delays(found[name]))
        found_ = figure.found.replace("pipelines", "rollouts")
        figure = figure._replace(found=found_)
        if listens:
            median = statistics.median(_delays(found[name]))
            figure = compared(figure, median, middle, (WATCHED_TIMES, "`kubectl rollout status`"))
        yield figure
        asked = max(one.requests for one in found[name])
        what = f"API requests of these rollouts of {min(seconds):.0f} to {longest:.0f} s {WAY[listens]}"
        requests.append(Figure(what, f"at most {asked}"))
    status = delays(
        "end of a rollout to exit with `kubectl rollout status`, which has no settle time", _delays(found["status"])
    )
    asked = max(one.requests for one in found["status"])
    yield status._replace(found=f"{status.found.replace('pipelines', 'rollouts')}; at most {asked} requests")
    yield from requests


def _delays(seen: Sequence[ObservedRollout]) -> list[float]:
    return [one.delay for one in seen]


def _one(place: BenchClone, name: str, length: float, found: dict[str, list[ObservedRollout]]) -> None:
    sha = place.clone.head
    stage = DeploymentScript(SampleApp(replicas=REPLICAS), now=time.monotonic)
    rollout = ScriptedRollout(image_after=1.5, lag=0.3, pod_takes=length / REPLICAS)
    with KubernetesSimulator(stage.at, now=time.monotonic) as cluster:
        config = cluster.kubeconfig(Path(place.environ["HOME"]) / f"kubeconfig-{name}-{length}")
        if name == "polled":
            cluster.fault = FailWatches()
        begin = time.monotonic()
        stage.deploy(sha, rollout)
        if name == "status":  # earlier it would call the old image rolled out
            threading.Event().wait(rollout.image_after + rollout.lag + 0.1)
        ours = [str(PROGRAMS / "homelab"), "deploy", "wait", "shop/web", "--sha", sha, "--settle", f"{SETTLE}s"]
        status = [str(PROGRAMS / "kubectl"), "--namespace=shop", "rollout", "status", "deployment/web"]
        running = place.start(status if name == "status" else ours, more={"KUBECONFIG": str(config)})
        exited, code = running.ended()
        assert code == ExitCode.OK, (name, code)
        done = begin + rollout.image_after + rollout.lag + length
        settle = 0.0 if name == "status" else SETTLE
        found[name].append(ObservedRollout(exited - done - settle, len(cluster.requests)))
