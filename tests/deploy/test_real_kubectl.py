"""The real kubectl against a stand-in for the API server."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from homelab_hooks.clock import SystemClock
from homelab_hooks.demo.cluster import Recording
from homelab_hooks.demo.kubernetes import Hangs, Kubernetes, Refuses, Says
from homelab_hooks.demo.rollout_objects import App
from homelab_hooks.demo.rollouts import Ending, Rollout, Stage
from homelab_hooks.deploy.deploy import Request, Target, wait
from homelab_hooks.events import Event, LostContact, RolloutChanged
from homelab_hooks.exits import Exit
from homelab_hooks.history import Containment
from homelab_hooks.kubectl.kubectl import Kubectl
from homelab_hooks.proc import Done, Processes
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow


@dataclass
class House:
    """A cluster with a stage, and a kubectl that leads there."""

    stage: Stage
    cluster: Kubernetes
    kubeconfig: Path
    processes: Processes
    program: str
    clock: SystemClock = field(default_factory=SystemClock)
    events: list[Event] = field(default_factory=list)
    took: float = 0.0

    def kubectl(self, *words: str) -> Done:
        argv = [self.program, f"--kubeconfig={self.kubeconfig}", "--namespace=shop", *words]
        return self.processes.run(argv, timeout=20.0)

    def wait(self, request: Request, *, context: str = "") -> Verdict:
        def apart(*, newer: str, ours: str) -> Containment:
            return Containment.APART if newer != ours else Containment.CONTAINS

        began = self.clock.now()
        kubectl = Kubectl(self.processes, program=self.program, context=context, kubeconfig=str(self.kubeconfig))
        verdict = wait(request, kubectl=kubectl, contains=apart, clock=self.clock, tell=self.events.append)
        self.took = self.clock.now() - began
        return verdict


@pytest.fixture
def program() -> str:
    beside = Path(sys.executable).parent / "kubectl"
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if not found:
        pytest.skip("there is no kubectl")
    return found


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes({"PATH": os.environ["PATH"], "HOME": str(tmp_path)})


@pytest.fixture
def house(program: str, processes: Processes, tmp_path: Path) -> Iterator[House]:
    clock = SystemClock()
    stage = Stage(App(), now=clock.now)
    with Kubernetes(stage.at, now=clock.now) as cluster:
        yield House(stage, cluster, cluster.kubeconfig(tmp_path / "config"), processes, program, clock)


@pytest.fixture
def quick(request_: Request) -> Request:
    return replace(request_, timeout=30.0, settle=0.5, unreachable=20.0, wait_for_workload=False)


def test_a_rollout_is_waited_for(house: House, quick: Request) -> None:
    house.stage.deployed(quick.sha, Rollout(image_after=0.5, lag=0.3, pod_takes=0.3))
    verdict = house.wait(quick)
    assert (verdict.exit, verdict.word) == (Exit.OK, "deployed")
    phases = [event.phase for event in house.events if isinstance(event, RolloutChanged)]
    assert phases[0] == "waiting"
    assert phases[-1] == "deployed"


def test_kubectls_own_success_is_of_the_old_image(house: House, quick: Request) -> None:
    """That is why the image comes first."""
    house.stage.deployed(quick.sha, Rollout(image_after=60.0))
    status = house.kubectl("rollout", "status", "deployment/web", "--timeout=5s")
    assert "successfully rolled out" in status.out
    verdict = house.wait(replace(quick, timeout=2.0))
    assert verdict.exit is Exit.TIMEOUT
    assert "app:0aa11bb2" in verdict.reason


def test_a_crash_loop_is_a_failed_rollout(house: House, quick: Request) -> None:
    house.stage.deployed(quick.sha, Rollout(image_after=0.0, lag=0.0, pod_takes=0.3, ending=Ending.CRASH))
    verdict = house.wait(quick)
    assert verdict.exit is Exit.ROLLOUT_FAILED
    assert "exit code 1" in verdict.reason


def test_a_forbidden_call_is_denied_at_once(house: House, quick: Request) -> None:
    house.cluster.mood = Refuses()
    verdict = house.wait(quick)
    assert verdict.exit is Exit.DENIED
    assert "is forbidden" in verdict.reason
    assert house.took < 5


def test_refused_credentials_are_denied_at_once(house: House, quick: Request) -> None:
    house.cluster.mood = Refuses(401, "Unauthorized", "Unauthorized")
    assert house.wait(quick).exit is Exit.DENIED
    assert house.took < 5


def test_an_unknown_context_is_denied_at_once(house: House, quick: Request) -> None:
    verdict = house.wait(quick, context="nosuch")
    assert verdict.exit is Exit.DENIED
    assert 'context "nosuch" does not exist' in verdict.reason
    assert "get-contexts" in verdict.hint


def test_a_missing_workload_is_unproven(house: House, quick: Request) -> None:
    verdict = house.wait(replace(quick, targets=(Target.parse("shop/nosuch"),)))
    assert verdict.exit is Exit.ROLLOUT_UNPROVEN
    assert 'deployments.apps "nosuch" not found' in verdict.reason


def test_a_server_that_accepts_and_never_answers_is_left_at_the_deadline(house: House, quick: Request) -> None:
    """Kubectl itself would hang for most of a minute."""
    house.cluster.mood = Hangs()
    verdict = house.wait(replace(quick, timeout=3.0))
    assert verdict.exit is Exit.TIMEOUT
    assert house.took < 6


def test_a_server_that_is_gone_is_unreachable(house: House, quick: Request) -> None:
    house.cluster.close()
    verdict = house.wait(replace(quick, unreachable=6.0))
    assert verdict.exit is Exit.UNREACHABLE
    assert [type(event) for event in house.events] == [LostContact]
    assert house.took < 10


@pytest.mark.parametrize("mood", [Says(200, "<html>Sign in</html>"), Says(502, "<html>Bad Gateway</html>")])
def test_a_proxys_page_is_no_answer(house: House, quick: Request, mood: Says) -> None:
    house.cluster.mood = mood
    assert house.wait(replace(quick, unreachable=1.0)).exit is Exit.UNREACHABLE


@pytest.mark.parametrize("name", ["a-rolling-update", "n-statefulset", "o-daemonset"])
def test_each_kind_is_read_as_the_real_server_shows_it(
    *,
    recording: Callable[[str], Recording],
    processes: Processes,
    program: str,
    tmp_path: Path,
    quick: Request,
    name: str,
) -> None:
    """The end of a recorded rollout, through the real kubectl."""
    played, clock = recording(name), SystemClock()
    with Kubernetes(lambda _t: played.at(played.ends), now=clock.now) as cluster:
        kubeconfig = cluster.kubeconfig(tmp_path / "config")
        stage = Stage(App(), now=clock.now)
        house = House(stage, cluster, kubeconfig, processes, program, clock)
        target = Target.parse(f"shop/{played.kind}/web")
        assert house.wait(replace(quick, targets=(target,), settle=0.0)).exit is Exit.OK
