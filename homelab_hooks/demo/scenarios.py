"""The scenarios of `homelab demo`: what happens, and the code with which the landing must end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from homelab_hooks.demo import timelines
from homelab_hooks.demo.faults import Cut, Moment, Rule, Status
from homelab_hooks.demo.githttp import Update
from homelab_hooks.demo.rollouts import LIES, Ending, Rollout
from homelab_hooks.demo.scene import REPO, Scene
from homelab_hooks.demo.script import Script
from homelab_hooks.exits import Exit


def _nothing(scene: Scene) -> None:
    """The good day needs no preparation."""
    del scene


_GREEN = ("collecting ... 12 tests", "12 passed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One story."""

    name: str
    summary: str
    exit: Exit
    script: Script = field(default_factory=lambda: timelines.green(2.0, log=_GREEN))
    rollout: Rollout | None = None
    prepare: Callable[[Scene], None] = _nothing
    options: tuple[str, ...] = ()


def _flap(scene: Scene) -> None:
    """The API flaps as it did in the session that asked for this tool: empty bodies, 502, connections cut."""
    scene.ci.fail(
        Rule(fault=Status(code=200, body=b""), path="/api/repos/.*pipelines", every=3, since=2.0),
        Rule(fault=Status(code=502, body=b""), path="/api/repos/.*pipelines", every=4, since=2.0),
        Rule(fault=Cut(Moment.HEADERS), path="/api/repos/.*pipelines", every=5, since=2.0),
    )


def _race(scene: Scene) -> None:
    """A colleague's push arrives between our fetch and our push."""

    def meanwhile() -> None:
        scene.git.plan.before_push = None
        scene.colleague("their-file", "theirs\n")

    scene.git.plan.before_push = meanwhile


def _conflict(scene: Scene) -> None:
    scene.colleague("greeting", "good morning\n")


def _protect(scene: Scene) -> None:
    """The forge's own words for a protected branch (recordings of Gitea)."""
    scene.workshop.hook(
        "pre-receive",
        "while read -r old new ref; do\n"
        '  [ "$ref" = refs/heads/main ] || { printf \'\\nCreate a new pull request for feature:\\n'
        "  %s\\n' http://git.example.test/acme/app/pulls/new/feature >&2; continue; }\n"
        "  printf '\\nerror:\\nerror: Not allowed to push to protected branch main\\nerror:\\n' >&2; exit 1\n"
        "done",
    )


def _supersede(scene: Scene) -> None:
    """Somebody restarts an older commit: its pipeline takes the place of ours."""
    older = scene.workshop.on_server("main")

    def restart(update: Update) -> None:
        del update
        scene.ci.push(REPO, "main", older, timelines.green(5.0), after=2.0, message="begin")

    scene.after_push = restart


def _vanish(scene: Scene) -> None:
    """CI goes away as soon as the push is there."""

    def stop(update: Update) -> None:
        del update
        scene.ci.stop()

    scene.after_push = stop


def _expire(scene: Scene) -> None:
    scene.vault.write("ci/global", {"woodpecker_api_token": "a-token-that-has-expired"})


_BROKEN = ("collecting ... 12 tests", "test_greeting ... FAILED", "AssertionError: 'hello' != 'good morning'")

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            name="green", exit=Exit.OK, rollout=Rollout(image_after=2.5),
            summary="landed, green, rolled out",
        ),
        Scenario(
            name="red", exit=Exit.FAILED, script=timelines.red("test", exit_code=1, log=_BROKEN, seconds=2.0),
            summary="landed, and CI fails: the step that broke is named",
        ),
        Scenario(
            name="flaky", exit=Exit.OK, prepare=_flap, script=timelines.green(4.0),
            summary="the API answers with nothing, 502 and cut connections, and yet it ends green",
        ),
        Scenario(
            name="race", exit=Exit.OK, prepare=_race,
            summary="a colleague pushes first: fetched, merged and verified again",
        ),
        Scenario(
            name="rollout-lies", exit=Exit.OK, rollout=LIES, script=timelines.green(1.0),
            summary="the old ReplicaSet looks rolled out; only the new image counts",
        ),
        Scenario(
            name="no-pipeline", exit=Exit.NO_PIPELINE, script=timelines.never(), options=("--appear-timeout", "3s"),
            summary="the webhook got lost: no pipeline ever appears",
        ),
        Scenario(
            name="superseded", exit=Exit.SUPERSEDED, prepare=_supersede, script=timelines.stuck(),
            summary="an older commit's restart takes the pipeline's place",
        ),
        Scenario(
            name="blocked", exit=Exit.BLOCKED, script=timelines.blocked(),
            summary="the pipeline waits for an approval",
        ),
        Scenario(
            name="offline", exit=Exit.UNREACHABLE, prepare=_vanish, options=("--unreachable-timeout", "4s"),
            summary="CI vanishes after the push: landed all the same",
        ),
        Scenario(
            name="rollout-failed", exit=Exit.ROLLOUT_FAILED, rollout=Rollout(ending=Ending.CRASH),
            script=timelines.green(1.0), summary="the new pods crash",
        ),
        Scenario(
            name="expired-token", exit=Exit.REFUSED, prepare=_expire,
            summary="CI refuses the token: found out before anything is changed",
        ),
        Scenario(
            name="conflict", exit=Exit.CONFLICT, prepare=_conflict,
            summary="merging the target conflicts: nothing is pushed",
        ),
        Scenario(
            name="protected", exit=Exit.PROTECTED, prepare=_protect,
            summary="the target takes no direct pushes: the branch is pushed, the link printed",
        ),
    )
}  # fmt: skip
