"""The real kubectl against a simulated Kubernetes API server."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Protocol

import pytest

from homelab_hooks.deploy.kubernetes.evidence_source import EvidenceSource
from homelab_hooks.deploy.kubernetes.probe import KubernetesProbe
from homelab_hooks.deploy.run import DeployRequest, wait_for_rollouts
from homelab_hooks.events import ContactLost, Event, Log, RolloutChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.containment import Containment
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.model import WorkloadTarget
from homelab_hooks.polling.loop import Clock
from homelab_hooks.simulators.clock import SimulatedClock
from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript, RolloutEnding, ScriptedRollout
from homelab_hooks.simulators.kubernetes.server import (
    DenyObjects,
    FailTimes,
    FailWatches,
    KubernetesSimulator,
    NeverAnswer,
    RespondWith,
)
from homelab_hooks.simulators.kubernetes.timeline import RolloutRecording
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.system.process_table import command_line
from homelab_hooks.verdict import Verdict
from tests.waiting import HANG_S

pytestmark = [pytest.mark.slow, pytest.mark.first]


class HeldClock:
    """The cluster's clock: it stands still until it is let go, so that a slow machine misses nothing."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._since: float | None = None

    def now(self) -> float:
        return 0.0 if self._since is None else self._clock.now() - self._since

    def go(self) -> None:
        if self._since is None:
            self._since = self._clock.now()


class TimeoutRecorder(ProcessRunner):
    """Starts processes, and remembers how long each of them could take."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(environ)
        self.limits: list[float] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float | None = None,
    ) -> Completed:
        self.limits.append(inf if timeout is None else timeout)
        return super().run(argv, cwd=cwd, env=env, stdin=stdin, timeout=timeout)


class WakeableClock(Clock, Protocol):
    """Time, and a way to cut a sleep short from another thread."""

    def wake(self) -> None:
        """End the current sleep, or else the next one, at once."""


@dataclass
class ClusterSandbox:
    """A cluster with a stage, and a kubectl that leads there; its time begins with the first event of a wait.

    Args:
        clock: of the wait; with played time only the calls to kubectl take real time.
    """

    stage: DeploymentScript
    cluster: KubernetesSimulator
    kubeconfig: Path
    processes: TimeoutRecorder
    program: str
    time: HeldClock
    clock: WakeableClock = field(default_factory=SystemClock)
    events: list[Event] = field(default_factory=list)

    def kubectl(self, *words: str) -> Completed:
        argv = [self.program, f"--kubeconfig={self.kubeconfig}", "--namespace=shop", *words]
        return self.processes.run(argv, timeout=HANG_S)

    def children(self) -> list[str]:
        """Kubectls that lead to this cluster and still run."""
        running = (command_line(int(each.name)) for each in Path("/proc").iterdir() if each.name.isdigit())
        return [command for command in running if str(self.kubeconfig) in command]

    def wait(self, request: DeployRequest, *, context: str = "") -> Verdict:
        def apart(*, newer: str, ours: str) -> Containment:
            return Containment.NOT_CONTAINED if newer != ours else Containment.CONTAINS

        def tell(event: Event) -> None:
            self.events.append(event)
            self.time.go()

        self.processes.limits.clear()
        kubectl = Kubectl(self.processes, program=self.program, context=context, kubeconfig=str(self.kubeconfig))
        wake = self.clock.wake if request.use_watches else None
        probe = KubernetesProbe(
            kubectl, EvidenceSource(apart, now=self.clock.now), now=self.clock.now, wake=wake, tell=tell
        )
        return wait_for_rollouts(request, probe=probe, clock=self.clock, tell=tell)


@pytest.fixture
def program() -> str:
    beside = Path(sys.executable).parent / "kubectl"
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if not found:
        pytest.skip("kubectl not found")
    return found


@pytest.fixture
def processes(tmp_path: Path) -> TimeoutRecorder:
    return TimeoutRecorder({"PATH": os.environ["PATH"], "HOME": str(tmp_path)})


@pytest.fixture
def sandbox(program: str, processes: TimeoutRecorder, tmp_path: Path) -> Iterator[ClusterSandbox]:
    time = HeldClock()
    stage = DeploymentScript(SampleApp(), now=time.now)
    with KubernetesSimulator(stage.at, now=time.now) as cluster:
        yield ClusterSandbox(stage, cluster, cluster.kubeconfig(tmp_path / "config"), processes, program, time)


@pytest.fixture
def played(sandbox: ClusterSandbox) -> ClusterSandbox:
    """The same, with a wait whose sleeps take no time."""
    sandbox.clock = SimulatedClock()
    return sandbox


@pytest.fixture
def quick(request_: DeployRequest) -> DeployRequest:
    return replace(request_, timeout=HANG_S, settle=0.5, unreachable=HANG_S, wait_for_workload=False)


def test_a_rollout_is_waited_for(sandbox: ClusterSandbox, quick: DeployRequest) -> None:
    sandbox.stage.deploy(quick.sha, ScriptedRollout(image_after=0.5, lag=0.3, pod_takes=0.3))
    verdict = sandbox.wait(quick)
    assert (verdict.exit, verdict.label) == (ExitCode.OK, "deployed")
    phases = [event.phase for event in sandbox.events if isinstance(event, RolloutChanged)]
    assert phases[0] == "waiting"
    assert phases[-1] == "deployed"
    last = [each.partition("?")[0].rpartition("/")[2] for each in sandbox.cluster.requests if "watch=" not in each][-2:]
    assert last == ["pods", "deployments"]  # in one call of kubectl, the workload after the pods


def test_kubectls_own_success_is_of_the_old_image(played: ClusterSandbox, quick: DeployRequest) -> None:
    """That is why the image comes first."""
    played.stage.deploy(quick.sha, ScriptedRollout(image_after=inf))
    status = played.kubectl("rollout", "status", "deployment/web")
    assert "successfully rolled out" in status.out
    verdict = played.wait(replace(quick, timeout=60.0))
    assert verdict.exit is ExitCode.TIMEOUT
    assert "app:0aa11bb2" in verdict.reason


def test_an_image_that_comes_late_is_waited_for_though_kubectl_says_success(
    sandbox: ClusterSandbox, quick: DeployRequest
) -> None:
    """Kubectl is through before the image has come."""
    sandbox.stage.deploy(quick.sha, ScriptedRollout(image_after=0.5, lag=0.3, pod_takes=0.3))
    status = sandbox.kubectl("rollout", "status", "deployment/web")
    assert (status.code, status.out) == (0, 'deployment "web" successfully rolled out\n')
    assert image_of(sandbox) == "registry.example.test/app:0aa11bb2"  # its success was of this one
    verdict = sandbox.wait(quick)
    assert verdict.exit is ExitCode.OK
    assert image_of(sandbox) == "registry.example.test/app:9f2c1a7b"
    events = [event.phase for event in sandbox.events if isinstance(event, RolloutChanged)]
    assert (events[0], events[-1]) == ("waiting", "deployed")
    assert set(events[1:-1]) <= {"progressing", "settling"}  # on a busy machine it has settled before it is looked at
    assert events[1:-1]


def image_of(sandbox: ClusterSandbox) -> str:
    return sandbox.kubectl("get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}").out


def test_answers_that_fail_for_a_moment_are_ridden_out(sandbox: ClusterSandbox, quick: DeployRequest) -> None:
    """A bad gateway, a connection that is cut."""
    sandbox.cluster.fault = FailTimes([503, 0])
    sandbox.stage.deploy(quick.sha, ScriptedRollout(image_after=0.2, lag=0.1, pod_takes=0.2))
    verdict = sandbox.wait(quick)
    assert verdict.exit is ExitCode.OK
    assert sandbox.cluster.fault == FailTimes([])


@pytest.mark.parametrize(
    "mood", [FailWatches(403), FailWatches(200, ""), FailWatches(200, "<html>\n"), FailWatches(silent=True)],
    ids=["denied", "ends", "mad", "silent"],
)  # fmt: skip
def test_without_a_watch_that_works_it_is_polled(
    sandbox: ClusterSandbox, quick: DeployRequest, mood: FailWatches
) -> None:
    sandbox.cluster.fault = mood
    sandbox.stage.deploy(quick.sha, ScriptedRollout(image_after=0.4, lag=0.2, pod_takes=0.3))
    assert sandbox.wait(quick).exit is ExitCode.OK
    assert sandbox.children() == []


def test_the_crash_log_is_shown_clean(sandbox: ClusterSandbox, quick: DeployRequest) -> None:
    sandbox.cluster.log = "Traceback\n\x1b[31mValueError: no settings\x1b[0m\n"
    sandbox.stage.deploy(
        quick.sha, ScriptedRollout(image_after=0.0, lag=0.0, pod_takes=0.2, ending=RolloutEnding.CRASH)
    )
    assert sandbox.wait(quick).exit is ExitCode.ROLLOUT_FAILED
    said = [event for event in sandbox.events if isinstance(event, Log)]
    assert [event.text for event in said[:2]] == ["Traceback", "ValueError: no settings"]
    assert said[0].source.startswith("pod web-9f2c1a7b-")
    assert said[0].source.endswith("/app")
    assert "logs --previous --container=app web-9f2c1a7b-" in said[2].text


def test_a_crash_loop_is_a_failed_rollout(sandbox: ClusterSandbox, quick: DeployRequest) -> None:
    sandbox.stage.deploy(
        quick.sha, ScriptedRollout(image_after=0.0, lag=0.0, pod_takes=0.3, ending=RolloutEnding.CRASH)
    )
    verdict = sandbox.wait(quick)
    assert verdict.exit is ExitCode.ROLLOUT_FAILED
    assert "exit code 1" in verdict.reason


def test_a_forbidden_call_is_denied_at_once(sandbox: ClusterSandbox, quick: DeployRequest) -> None:
    sandbox.cluster.fault = DenyObjects()
    verdict = sandbox.wait(quick)
    assert verdict.exit is ExitCode.DENIED
    assert "is forbidden" in verdict.reason
    assert len(sandbox.processes.limits) == 1


def test_refused_credentials_are_denied_at_once(sandbox: ClusterSandbox, quick: DeployRequest) -> None:
    sandbox.cluster.fault = DenyObjects(401, "Unauthorized", "Unauthorized")
    assert sandbox.wait(quick).exit is ExitCode.DENIED
    assert len(sandbox.processes.limits) == 1


def test_an_unknown_context_is_denied_at_once(sandbox: ClusterSandbox, quick: DeployRequest) -> None:
    verdict = sandbox.wait(quick, context="nosuch")
    assert verdict.exit is ExitCode.DENIED
    assert 'context "nosuch" does not exist' in verdict.reason
    assert "get-contexts" in verdict.hint


def test_a_missing_workload_is_unproven(sandbox: ClusterSandbox, quick: DeployRequest) -> None:
    verdict = sandbox.wait(replace(quick, targets=(WorkloadTarget.parse("shop/nosuch"),)))
    assert verdict.exit is ExitCode.ROLLOUT_UNPROVEN
    assert 'deployments.apps "nosuch" not found' in verdict.reason


def test_a_server_that_accepts_and_never_answers_is_left_at_the_deadline(
    sandbox: ClusterSandbox, quick: DeployRequest
) -> None:
    """Kubectl itself would hang for most of a minute: no call may take longer than the time left."""
    sandbox.cluster.fault = NeverAnswer()
    verdict = sandbox.wait(replace(quick, timeout=3.0))
    assert verdict.exit is ExitCode.TIMEOUT
    assert max(sandbox.processes.limits) <= 3.0


def test_a_server_that_is_gone_is_unreachable(played: ClusterSandbox, quick: DeployRequest) -> None:
    played.cluster.close()
    verdict = played.wait(replace(quick, unreachable=60.0))
    assert verdict.exit is ExitCode.UNREACHABLE
    assert [type(event) for event in played.events] == [ContactLost]
    assert 60.0 <= played.clock.now() < 70.0


@pytest.mark.parametrize(
    "mood", [RespondWith(200, "<html>Sign in</html>"), RespondWith(502, "<html>Bad Gateway</html>")]
)
def test_a_proxys_page_is_not_an_answer(played: ClusterSandbox, quick: DeployRequest, mood: RespondWith) -> None:
    played.cluster.fault = mood
    assert played.wait(replace(quick, unreachable=60.0)).exit is ExitCode.UNREACHABLE


@pytest.mark.parametrize("name", ["a-rolling-update", "n-statefulset", "o-daemonset"])
def test_each_kind_is_read_as_the_real_server_shows_it(
    *,
    recording: Callable[[str], RolloutRecording],
    processes: TimeoutRecorder,
    program: str,
    tmp_path: Path,
    quick: DeployRequest,
    name: str,
) -> None:
    """The end of a recorded rollout, through the real kubectl."""
    played, time = recording(name), HeldClock()
    with KubernetesSimulator(lambda _t: played.at(played.end_s), now=time.now) as cluster:
        kubeconfig = cluster.kubeconfig(tmp_path / "config")
        sandbox = ClusterSandbox(
            DeploymentScript(SampleApp(), now=time.now), cluster, kubeconfig, processes, program, time
        )
        target = WorkloadTarget.parse(f"shop/{played.kind}/web")
        assert sandbox.wait(replace(quick, targets=(target,), settle=0.0)).exit is ExitCode.OK
