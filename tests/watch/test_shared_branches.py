"""As processes, side by side: a repository that applies what changed since the commit before, and plain tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline, ScriptedStep
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.cli.shell import Shell
from tests.views.schema import objects

pytestmark = [pytest.mark.slow, pytest.mark.first]  # most of the time it waits
PLAIN = {".woodpecker.yaml": "when: {event: push}\nsteps: [{name: test, image: alpine, commands: [make test]}]\n"}
PATHS = {".woodpecker/apply.yaml": "when: {event: push, path: 'stacks/**'}\nsteps: [{name: apply, image: tofu}]\n"}
SCRIPTED = {**PLAIN, "ci/apply.sh": 'git diff --name-only "$CI_PREV_COMMIT_SHA"\n'}
STEPS = [ScriptedStep("test", "success")]


@pytest.fixture
def woodpecker() -> Iterator[WoodpeckerSimulator]:
    with WoodpeckerSimulator(SystemClock(), speed=50) as server:
        yield server


Land = Callable[[dict[str, str]], str]


@pytest.fixture
def land(woodpecker: WoodpeckerSimulator, clone: Clone) -> Land:
    """`land(files)`: a commit with these files, whose pipeline is stopped by that of the next commit; its SHA."""

    def push_two(files: dict[str, str]) -> str:
        for name, text in files.items():
            clone.write(name, text)
        clone.git("add", "--all")
        first = clone.commit("stacks/one")
        woodpecker.push("acme/app", "main", first, timelines.make_timeline(STEPS, seconds=600), after=-40.0)
        second = clone.commit("stacks/two")
        woodpecker.push("acme/app", "main", second, timelines.make_timeline(STEPS, seconds=20), after=-30.0)
        return first

    return push_two


@pytest.mark.parametrize(
    ("files", "code", "sign"),
    [
        (PLAIN, 0, "does not depend on the commit before it: following it"),
        (PATHS, 6, ".woodpecker/apply.yaml has a path condition"),
        (SCRIPTED, 6, "ci/apply.sh mentions CI_PREV_* or CI_PIPELINE_FILES"),
    ],
    ids=["plain tests", "path conditions", "compares in a script"],
)
def test_a_newer_pipeline_counts_only_where_it_repeats_the_work(
    shell: Shell, land: Land, files: dict[str, str], code: int, sign: str
) -> None:
    sha = land(files)
    ended = shell("homelab-watch", sha)
    assert ended.code == code, ended.err
    assert sign in ended.err
    if code == 6:
        assert "#1 was stopped during step test of workflow woodpecker" in ended.err
        assert f"homelab ci restart {sha}" in ended.err
        assert shell("homelab-watch", sha, "--superseded", "follow").code == 0


def test_the_result_in_json_says_which_pipeline_was_interrupted(shell: Shell, land: Land) -> None:
    ended = shell("homelab", "ci", "status", land(PATHS), "--output", "json")
    events = objects(ended.lines)
    assert [one.get("interrupted") for one in events[-1]["pipelines"]] == [True]
    assert events[-1]["exit"] == 6


def two_flows(deploy: str, lint: str) -> PipelineTimeline:
    from tests.watch.test_named_workflows import script

    return script(deploy, lint, deploy_at=5.0, ends_at=6.0)


def test_the_named_workflow_decides_from_every_source_of_settings(
    shell: Shell, woodpecker: WoodpeckerSimulator, clone: Clone
) -> None:
    clone.write(".homelab.toml", 'workflow = ["deploy"]\n')
    clone.git("add", "--all")
    sha = clone.commit("a", message="tracked")
    woodpecker.push("acme/app", "main", sha, two_flows("success", "failure"), after=-60.0)
    assert shell("homelab-watch").code == 0
    assert shell("homelab", "ci", "status", HOMELAB_WORKFLOW="lint").code == 1
    missing = shell("homelab-watch", "--workflow", "build")
    assert (missing.code, "what ran: deploy, lint" in missing.err) == (3, True)
    clone.git("config", "homelab.workflow", "lint")
    assert shell("homelab-watch").code == 1
    assert shell("homelab", "ci", "logs", "--workflow", "deploy").result["verdict"] == "nothing"


def test_a_skip_marker_ends_a_watch_at_once_but_not_that_of_a_tag(
    shell: Shell, woodpecker: WoodpeckerSimulator, clone: Clone
) -> None:
    clone.commit("a", message="Update [SKIP CI]")
    clone.git("tag", "v1")
    skipped = shell("homelab-watch")
    assert (skipped.code, "the commit message contains [SKIP CI]" in skipped.err) == (3, True)
    woodpecker.push_tag("acme/app", "v1", clone.head, timelines.make_green(), after=60.0)
    assert shell("homelab-watch", "v1").code == 0
