"""The scenarios of `homelab demo`, each with its expected exit code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from homelab_hooks.demo.chain import build_chain, build_stuck_chain
from homelab_hooks.demo.environment import CI_CONFIG, REPO, DemoEnvironment
from homelab_hooks.demo.latest import deploy_latest
from homelab_hooks.demo.pull_request import require_pull_request
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.faults import Cut, FaultPoint, FaultRule, StatusFault
from homelab_hooks.simulators.git_http import PushedRef
from homelab_hooks.simulators.kubernetes.rollouts import LATE_IMAGE, RolloutEnding, ScriptedRollout
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline


def _prepare_nothing(scene: DemoEnvironment) -> None:
    """Do nothing: the scenario needs no preparation."""
    del scene


OUTAGE_S = 10.0
"""longer than the five seconds after which a watch reports an outage"""
_GREEN = ("collecting ... 12 tests", "12 passed")
_WHILE_RUNNING = {"build": ("resolving dependencies", "compiling 40 files"), "test": _GREEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A demo scenario: the pipeline, the rollout, options of `git land`, and the expected exit code.

    `prepare` changes the environment before the landing. `link` is the beginning of the link that decides, if the
    scenario sets links of its own.
    """

    name: str
    summary: str
    exit: ExitCode
    script: PipelineTimeline = field(default_factory=lambda: timelines.make_green(2.0, log=_GREEN))
    rollout: ScriptedRollout | None = None
    prepare: Callable[[DemoEnvironment], None] = _prepare_nothing
    options: tuple[str, ...] = ()
    link: str = ""


def _flap(scene: DemoEnvironment) -> None:
    """Make the API flaky: empty bodies, 502 responses, and reset connections; after the push, 502 for some seconds."""
    single = (
        FaultRule(fault=StatusFault(code=200, body=b""), path="/api/repos/.*pipelines", every=3, since=2.0),
        FaultRule(fault=StatusFault(code=502, body=b""), path="/api/repos/.*pipelines", every=4, since=2.0),
        FaultRule(fault=Cut(FaultPoint.HEADERS), path="/api/repos/.*pipelines", every=5, since=2.0),
    )
    scene.ci.fail(*single)

    def break_down(update: PushedRef) -> None:
        del update
        begin = scene.ci.t + 1.0
        scene.ci.fail(FaultRule(fault=StatusFault(code=502, body=b""), since=begin, until=begin + OUTAGE_S), *single)

    scene.after_push = break_down


def _race(scene: DemoEnvironment) -> None:
    """Let a colleague push between the fetch and the push of `git land`."""

    def meanwhile() -> None:
        scene.git.plan.before_push = None
        scene.push_as_colleague("their-file", "theirs\n")

    scene.git.plan.before_push = meanwhile


def _conflict(scene: DemoEnvironment) -> None:
    scene.push_as_colleague("greeting", "good morning\n")


def _protect(scene: DemoEnvironment) -> None:
    """Protect main with the messages of Gitea (recorded)."""
    scene.repositories.write_hook(
        "pre-receive",
        "while read -r old new ref; do\n"
        '  [ "$ref" = refs/heads/main ] || { printf \'\\nCreate a new pull request for feature:\\n'
        "  %s\\n' http://git.example.test/acme/app/pulls/new/feature >&2; continue; }\n"
        "  printf '\\nerror:\\nerror: Not allowed to push to protected branch main\\nerror:\\n' >&2; exit 1\n"
        "done",
    )


def _supersede(scene: DemoEnvironment) -> None:
    """Restart the pipeline of an older commit, which supersedes the new one."""
    older = scene.repositories.server_commit("main")

    def restart(update: PushedRef) -> None:
        del update
        scene.ci.push(REPO, "main", older, timelines.make_green(5.0), after=2.0, message="begin")

    scene.after_push = restart


def _occupy(scene: DemoEnvironment) -> None:
    """Let the pipeline of a colleague's push run, with a script that compares with the previous commit."""
    scene.push_as_colleague(".woodpecker.yaml", CI_CONFIG)
    older = scene.push_as_colleague("apply.sh", "git diff --name-only $CI_PREV_COMMIT_SHA | xargs apply\n")
    scene.ci.push(REPO, "main", older, timelines.make_green(6.0), author="bob", message="apply what changed")


def _vanish(scene: DemoEnvironment) -> None:
    """Stop CI after the push."""

    def stop(update: PushedRef) -> None:
        del update
        scene.ci.stop()

    scene.after_push = stop


def _expire(scene: DemoEnvironment) -> None:
    scene.vault.write("ci/global", {"woodpecker_api_token": "a-token-that-has-expired"})


def let_ci_test_the_greeting(scene: DemoEnvironment) -> None:
    """Let CI fail for each commit whose greeting is not a hello, as the pipeline of the scenario `red` does."""
    green, red = SCENARIOS["green"], SCENARIOS["red"]

    def choose(sha: str) -> tuple[PipelineTimeline, ScriptedRollout | None]:
        path = f"{sha}:greeting"
        text = scene.repositories.origin.git("show", path) if scene.repositories.origin.sha(path) else ""
        return (green.script, green.rollout) if text.startswith("hello") else (red.script, None)

    scene.choose_run = choose


_BROKEN = ("collecting ... 12 tests", "test_greeting ... FAILED", "AssertionError: 'hello' != 'good morning'")

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            name="green", exit=ExitCode.OK, rollout=ScriptedRollout(image_after=2.5),
            script=timelines.print_while_running(timelines.make_green(3.0), _WHILE_RUNNING),
            summary="CI is green, and the rollout completes",
        ),
        Scenario(
            name="red", exit=ExitCode.FAILED, script=timelines.make_red("test", exit_code=1, log=_BROKEN, seconds=2.0),
            summary="CI fails; the failed step and its log are printed",
        ),
        Scenario(
            name="flaky", exit=ExitCode.OK, prepare=_flap, script=timelines.make_green(4.0),
            summary="the API is flaky: empty bodies, 502, connection resets, and an outage of ten seconds",
        ),
        Scenario(
            name="race", exit=ExitCode.OK, prepare=_race,
            summary="a colleague pushes first; git land merges again",
        ),
        Scenario(
            name="busy", exit=ExitCode.OK, prepare=_occupy,
            summary="a colleague's pipeline runs, and a push would cancel it; git land waits for its end",
        ),
        Scenario(
            name="rollout-lies", exit=ExitCode.OK, rollout=LATE_IMAGE, script=timelines.make_green(1.0),
            summary="the old ReplicaSet still looks rolled out",
        ),
        Scenario(
            name="no-pipeline", exit=ExitCode.NO_PIPELINE, script=timelines.make_no_pipeline(),
            options=("--appear-timeout", "3s"),
            summary="the webhook is lost; no pipeline appears",
        ),
        Scenario(
            name="superseded", exit=ExitCode.SUPERSEDED, prepare=_supersede, script=timelines.make_stuck(),
            summary="the pipeline of an older commit supersedes the new one",
        ),
        Scenario(
            name="blocked", exit=ExitCode.BLOCKED, script=timelines.make_blocked(),
            summary="the pipeline needs approval",
        ),
        Scenario(
            name="offline", exit=ExitCode.UNREACHABLE, prepare=_vanish, options=("--unreachable-timeout", "4s"),
            summary="CI becomes unreachable after the push",
        ),
        Scenario(
            name="rollout-failed", exit=ExitCode.ROLLOUT_FAILED, rollout=ScriptedRollout(ending=RolloutEnding.CRASH),
            script=timelines.make_green(1.0), summary="the new pods crash",
        ),
        Scenario(
            name="latest", exit=ExitCode.OK, rollout=ScriptedRollout(image_after=2.5), prepare=deploy_latest,
            script=timelines.make_green(1.0),
            summary="the image is always :latest; the registry says which commit runs",
        ),
        Scenario(
            name="expired-token", exit=ExitCode.REFUSED, prepare=_expire,
            summary="CI rejects the token; nothing is changed",
        ),
        Scenario(
            name="conflict", exit=ExitCode.CONFLICT, prepare=_conflict,
            summary="merging the target branch conflicts; nothing is pushed",
        ),
        Scenario(
            name="protected", exit=ExitCode.PROTECTED, prepare=_protect,
            summary="the target is protected; the link to open a pull request is printed",
        ),
        Scenario(
            name="pull-request", exit=ExitCode.OK, prepare=require_pull_request,
            rollout=ScriptedRollout(image_after=2.5),
            summary="the target is protected; a pull request is opened, checked, and merged",
        ),
        Scenario(
            name="chain", exit=ExitCode.OK, prepare=build_chain, script=timelines.make_no_pipeline(),
            link="live:", summary="a mirror, Actions, a manual pipeline, a rollout, and a web service are followed",
        ),
        Scenario(
            name="chain-stuck", exit=ExitCode.NO_PIPELINE, prepare=build_stuck_chain,
            script=timelines.make_no_pipeline(), options=("--appear-timeout", "3s"),
            link="mirror:github", summary="the same chain; the mirror is stuck",
        ),
    )
}  # fmt: skip
