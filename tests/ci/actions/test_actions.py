"""What Actions say about a commit, and what never counts as success."""

from __future__ import annotations

import pytest

from homelab_hooks.ci.actions.parse import parse_runs
from homelab_hooks.ci.forge_api import AttemptCounter
from homelab_hooks.ci.model import Status
from homelab_hooks.events import Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse
from homelab_hooks.simulators.faults import BodyFault, FaultPlan, FaultRule, StatusFault
from homelab_hooks.simulators.forge.runs import ForgeReports, SimulatedRun
from homelab_hooks.verdict import Verdict
from tests.ci.forge_watch import OURS, ForgeInMemory, make_run
from tests.ci.recorded_forge import RecordedForge, make_actions, watch
from tests.forge.fake_transport import reply
from tests.watch.run_without_sockets import StreamClock


def run_watch_of(*runs: SimulatedRun, timeout: float = 600, **replace: HttpResponse) -> tuple[Verdict, ForgeInMemory]:
    clock = StreamClock()
    forge = ForgeInMemory(clock, ForgeReports(list(runs)), {f"/{name}": one for name, one in replace.items()})
    verdict, _ = watch(make_actions(forge, OURS), OURS, clock, timeout=timeout)
    return verdict, forge


@pytest.mark.parametrize(
    ("name", "which", "exit_", "reason"),
    [
        ("07-actions-no-runner", 0, ExitCode.NO_PIPELINE, "no pipeline appeared: a workflow with broken YAML"),
        ("07b-actions-success", 0, ExitCode.OK, "#3 (build.yml) passed"),
        ("07c-actions-failure-skipped", 0, ExitCode.FAILED, "step step3 of workflow bad failed"),
        ("07c-actions-failure-skipped", 1, ExitCode.NO_PIPELINE, "#5 (build.yml) was skipped"),
        ("07d-actions-two-workflows-matrix", 0, ExitCode.FAILED, "#7 (b.yml) failed"),
        ("07e-actions-rerun", 0, ExitCode.OK, "#12 (build.yml, attempt 2) passed"),
        ("07f-actions-cancel-superseded", 0, ExitCode.CANCELLED, "#13 (build.yml) was cancelled"),
        ("07f-actions-cancel-superseded", 2, ExitCode.TIMEOUT, "timed out: #15 (build.yml) is running"),
        ("07g-actions-pull-request", 0, ExitCode.NO_PIPELINE, "no pipeline appeared"),
        ("07h-actions-many-workflows", 1, ExitCode.FAILED, "step step1 of workflow soft failed"),
    ],
)
def test_a_recorded_forge_leads_to_the_verdict(name: str, which: int, exit_: ExitCode, reason: str) -> None:
    clock = StreamClock()
    forge = RecordedForge(name, clock)
    sha = forge.shas[which]
    forge.start = forge.first_read(sha)
    verdict, _ = watch(make_actions(forge, sha), sha, clock)
    assert (verdict.exit, reason in verdict.reason) == (exit_, True), verdict


def test_nine_workflows_that_appear_one_by_one_are_all_waited_for() -> None:
    """Their jobs were not recorded: green runs alone are not success."""
    clock = StreamClock()
    forge = RecordedForge("07h-actions-many-workflows", clock)
    forge.start = forge.first_read(forge.shas[0])
    verdict, _ = watch(make_actions(forge, forge.shas[0]), forge.shas[0], clock)
    assert [pipeline.number for pipeline in verdict.pipelines] == list(range(20, 29))
    assert (verdict.exit, "its jobs cannot be listed" in verdict.reason) == (ExitCode.DENIED, True)


def test_a_run_that_appears_late_still_decides() -> None:
    late = make_run(2, (17, "queued"), (22, "failure"))
    verdict, _ = run_watch_of(make_run(1, (0, "in_progress"), (4, "success")), late)
    assert (verdict.exit, verdict.reason) == (ExitCode.FAILED, "#2 (w2.yml) failed: step step1 of workflow job failed")


def test_a_run_that_is_run_again_counts_anew() -> None:
    verdict, _ = run_watch_of(make_run(1, (0, "success"), (8, "queued"), (40, "failure")))
    assert (verdict.exit, verdict.reason.partition(" failed")[0]) == (ExitCode.FAILED, "#1 (w1.yml, attempt 2)")


@pytest.mark.parametrize("word", ["skipped", "neutral"])
def test_what_did_nothing_passes_beside_a_success_only(word: str) -> None:
    alone, _ = run_watch_of(make_run(1, (0, word)))
    beside, _ = run_watch_of(make_run(1, (0, word)), make_run(2, (0, "success")))
    assert (alone.exit, beside.exit) == (ExitCode.NO_PIPELINE, ExitCode.OK)


@pytest.mark.parametrize(
    ("word", "exit_"),
    [
        ("cancelled", ExitCode.CANCELLED),
        ("action_required", ExitCode.BLOCKED),
        ("timed_out", ExitCode.FAILED),
        ("startup_failure", ExitCode.FAILED),
        ("stale", ExitCode.TIMEOUT),
        ("quantum", ExitCode.TIMEOUT),
    ],
)
def test_no_other_conclusion_is_success(word: str, exit_: ExitCode) -> None:
    verdict, _ = run_watch_of(make_run(1, (0, word)), make_run(2, (0, "success")), timeout=90)
    assert verdict.exit is exit_


@pytest.mark.parametrize("before", ["queued", "in_progress"])
def test_a_run_that_waits_for_an_approval_after_it_was_queued_is_blocked(before: str) -> None:
    verdict, _ = run_watch_of(make_run(1, (0, before), (20, "action_required")), timeout=90)
    assert verdict.exit is ExitCode.BLOCKED


def test_runs_of_another_event_or_branch_do_not_decide() -> None:
    others = make_run(2, (0, "failure"), event="pull_request"), make_run(3, (0, "failure"), branch="topic")
    verdict, _ = run_watch_of(make_run(1, (0, "success")), *others)
    assert verdict.exit is ExitCode.OK


@pytest.mark.parametrize("status", [403, 404])
def test_a_green_run_whose_jobs_cannot_be_listed_is_not_success(status: int) -> None:
    verdict, _ = run_watch_of(make_run(1, (0, "success")), jobs=reply(status, {"message": "no"}))
    assert (verdict.exit, "its jobs cannot be listed" in verdict.reason) == (ExitCode.DENIED, True)


def test_a_green_run_with_no_jobs_is_not_success() -> None:
    verdict, _ = run_watch_of(make_run(1, (0, "success")), jobs=reply(200, {"jobs": [], "total_count": 0}))
    assert verdict.exit is ExitCode.UNREACHABLE


def test_a_run_without_a_runner_is_said_and_never_ends_by_itself() -> None:
    clock = StreamClock()
    forge = ForgeInMemory(clock, ForgeReports([make_run(1, (0, "queued"))]))
    verdict, events = watch(make_actions(forge, OURS), OURS, clock, timeout=100)
    assert verdict.exit is ExitCode.TIMEOUT
    assert any("no runner has started it" in getattr(event, "reason", "") for event in events)


def test_the_end_of_a_failed_jobs_log_is_shown_without_its_times() -> None:
    clock = StreamClock()
    run = make_run(1, (0, "failure"), log="2026-11-30T09:01:47.1Z boom\n2026-11-30T09:02:47.1Z later step\n")
    forge = ForgeInMemory(clock, ForgeReports([run]))
    _, events = watch(make_actions(forge, OURS), OURS, clock)
    assert next(event.text for event in events if isinstance(event, Log)) == "boom"
    assert sum("logs" in path for path in forge.paths) == 1


def test_a_watch_of_ten_minutes_asks_once_in_five_seconds() -> None:
    _, forge = run_watch_of(make_run(1, (0, "in_progress"), (600, "success")), timeout=900)
    assert len(forge.requests) <= 126


def test_a_watch_of_github_com_without_a_token_asks_once_a_minute() -> None:
    """It answers 60 requests an hour to an address ("Rate limits for the REST API")."""
    clock = StreamClock()
    forge = ForgeInMemory(clock, ForgeReports([make_run(1, (0, "in_progress"), (3000, "success"))]))
    verdict, _ = watch(make_actions(forge, OURS, is_anonymous=True), OURS, clock, timeout=3600)
    assert verdict.exit is ExitCode.OK
    assert len(forge.requests) <= 60


def test_a_server_that_ignores_the_filter_is_not_read_to_its_end() -> None:
    row = {"id": 1, "path": "b.yml@refs/heads/main", "event": "push", "head_sha": "b2" * 20, "status": "queued"}
    page = reply(200, {"workflow_runs": [row | {"id": number} for number in range(50, 0, -1)]})
    clock = StreamClock()
    forge = ForgeInMemory(clock, ForgeReports(), {"/actions/runs": page})
    verdict, _ = watch(make_actions(forge, OURS), OURS, clock)
    assert (verdict.exit, len(forge.requests) <= 15) == (ExitCode.NO_PIPELINE, True)


def test_a_rate_limit_is_waited_for() -> None:
    clock = StreamClock()
    limit = reply(403, {"message": "limit"}, x_ratelimit_remaining="0", retry_after="100")
    forge = ForgeInMemory(clock, ForgeReports([make_run(1, (0, "success"))]), {"/actions/runs": limit})
    verdict, _ = watch(make_actions(forge, OURS), OURS, clock)
    assert (verdict.exit, len(forge.requests) <= 4) == (ExitCode.UNREACHABLE, True)


def test_attempts_count_what_the_forge_reports_and_what_is_seen() -> None:
    counter = AttemptCounter()
    seen = [counter.count(1, status) for status in (Status.PENDING, Status.FAILURE, Status.FAILURE, Status.PENDING)]
    assert (seen, counter.count(1, Status.SUCCESS, reported=5)) == ([1, 1, 1, 2], 5)


@pytest.mark.parametrize(
    "fault",
    [
        StatusFault(code=502),
        StatusFault(code=429, retry_after=20),
        BodyFault(content=b""),
        BodyFault(content=b"<html>", content_type="text/html"),
        BodyFault(content=b'{"workflow_runs": {}}'),
        BodyFault(content=b'{"workflow_runs": [{"id": "x"}]}'),
    ],
    ids=["502", "429", "empty", "page", "shape", "field"],
)
def test_an_outage_delays_the_verdict_only(fault: StatusFault | BodyFault) -> None:
    clock = StreamClock()
    plan = FaultPlan((FaultRule(fault=fault, since=8, until=60),))
    forge = ForgeInMemory(clock, ForgeReports([make_run(1, (0, "in_progress"), (20, "failure"))]), faults=plan)
    verdict, _ = watch(make_actions(forge, OURS), OURS, clock)
    assert verdict.exit is ExitCode.FAILED
    assert clock.now() > 60


def test_a_run_of_github_is_read() -> None:
    """As in its REST documentation, "Workflow runs"; not seen on a real server."""
    row = {
        "id": 30433642,
        "name": "Build",
        "head_branch": "main",
        "head_sha": OURS.upper(),
        "path": ".github/workflows/build.yml@main",
        "run_number": 562,
        "event": "push",
        "status": "completed",
        "conclusion": "neutral",
        "run_attempt": 3,
        "html_url": "https://github.com/acme/app/actions/runs/30433642",
        "created_at": "2020-01-22T19:33:08Z",
        "updated_at": "2020-01-22T19:33:09Z",
    }
    (run,) = parse_runs({"total_count": 1, "workflow_runs": [row]}, AttemptCounter())
    assert (run.branch, run.commit, run.attempt, run.status) == ("main", OURS, 3, Status.SKIPPED)
    assert str(run.run) == "#30433642 (build.yml, attempt 3)"
    (tag,) = parse_runs({"workflow_runs": [row | {"path": "build.yml@refs/tags/main"}]}, AttemptCounter())
    assert tag.branch == ""


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("success", Status.SUCCESS),
        ("blocked", Status.PENDING),
        ("running", Status.RUNNING),
        ("cancelled", Status.CANCELED),
    ],
)
def test_a_run_of_forgejo_is_read(word: str, status: Status) -> None:
    """As ActionRun in Forgejo's modules/structs/action.go; not seen on a real server."""
    row = {
        "id": 8,
        "workflow_id": "build.yml",
        "index_in_repo": 5,
        "prettyref": "main",
        "commit_sha": OURS,
        "event": "push",
        "status": word,
        "need_approval": False,
        "html_url": "https://git.example.test/acme/app/actions/runs/5",
        "updated": "2026-11-30T09:01:47Z",
        "stopped": "1970-01-01T00:00:00Z",
    }
    (run,) = parse_runs({"workflow_runs": [row]}, AttemptCounter())
    assert (run.branch, run.commit, run.status, run.raw_status) == ("main", OURS, status, word)
    (held,) = parse_runs({"workflow_runs": [row | {"status": "waiting", "need_approval": True}]}, AttemptCounter())
    assert held.status is Status.BLOCKED
