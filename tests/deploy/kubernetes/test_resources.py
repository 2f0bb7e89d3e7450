"""What a Kustomization, an application, and a CronJob show about a commit, poll by poll."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy import machine
from homelab_hooks.deploy.kubernetes.commit_match import find_questions
from homelab_hooks.deploy.kubernetes.evidence import CompareCommit, Evidence
from homelab_hooks.deploy.kubernetes.resource import ResourceObservation
from homelab_hooks.deploy.kubernetes.resource_assess import assess_resource
from homelab_hooks.deploy.kubernetes.resource_poller import PARSERS, find_unknown_commits
from homelab_hooks.deploy.kubernetes.snapshot import template_snapshot
from homelab_hooks.deploy.request import Expectation, RolloutTimeouts
from homelab_hooks.deploy.state import RolloutState, start_state
from homelab_hooks.events import Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.containment import Containment
from homelab_hooks.git.release_tags import ReleaseTag, TagPlace
from homelab_hooks.kubectl.cron_job import CronJob, parse_running_jobs
from homelab_hooks.kubectl.model import WorkloadKind, WorkloadTarget
from homelab_hooks.polling.outcome import Found
from homelab_hooks.simulators.kubernetes.gitops_objects import (
    make_application,
    make_cron_job,
    make_job,
    make_kustomization,
)

SHA = "9f2c1a7b" + "0" * 32
OLD = "0aa11bb2" + "0" * 32
NEWER = "3c5d7e9f" + "0" * 32
STRANGE = "abcdef01" + "0" * 32
CONTAINMENT = {OLD: Containment.NOT_CONTAINED, NEWER: Containment.CONTAINS, "3c5d7e9f": Containment.CONTAINS}
OURS, BEFORE, AFTER, OCI = f"main@sha1:{SHA}", f"main@sha1:{OLD}", f"main@sha1:{NEWER}", "latest@sha256:" + "1" * 64
ks, app = make_kustomization, make_application


def begin(kind: str, *, exact: bool = False, settle: float = 5.0) -> RolloutState:
    timeouts = RolloutTimeouts(rollout_timeout=300.0, settle=settle, unreachable_timeout=60.0)
    expectation = Expectation(sha=SHA, proof=ImageProof(ProofKind.TAG), exact=exact)
    return start_state(WorkloadTarget.parse(f"shop/{kind}/web"), expectation, timeouts, now=0.0)


def play(state: RolloutState, polls: Iterable[tuple[float, Any]]) -> tuple[RolloutState, list[str]]:
    """The state after these polls, and what was said to hold it up."""
    said: list[str] = []
    kind = state.target.kind  # type: ignore[attr-defined]  # it is a WorkloadTarget
    for now, raw in polls:
        resource = PARSERS[kind](raw)
        running = parse_running_jobs(resource.workload.uid, {"items": JOBS}) if isinstance(resource, CronJob) else ()
        observation = ResourceObservation(
            resource=resource, evidence=Evidence(containment=CONTAINMENT), running_jobs=running
        )
        step = machine.decide(state, Found(observation), now, assess=assess_resource)
        state = step.state
        said += [event.reason for event in step.events if isinstance(event, Waiting)]
        if state.outcome is not None:
            break
    return state, said


JOBS = [make_job("web-1", "0aa11bb2"), make_job("web-2", "9f2c1a7b")]
FAILED = "False HealthCheckFailed"

SYNCED = app(SHA, operation=(SHA, "Succeeded"))

DELIVERED = [
    ("ks", [ks(BEFORE), ks(BEFORE, OURS, "Unknown Progressing"), ks(OURS)]),
    ("ks", [ks(AFTER)]),
    ("ks", [ks(f"main/{SHA}")]),
    ("ks", [ks(OCI, lastAppliedOriginRevision=OURS, spec={"sourceRef": {"kind": "OCIRepository"}})]),
    ("ks", [ks(OCI.replace("latest", "9f2c1a7b"), spec={"sourceRef": {"kind": "OCIRepository"}})]),
    ("ks", [ks(BEFORE, OURS, FAILED), ks(OURS)]),
    ("app", [app(OLD), app(SHA, "OutOfSync"), app(SHA, operation=(SHA, "Running")), SYNCED]),
    ("app", [app(NEWER, operation=(NEWER, "Succeeded"))]),
    ("app", [app((OLD, "1.2.3", SHA), operation=(SHA, "Succeeded"))]),
    ("app", [app(SHA, operation=(OLD, "Succeeded"))]),
    ("app", [app(STRANGE, sourceHydrator={"lastSuccessfulOperation": {"drySHA": SHA, "hydratedSHA": STRANGE}})]),
    ("app", [app(SHA, health="Degraded"), app(SHA, health="Progressing"), app(SHA)]),
    ("cj", [make_cron_job("0aa11bb2"), make_cron_job("9f2c1a7b")]),
    ("cj", [make_cron_job("3c5d7e9f")]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "raws"), DELIVERED)
def test_a_commit_is_delivered_once_the_last_state_has_lasted_the_settle_time(kind: str, raws: Sequence[Any]) -> None:
    times = [10.0 * index for index in range(len(raws))]
    state, _ = play(begin(kind), zip(times, raws, strict=True))
    assert state.outcome is None
    assert state.settling is not None
    state, _ = play(state, [(times[-1] + 5.0, raws[-1])])
    assert state.outcome is not None
    assert state.outcome.exit is ExitCode.OK


WAITED_FOR = {
    "another revision is applied": ("ks", ks(BEFORE), "waiting for 9f2c1a7b"),
    "an unknown revision is applied": ("ks", ks(f"main@sha1:{STRANGE}"), "unknown commit"),
    "nothing is applied yet": ("ks", ks("", OURS, "Unknown Progressing"), "Flux is applying it"),
    "the generation is not observed": ("ks", ks(OURS, observed=1), "observe"),
    "ready is of the generation before": (
        "ks",
        {**ks(OURS), "status": {**ks(OURS)["status"], "conditions": ks(OURS, observed=1)["status"]["conditions"]}},
        "observe",
    ),
    "it reconciles": ("ks", ks(OURS, ready="Unknown Progressing"), "Progressing"),
    "an older revision fails": ("ks", ks(BEFORE, ready=FAILED), "HealthCheckFailed"),
    "a dependency is not ready": ("ks", ks(BEFORE, OURS, "False DependencyNotReady"), "DependencyNotReady"),
    "suspended before the commit": ("ks", ks(BEFORE, spec={"suspend": True}), "it is suspended"),
    "suspended with the commit": ("ks", ks(OURS, spec={"suspend": True}), "it is suspended"),
    "synced with another revision": ("app", app(OLD, operation=(OLD, "Succeeded")), "waiting for 9f2c1a7b"),
    "out of sync": ("app", app(SHA, "OutOfSync", operation=(OLD, "Succeeded")), "OutOfSync"),
    "auto-sync is off": ("app", app(SHA, "OutOfSync", auto=False), "auto-sync is off"),
    "degraded before the sync": ("app", app(SHA, "OutOfSync", "Degraded"), "OutOfSync"),
    "degraded at an older revision": ("app", app(OLD, health="Degraded"), "waiting for 9f2c1a7b"),
    "the operation runs": ("app", app(SHA, operation=(SHA, "Running")), "is running"),
    "an older operation runs": ("app", app(SHA, operation=(OLD, "Running")), "is running"),
    "an operation was requested": ("app", app(SHA, requested={"sync": {}}), "was requested"),
    "an older operation failed": ("app", app(SHA, operation=(OLD, "Failed")), "of another revision, failed"),
    "not healthy yet": ("app", app(SHA, health="Progressing", operation=(SHA, "Succeeded")), "Progressing"),
    "a part is suspended": ("app", app(SHA, health="Suspended", operation=(SHA, "Succeeded")), "Suspended"),
    "the comparison failed": (
        "app", app("", "Unknown", conditions=[{"type": "ComparisonError", "message": "no manifests"}]), "no manifests",
    ),
    "another template": ("cj", make_cron_job("0aa11bb2"), "waiting for 9f2c1a7b"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "raw", "said"), WAITED_FOR.values(), ids=WAITED_FOR)
def test_a_state_that_may_change_is_waited_for_and_said(kind: str, raw: Any, said: str) -> None:
    state, _ = play(begin(kind), [(10.0 * index, raw) for index in range(20)])
    assert state.outcome is None
    assert said in state.waiting_for
    state, _ = play(state, [(300.0, raw)])
    assert state.outcome is not None
    assert state.outcome.exit is ExitCode.TIMEOUT


FAILING = {
    "ready is false": ("ks", ks(BEFORE, OURS, FAILED), "HealthCheckFailed: said so"),
    "the build fails before the attempt is recorded": (
        "ks", ks(BEFORE, ready="False ArtifactFailed", conditions=[
            {"type": "Ready", "status": "False", "reason": "ArtifactFailed", "message": "path not found"},
            {"type": "Reconciling", "status": "True", "message": f"Fetching manifests for revision {OURS} with"},
        ]), "path not found",
    ),
    "a newer revision fails": ("ks", ks(BEFORE, AFTER, FAILED), "HealthCheckFailed"),
    "the operation failed": ("app", app(OLD, operation=(SHA, "Failed")), "operation failed: said so"),
    "the operation had an error": ("app", app(SHA, "OutOfSync", operation=(SHA, "Error")), "operation failed"),
    "a hook failed after the sync": ("app", app(SHA, operation=(SHA, "Failed")), "operation failed"),
    "it is degraded": ("app", app(SHA, health="Degraded", operation=(SHA, "Succeeded")), "Degraded"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "raw", "said"), FAILING.values(), ids=FAILING)
def test_a_failure_of_the_commit_is_said_at_once_and_final_after_a_minute(kind: str, raw: Any, said: str) -> None:
    state, reasons = play(begin(kind), [(0.0, raw), (59.0, raw)])
    assert state.outcome is None
    assert said in reasons[0]
    state, _ = play(state, [(60.0, raw)])
    assert state.outcome is not None
    assert state.outcome.exit is ExitCode.ROLLOUT_FAILED
    assert said in state.outcome.reason
    assert "describe" in state.outcome.hint


RETRIES = [
    ("ks", ks(BEFORE, OURS, FAILED), ks(BEFORE, OURS, "Unknown Progressing")),
    ("app", app(SHA, "OutOfSync", operation=(SHA, "Failed")), app(SHA, "OutOfSync", operation=(SHA, "Running"))),
]


@pytest.mark.parametrize(("kind", "failing", "retrying"), RETRIES)
def test_a_retry_ends_no_wait_and_does_not_make_the_failure_younger(kind: str, failing: Any, retrying: Any) -> None:
    state, _ = play(begin(kind), [(0.0, failing), (30.0, retrying), (90.0, retrying)])
    assert state.outcome is None
    state, _ = play(state, [(91.0, failing)])
    assert state.outcome is not None
    assert state.outcome.exit is ExitCode.ROLLOUT_FAILED


def test_a_failure_that_went_away_counts_from_its_return() -> None:
    failing, better = app(SHA, health="Degraded"), app(SHA, health="Progressing")
    state, _ = play(begin("app"), [(0.0, failing), (50.0, better), (70.0, failing), (129.0, failing)])
    assert state.outcome is None


NAMELESS = {
    "the digest of an OCI artifact": ("ks", ks(OCI, spec={"sourceRef": {"kind": "OCIRepository"}})),
    "the tag of a dirty build": (
        "ks", ks(OCI.replace("latest", "9f2c1a7b-dirty"), spec={"sourceRef": {"kind": "OCIRepository"}}),
    ),
    "the version of a chart": ("app", app("1.2.3")),
    "the digest of a chart": ("app", app("sha256:" + "1" * 64)),
    "a branch": ("app", app("main")),
    "a tag that names no commit": ("cj", make_cron_job("latest")),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "raw"), NAMELESS.values(), ids=NAMELESS)
def test_a_revision_that_cannot_name_a_commit_is_unproven_at_once(kind: str, raw: Any) -> None:
    state, _ = play(begin(kind), [(0.0, raw)])
    assert state.outcome is not None
    assert state.outcome.exit is ExitCode.ROLLOUT_UNPROVEN
    assert "no commit" in state.outcome.reason
    assert state.outcome.hint


@pytest.mark.parametrize(("kind", "raw"), [("ks", ks(AFTER)), ("app", app(NEWER)), ("cj", make_cron_job("3c5d7e9f"))])
def test_a_newer_commit_counts_unless_exactly_this_one_is_asked_for(kind: str, raw: Any) -> None:
    state, _ = play(begin(kind, settle=0.0), [(0.0, raw)])
    assert state.outcome is not None
    assert "included in newer deploy 3c5d7e9f" in state.outcome.reason
    state, _ = play(begin(kind, exact=True, settle=0.0), [(0.0, raw)])
    assert state.outcome is None


@pytest.mark.parametrize(("kind", "ours", "old"), [("ks", ks(OURS), ks(BEFORE)), ("app", app(SHA), app(OLD))])
def test_a_commit_that_is_replaced_has_failed(kind: str, ours: Any, old: Any) -> None:
    state, _ = play(begin(kind), [(0.0, old), (1.0, ours), (2.0, old)])
    assert state.outcome is not None
    assert state.outcome.exit is ExitCode.ROLLOUT_FAILED
    assert "rolled back to" in state.outcome.reason


def test_an_application_says_that_nothing_had_to_be_synced() -> None:
    """Its hooks did not run for this commit."""
    state, _ = play(begin("app", settle=0.0), [(0.0, app(SHA, operation=(OLD, "Succeeded")))])
    assert state.outcome is not None
    assert state.outcome.reason == f"runs {SHA} (it changed nothing that Argo CD had to sync)"
    state, _ = play(begin("app", settle=0.0), [(0.0, SYNCED)])
    assert state.outcome is not None
    assert state.outcome.reason == f"runs {SHA}"


def test_a_cron_job_says_that_it_is_suspended_and_which_jobs_are_older() -> None:
    raw = make_cron_job("9f2c1a7b", suspended=True, active=("web-1", "web-2"))
    state, _ = play(begin("cj", settle=0.0), [(0.0, raw)])
    assert state.outcome is not None
    assert state.outcome.exit is ExitCode.OK
    assert "it is suspended" in state.outcome.reason
    assert "1 job of an older template still running: web-1" in state.outcome.reason


@pytest.mark.parametrize(
    ("kind", "raw", "asked"),
    [
        ("ks", ks(OURS), ()),
        ("ks", ks(BEFORE, OURS), (OLD,)),
        ("app", app((OLD, SHA), operation=(STRANGE, "Succeeded")), (STRANGE,)),
        ("cj", make_cron_job("0aa11bb2"), ("0aa11bb2",)),
    ],
)
def test_git_is_asked_only_about_commits_that_may_matter(kind: str, raw: Any, asked: tuple[str, ...]) -> None:
    resource = PARSERS[WorkloadTarget.parse(f"shop/{kind}/web").kind](raw)
    expectation = begin(kind).expectation
    if isinstance(resource, CronJob):
        questions = find_questions(template_snapshot(resource.workload), expectation)
        assert questions == tuple(CompareCommit(name) for name in asked)
    else:
        assert find_unknown_commits(resource, expectation) == asked


def test_the_text_of_a_controller_is_one_short_line() -> None:
    raw = app(OLD, "Unknown", conditions=[{"type": "ComparisonError", "message": "bad\n\x1b[31mmanifest " * 500}])
    state, _ = play(begin("app"), [(0.0, raw)])
    assert len(state.waiting_for) < 600
    assert state.waiting_for.isprintable()


@pytest.mark.parametrize(
    ("tag", "sha", "ends", "says"),
    [
        ("v1.4.2", SHA, ExitCode.OK, "identified by release v1.4.2"),
        ("v1.4.2", OLD, None, ""),
        ("latest", SHA, ExitCode.ROLLOUT_UNPROVEN, "a CronJob has no pods whose digest could be compared"),
    ],
)
def test_a_cron_job_is_proven_as_a_workload_is_but_by_its_template_alone(
    tag: str, sha: str, ends: ExitCode | None, says: str
) -> None:
    state = begin("cj", settle=0.0)
    state = replace(state, expectation=replace(state.expectation, proof=ImageProof(ProofKind.AUTO)))
    release = ReleaseTag((TagPlace("v1.4.2", "here", sha),))
    observation = ResourceObservation(
        resource=PARSERS[WorkloadKind.CRONJOB](make_cron_job(tag)),
        evidence=Evidence(containment=CONTAINMENT, releases={"v1.4.2": release}),
    )
    outcome = machine.decide(state, Found(observation), 0.0, assess=assess_resource).state.outcome
    assert (outcome.exit if outcome else None) is ends
    assert says in (outcome.reason if outcome else "")


@pytest.mark.parametrize(("pinned", "ends"), [(True, ExitCode.OK), (False, ExitCode.ROLLOUT_UNPROVEN)])
def test_the_digest_of_a_cron_job_is_that_of_its_template(*, pinned: bool, ends: ExitCode) -> None:
    """It has no pods whose digests could be compared."""
    digest = "sha256:" + "1" * 64
    state = begin("cj", settle=0.0)
    state = replace(state, expectation=replace(state.expectation, proof=ImageProof(ProofKind.DIGEST, digest)))
    state, _ = play(state, [(0.0, make_cron_job(f"1.2@{digest}" if pinned else "1.2"))])
    assert state.outcome is not None
    assert state.outcome.exit is ends


REVISIONS = st.sampled_from([OURS, OURS, BEFORE, ""])
KUSTOMIZATIONS = st.builds(
    ks, REVISIONS, REVISIONS, st.sampled_from(["True", "True", "Unknown Progressing", FAILED]),
    observed=st.sampled_from([1, 2, 2, 2]), spec=st.sampled_from([{}, {}, {}, {"suspend": True}]),
)  # fmt: skip
COMMITS = st.sampled_from([SHA, SHA, OLD])
APPLICATIONS = st.builds(
    app, COMMITS, st.sampled_from(["Synced", "Synced", "OutOfSync", "Unknown"]),
    st.sampled_from(["Healthy", "Healthy", "Progressing", "Degraded", "Suspended", "Missing"]),
    operation=st.one_of(st.none(), st.tuples(COMMITS, st.sampled_from(["Running", "Succeeded", "Failed", "Error"]))),
    requested=st.sampled_from([None, None, {"sync": {}}]),
)  # fmt: skip


def is_delivered(raw: Any) -> bool:
    """By a rule of its own."""
    status, spec = raw["status"], raw["spec"]
    if raw["kind"] == "Kustomization":
        ready = status["conditions"][0]
        current = status["observedGeneration"] == ready["observedGeneration"] == raw["metadata"]["generation"]
        return bool(
            status["lastAppliedRevision"] == OURS and ready["status"] == "True" and current and not spec.get("suspend")
        )
    synced = (status["sync"], status["health"]) == ({"status": "Synced", "revision": SHA}, {"status": "Healthy"})
    ended = status.get("operationState", {"phase": "Succeeded"})["phase"] == "Succeeded"
    return synced and ended and "operation" not in raw


@settings(max_examples=300)
@given(
    case=st.one_of(
        st.tuples(st.just("ks"), st.lists(st.tuples(st.sampled_from([1.0, 5.0, 40.0]), KUSTOMIZATIONS), max_size=8)),
        st.tuples(st.just("app"), st.lists(st.tuples(st.sampled_from([1.0, 5.0, 40.0]), APPLICATIONS), max_size=8)),
    ),
    settle=st.sampled_from([0.0, 5.0]),
)
def test_no_history_ends_in_0_while_the_commit_is_not_delivered(case: Any, settle: float) -> None:
    """Stale states above all: of the generation before, of an older revision, of an older operation."""
    kind, history = case
    state, now = begin(kind, settle=settle), 0.0
    for pause, raw in history:
        now += pause
        state, _ = play(state, [(now, raw)])
        if state.outcome is not None:
            assert is_delivered(raw) or state.outcome.exit is not ExitCode.OK
            return
