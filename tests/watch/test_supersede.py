"""Each branch of the rule for a superseded pipeline, as a decision and from scripted histories."""

from __future__ import annotations

import pytest

from homelab_hooks.ci.model import Pipeline, Status, Step, Workflow
from homelab_hooks.config.schema import Superseded
from homelab_hooks.events import Event, PipelineChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import Frame, PipelineTimeline, ScriptedStep, ScriptedWorkflow
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.supersede import describe_stopped, find_doubt, find_left_out, list_begun
from tests.ci.values import run_ref, scope_of
from tests.watch.random_history import NEWER, NEWEST, OURS
from tests.watch.run_without_sockets import InMemoryWoodpecker

GROUP = ("push", "refs/heads/main")
INDEPENDENT = {OURS: "", NEWER: ""}
PATHS = ".woodpecker.yaml has a path condition"
VERSIONS = ["3.17.0", "3.13.0", "2.8.3"]


def pipeline(number: int, commit: str, *names: str, state: Status = Status.KILLED, started: int = 1) -> Pipeline:
    flows = tuple(
        Workflow(pid=1, name=name, state=state, steps=(Step(id=1, pid=2, name=f"run-{name}", state=state),))
        for name in names
    )
    return Pipeline(run_ref(number), number, GROUP, *GROUP, "main", commit, state, started=started, workflows=flows)


def doubt(ours: tuple[str, ...], newer: tuple[str, ...], signs: dict[str, str], *names: str) -> str:
    return find_doubt(pipeline(1, OURS, *ours), pipeline(2, NEWER, *newer, state=Status.RUNNING), signs, names)


@pytest.mark.parametrize(
    ("ours", "newer", "signs", "names", "words"),
    [
        (("a",), ("a",), INDEPENDENT, (), ""),
        (("a",), ("a", "b"), INDEPENDENT, (), ""),
        (("a", "b"), ("a",), INDEPENDENT, (), "it does not run workflow b"),
        (("a", "b"), ("a",), INDEPENDENT, ("a",), ""),
        (("a", "b"), ("a",), INDEPENDENT, ("b",), "it does not run workflow b"),
        (("a",), ("a",), {OURS: PATHS, NEWER: ""}, (), f"{PATHS} ({short_sha(OURS)})"),
        (("a",), ("a",), {OURS: "", NEWER: PATHS}, (), f"{PATHS} ({short_sha(NEWER)})"),
        (("a",), ("a",), {OURS: ""}, (), "the configuration cannot be read"),
        ((), ("a",), INDEPENDENT, (), "the workflows that were stopped are not known"),
    ],
)
def test_a_newer_pipeline_repeats_the_work_only_if_everything_shows_it(
    ours: tuple[str, ...], newer: tuple[str, ...], signs: dict[str, str], names: tuple[str, ...], words: str
) -> None:
    found = doubt(ours, newer, signs, *names)
    assert words in found
    assert bool(found) == bool(words)


def test_workflows_that_cannot_be_read_are_no_evidence() -> None:
    assert find_doubt(None, pipeline(2, NEWER, "a"), INDEPENDENT, ())
    assert find_doubt(pipeline(1, OURS, "a"), None, INDEPENDENT, ())


def test_what_was_stopped_is_named_by_step_and_workflow() -> None:
    assert describe_stopped(pipeline(1, OURS, "apply")) == " during step run-apply of workflow apply"
    assert describe_stopped(pipeline(1, OURS, *"abcde")).endswith("workflow a and 4 more")
    assert describe_stopped(pipeline(1, OURS, "a", started=0)) == " before anything ran"
    assert describe_stopped(None) == ""


def test_a_workflow_that_had_begun_and_is_skipped_by_the_newer_pipeline_is_left_out() -> None:
    begun = list_begun(pipeline(1, OURS, "apply"))
    assert find_left_out(begun, pipeline(2, NEWER, "apply", state=Status.SKIPPED)) == "apply"
    assert find_left_out(begun, pipeline(2, NEWER, "apply", state=Status.SUCCESS)) == ""
    assert list_begun(pipeline(1, OURS, "apply", state=Status.SKIPPED)) == frozenset()


def superseded(
    version: str = "3.17.0",
    *,
    first: PipelineTimeline | None = None,
    second: PipelineTimeline | None = None,
    signs: dict[str, str] | None = None,
) -> InMemoryWoodpecker:
    """Our pipeline is stopped at 10 s by that of a newer commit, which contains ours."""
    woodpecker = InMemoryWoodpecker(version=version, signs=signs or {})
    woodpecker.push(first or timelines.make_green(60, steps=("plan", "apply")))
    woodpecker.push(second or timelines.make_green(20, steps=("plan", "apply")), at=10.0, sha=NEWER)
    return woodpecker


def watch(woodpecker: InMemoryWoodpecker, rule: Superseded = Superseded.AUTO) -> tuple[Verdict, list[PipelineChanged]]:
    events: list[Event] = []
    verdict = woodpecker.watch(scope=scope_of(OURS)._replace(superseded=rule), tell=events.append)
    return verdict, [event for event in events if isinstance(event, PipelineChanged)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("signs", [{OURS: PATHS}, {NEWER: PATHS}], ids=["ours", "newer"])
def test_work_that_compares_with_the_commit_before_is_lost(version: str, signs: dict[str, str]) -> None:
    verdict, shown = watch(superseded(version, signs=signs))
    assert verdict.exit is ExitCode.SUPERSEDED
    assert "#1 was stopped during step plan of workflow woodpecker and superseded by #2" in verdict.reason
    assert PATHS in verdict.reason
    assert verdict.hint == f"once no newer pipeline of main is running, run: homelab ci restart {OURS}"
    assert [(p.number, p.interrupted) for p in verdict.pipelines] == [(1, True)]
    assert shown[-1].interrupted


@pytest.mark.parametrize("version", VERSIONS)
def test_a_newer_pipeline_without_one_of_the_workflows_is_not_followed(version: str) -> None:
    second = timelines.make_timeline([ScriptedStep("test", "success")], name="other", seconds=20)
    verdict, _ = watch(superseded(version, second=second))
    assert verdict.exit is ExitCode.SUPERSEDED
    assert "it does not run workflow woodpecker" in verdict.reason


@pytest.mark.parametrize("version", VERSIONS)
def test_a_newer_pipeline_that_repeats_everything_is_followed_and_that_is_said(version: str) -> None:
    verdict, shown = watch(superseded(version))
    assert verdict.exit is ExitCode.OK
    (note,) = [one.note for one in shown if one.note]
    assert note.startswith(f"#1 was superseded by #2, which contains {short_sha(OURS)}, runs the same workflows, ")
    assert note.endswith("and does not depend on the commit before it: following it")


@pytest.mark.parametrize("signs", [{}, {NEWER: PATHS}], ids=["independent", "dependent"])
def test_the_user_decides_otherwise(signs: dict[str, str]) -> None:
    followed, shown = watch(superseded(signs=signs), Superseded.FOLLOW)
    assert followed.exit is ExitCode.OK
    assert any("(--superseded follow)" in one.note for one in shown)
    failed, _ = watch(superseded(signs=signs), Superseded.FAIL)
    assert failed.exit is ExitCode.SUPERSEDED
    assert "--superseded fail" in failed.reason


def test_a_pipeline_that_was_superseded_before_it_began_needs_the_same_evidence() -> None:
    """The server compares with the pipeline before, whatever became of it."""
    waiting = PipelineTimeline(
        (Frame(0, "created"), Frame(0.1, "pending", (ScriptedWorkflow("woodpecker", "pending", (ScriptedStep("a"),)),)))
    )
    lost, _ = watch(superseded(first=waiting, signs={OURS: PATHS}))
    assert lost.exit is ExitCode.SUPERSEDED
    assert "#1 was stopped before anything ran" in lost.reason
    assert [p.interrupted for p in lost.pipelines] == [None]
    kept, _ = watch(superseded(first=waiting))
    assert (kept.exit, [p.number for p in kept.pipelines]) == (ExitCode.OK, [2])


@pytest.mark.parametrize("unread", ["pipelines/1", "pipelines/2"], ids=["ours", "newer"])
def test_details_that_cannot_be_read_are_no_evidence(unread: str) -> None:
    woodpecker = superseded(second=timelines.make_green(200, steps=("plan", "apply")))
    gone = RequestFailed(FailureKind.STATUS, "the server returned 500")
    woodpecker.bad = lambda path, t: gone if path.endswith(unread) and t > 9 else None
    verdict, _ = watch(woodpecker)
    assert verdict.exit is ExitCode.SUPERSEDED
    assert woodpecker.clock.t < 40


def test_a_workflow_that_had_begun_and_was_skipped_in_the_end_is_lost() -> None:
    skipped = timelines.make_timeline([ScriptedStep("plan", "skipped")], status="skipped", seconds=5)
    frames = tuple(Frame(f.t, "success" if f.status == "skipped" else f.status, f.workflows) for f in skipped.frames)
    verdict, _ = watch(superseded(second=PipelineTimeline(frames)))
    assert verdict.exit is ExitCode.SUPERSEDED
    assert "skipped workflow woodpecker" in verdict.reason


def test_each_pipeline_of_a_chain_is_compared_with_the_next() -> None:
    for signs, exit_ in (({}, ExitCode.OK), ({NEWEST: PATHS}, ExitCode.SUPERSEDED)):
        woodpecker = superseded(second=timelines.make_green(60), signs=signs)
        woodpecker.push(timelines.make_green(20), at=20.0, sha=NEWEST)
        verdict, _ = watch(woodpecker)
        assert (verdict.exit, [p.number for p in verdict.pipelines][:2]) == (
            exit_,
            [1, 2],
        ), verdict


def test_a_newer_commit_that_was_accepted_on_one_branch_is_judged_again_on_another() -> None:
    """Its workflows may differ there."""
    woodpecker, other = InMemoryWoodpecker(), {"branch": "dev", "ref": "refs/heads/dev"}
    woodpecker.push(timelines.make_green(60))
    woodpecker.push(timelines.make_green(60), at=1.0, **other)
    woodpecker.push(timelines.make_green(60), at=10.0, sha=NEWER)
    lint = timelines.make_timeline([ScriptedStep("lint", "success")], name="lint", seconds=30)
    woodpecker.push(lint, at=15.0, sha=NEWER, **other)
    verdict, _ = watch(woodpecker)
    assert verdict.exit is ExitCode.SUPERSEDED
    assert "it does not run workflow woodpecker" in verdict.reason
