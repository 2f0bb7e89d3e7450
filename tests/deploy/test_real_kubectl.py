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
from homelab_hooks.demo.kubernetes import Falters, Hangs, Kubernetes, NoWatch, Refuses, Says
from homelab_hooks.demo.rollout_objects import App
from homelab_hooks.demo.rollouts import Ending, Rollout, Stage
from homelab_hooks.deploy.deploy import Request, wait
from homelab_hooks.events import Event, Log, LostContact, RolloutChanged
from homelab_hooks.exits import Exit
from homelab_hooks.history import Containment
from homelab_hooks.kubectl.facts import Target
from homelab_hooks.kubectl.kubectl import Kubectl
from homelab_hooks.proc import Done, Processes, command_of
from homelab_hooks.verdict import Verdict

pytestmark = [pytest.mark.slow, pytest.mark.first]


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

    def children(self) -> list[str]:
        """Kubectls that lead to this cluster and still run."""
        running = (command_of(int(each.name)) for each in Path("/proc").iterdir() if each.name.isdigit())
        return [command for command in running if str(self.kubeconfig) in command]

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


def test_an_image_that_comes_three_seconds_late_is_waited_for_though_kubectl_says_success(
    house: House, quick: Request
) -> None:
    """Both begin together; kubectl is through before the image has come."""
    house.stage.deployed(quick.sha, Rollout(image_after=3.0, lag=0.3, pod_takes=0.3))
    status = house.kubectl("rollout", "status", "deployment/web", "--timeout=20s")
    early = house.clock.now()
    assert (status.code, status.out) == (0, 'deployment "web" successfully rolled out\n')
    assert image_of(house) == "registry.example.test/app:0aa11bb2"  # its success was of this one
    verdict = house.wait(quick)
    assert verdict.exit is Exit.OK
    assert image_of(house) == "registry.example.test/app:9f2c1a7b"
    assert house.clock.now() - early > 3.0 - 1.0
    told = [event.phase for event in house.events if isinstance(event, RolloutChanged)]
    assert (told[0], told[-2:]) == ("waiting", ["settling", "deployed"])


def image_of(house: House) -> str:
    return house.kubectl("get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}").out


def test_answers_that_fail_for_a_moment_are_ridden_out(house: House, quick: Request) -> None:
    """A bad gateway, a connection that is cut."""
    house.cluster.mood = Falters([503, 0])
    house.stage.deployed(quick.sha, Rollout(image_after=0.2, lag=0.1, pod_takes=0.2))
    verdict = house.wait(quick)
    assert verdict.exit is Exit.OK
    assert house.cluster.mood == Falters([])


@pytest.mark.parametrize(
    "mood", [NoWatch(403), NoWatch(200, ""), NoWatch(200, "<html>\n"), NoWatch(silent=True)],
    ids=["denied", "ends", "mad", "silent"],
)  # fmt: skip
def test_without_a_watch_that_works_it_is_polled(house: House, quick: Request, mood: NoWatch) -> None:
    house.cluster.mood = mood
    house.stage.deployed(quick.sha, Rollout(image_after=0.4, lag=0.2, pod_takes=0.3))
    assert house.wait(quick).exit is Exit.OK
    assert house.took < 8
    assert house.children() == []


def test_the_last_words_of_a_crash_are_shown_clean(house: House, quick: Request) -> None:
    house.cluster.log = "Traceback\n\x1b[31mValueError: no settings\x1b[0m\n"
    house.stage.deployed(quick.sha, Rollout(image_after=0.0, lag=0.0, pod_takes=0.2, ending=Ending.CRASH))
    assert house.wait(quick).exit is Exit.ROLLOUT_FAILED
    said = [event for event in house.events if isinstance(event, Log)]
    assert [event.text for event in said[:2]] == ["Traceback", "ValueError: no settings"]
    assert said[0].source.startswith("pod web-9f2c1a7b-")
    assert said[0].source.endswith("/app")
    assert "logs --previous --container=app web-9f2c1a7b-" in said[2].text


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
