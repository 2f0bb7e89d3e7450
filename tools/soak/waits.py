"""Watches and deploy waits, interrupted or not: the exit code matches the simulators."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Set as AbstractSet
from pathlib import Path

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.kubernetes.faults import ServerFault
from homelab_hooks.simulators.kubernetes.objects import SampleApp
from homelab_hooks.simulators.kubernetes.rollouts import DeploymentScript, ScriptedRollout
from homelab_hooks.simulators.kubernetes.server import FailTimes, FailWatches, KubernetesSimulator, RespondWith
from homelab_hooks.system.process_table import command_line
from tools.soak import leftovers
from tools.soak.plan import ENDINGS, TRUTH, Plan
from tools.soak.scene import TIMEOUT_S, UNREACHABLE_TIMEOUT_S, ProcessResult, Scene

CUT = {signal.SIGINT: (ExitCode.INTERRUPTED, -signal.SIGINT), signal.SIGTERM: (ExitCode.TERMINATED, -signal.SIGTERM)}
"""what a signal ends a command with; the second: before the command had begun"""
MOODS: Mapping[str, Callable[[], ServerFault]] = {
    "falters": lambda: FailTimes([503, 500]),
    "cut": lambda: FailTimes([0, 0]),
    "page": lambda: RespondWith(502, "<html>bad gateway</html>"),
    "no watch": FailWatches,
    "silent watch": lambda: FailWatches(silent=True),
}
BETWEEN = 0.7
"""seconds from one mood of the cluster to the next"""


def right(plan: Plan) -> set[int]:
    """The codes of a watch that is not cut short."""
    away = {int(ExitCode.UNREACHABLE)} if plan.outage and plan.outage.seconds > UNREACHABLE_TIMEOUT_S * 10 else set()
    return {int(TRUTH[plan.ci])} | away


def cut_short(scene: Scene, ended: ProcessResult) -> bool:
    """Whether a signal ended it, and if so, whether it said so."""
    strike = scene.plan.strike
    if strike is None or not ended.struck:
        return False
    if ended.code == -signal.SIGKILL:
        return strike.number is signal.SIGKILL
    if strike.number not in CUT or ended.code not in CUT[strike.number]:
        return False
    said = ended.result.get("exit")
    if ended.out and said != str(ended.code):
        scene.complain(f"ended with {ended.code}, but said {said}")
    if not ended.out:
        scene.ends[-1] += " before it began"
    return True


def check_exit(scene: Scene, ended: ProcessResult, allowed: set[int]) -> None:
    """The code is one of these, and the result line says the same."""
    if ended.code not in allowed:
        scene.complain(f"ended with {ended.code}, right were {sorted(allowed)}")
    if ended.result.get("exit") != str(ended.code):
        scene.complain(f"ended with {ended.code}, but said {ended.result or 'nothing'}")


def watch(scene: Scene) -> None:
    """`homelab-watch`, and once more where it was cut short."""
    sha = scene.clone.commit("mine")
    scene.hook(sha)
    scene.begin()
    ended = scene.run("homelab-watch", sha, strike=scene.plan.strike)
    if cut_short(scene, ended):
        scene.repair()
        again(scene, sha)
    else:
        check_exit(scene, ended, right(scene.plan))
    scene.clean()


def again(scene: Scene, sha: str, more: AbstractSet[int] = frozenset()) -> None:
    """Run the resume command, with all servers working.

    Args:
        scene: the run.
        sha: what is watched.
        more: codes that are right too.
    """
    check_exit(scene, scene.run("homelab-watch", sha), {int(TRUTH[scene.plan.ci]), *more})


def deploy(scene: Scene) -> None:
    """`homelab deploy wait`, and once more where it was cut short."""
    plan, sha = scene.plan, scene.clone.commit("mine")
    ending, exit_ = ENDINGS[plan.ci]
    stage = DeploymentScript(SampleApp(), now=time.monotonic)
    with KubernetesSimulator(stage.at, now=time.monotonic) as cluster:
        more = {"KUBECONFIG": str(cluster.kubeconfig(Path(scene.folder) / "kubeconfig"))}
        argv = ["homelab", "deploy", "wait", "shop/web", "--sha", sha, "--settle", "0.5"]
        argv += ["--rollout-timeout", "4" if ending is None else str(TIMEOUT_S)]
        argv += ["--unreachable-timeout", str(UNREACHABLE_TIMEOUT_S)] if "gone" in plan.moods else []
        if ending is not None:
            stage.deploy(sha, ScriptedRollout(image_after=0.3, lag=0.2, pod_takes=plan.seconds / 3, ending=ending))
        over = threading.Event()
        moody = threading.Thread(target=_change, args=(cluster, plan, over), daemon=True)
        moody.start()
        ended = scene.run(*argv, strike=plan.strike, more=more)
        over.set()
        moody.join()
        if ended.code == -signal.SIGKILL:
            _outlived(scene)
        if not cut_short(scene, ended):
            check_exit(scene, ended, {int(exit_), int(ExitCode.UNREACHABLE)} if "gone" in plan.moods else {int(exit_)})
        elif "gone" not in plan.moods:
            cluster.fault = None
            check_exit(scene, scene.run(*argv, more=more), {int(exit_)})
    scene.clean()


def _outlived(scene: Scene) -> None:
    """No program ends the kubectl of a wait that was killed by SIGKILL: its own timeout does, or this."""
    for number in leftovers.processes(scene.mark):
        if "watch=true" in command_line(number):
            scene.ends.append("kubectl's watch outlived SIGKILL")
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGTERM)


def _change(cluster: KubernetesSimulator, plan: Plan, over: threading.Event) -> None:
    for mood in plan.moods:
        if over.wait(BETWEEN * plan.seconds):
            return
        if mood == "gone":
            cluster.close()
            return
        cluster.fault = MOODS[mood]()
    if plan.moods and "watch" not in plan.moods[-1]:
        over.wait(BETWEEN)
        cluster.fault = None
