"""Actions runs and commit statuses of the simulated forge, as recordings 04 and 07 to 07h answer.

A run and each of its jobs follow a timeline: the status and the conclusion from a moment on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

ZERO_TIME = "1970-01-01T00:00:00Z"
_SOME_TIME = "2026-11-30T09:01:47Z"


class RunPhase(NamedTuple):
    """What a run or a job shows from a moment on, in seconds of the simulator's clock."""

    at: float
    status: str
    conclusion: str = ""


@dataclass(frozen=True)
class SimulatedJob:
    """A job; `log` is the text of its log, without which it is a 404."""

    id: int
    name: str
    phases: tuple[RunPhase, ...]
    log: str = ""
    steps: tuple[str, ...] = ("step1",)


@dataclass(frozen=True)
class SimulatedRun:
    """A run of one workflow; it appears with its first phase."""

    id: int
    workflow: str
    sha: str
    phases: tuple[RunPhase, ...]
    jobs: tuple[SimulatedJob, ...] = ()
    branch: str = "main"
    event: str = "push"
    started_at: str = _SOME_TIME
    """in RFC 3339 format; shown also as the time at which it ended"""


@dataclass(frozen=True)
class SimulatedStatus:
    """A commit status, posted at a moment."""

    id: int
    sha: str
    context: str
    state: str
    at: float = 0.0
    description: str = ""
    url: str = ""


@dataclass
class ForgeReports:
    """The runs and the statuses of one repository."""

    runs: list[SimulatedRun] = field(default_factory=list)
    statuses: list[SimulatedStatus] = field(default_factory=list)


class ReportPage(NamedTuple):
    """A page of a list, and the number of all rows, which X-Total-Count shows."""

    rows: list[dict[str, Any]]
    total: int


def list_runs(reports: ForgeReports, query: Mapping[str, str], now: float, base_url: str) -> ReportPage:
    """Return a page of the runs of a commit, the newest first."""
    chosen = [
        (run, phase)
        for run in reversed(reports.runs)
        if (phase := find_phase(run.phases, now))
        and query.get("head_sha", run.sha) == run.sha
        and query.get("event", run.event) == run.event
    ]
    return _cut_page([_encode_run(run, phase, base_url) for run, phase in chosen], query)


def list_jobs(reports: ForgeReports, run_id: str, query: Mapping[str, str], now: float) -> ReportPage | None:
    """Return a page of the jobs of a run; None if the run does not exist."""
    run = next((run for run in reports.runs if str(run.id) == run_id), None)
    if run is None:
        return None
    found = [_encode_job(job, phase) for job in run.jobs if (phase := find_phase(job.phases, now))]
    return _cut_page(found, query)


def find_log(reports: ForgeReports, job_id: str, now: float) -> str | None:
    """Return the log of a job that has begun; None: a 404."""
    jobs = (job for run in reports.runs for job in run.jobs if str(job.id) == job_id)
    job = next(jobs, None)
    phase = find_phase(job.phases, now) if job else None
    return job.log if job and job.log and phase and phase.status in {"in_progress", "completed"} else None


def list_statuses(reports: ForgeReports, sha: str, query: Mapping[str, str], now: float) -> ReportPage:
    """Return a page of the statuses of a commit, the newest first."""
    posted = [one for one in reports.statuses if one.sha == sha and one.at <= now]
    rows = [
        {
            "id": one.id,
            "status": one.state,
            "target_url": one.url,
            "description": one.description,
            "context": one.context,
            "created_at": _SOME_TIME,
            "updated_at": _SOME_TIME,
        }
        for one in sorted(posted, key=lambda one: -one.id)
    ]
    return _cut_page(rows, query)


def find_phase(phases: tuple[RunPhase, ...], now: float) -> RunPhase | None:
    """Return the phase at a moment; None before the first."""
    past = [phase for phase in phases if phase.at <= now]
    return past[-1] if past else None


def _cut_page(rows: list[dict[str, Any]], query: Mapping[str, str]) -> ReportPage:
    limit, page = min(int(query.get("limit", "30")), 50), int(query.get("page", "1"))
    return ReportPage(rows[(page - 1) * limit : page * limit], len(rows))


def _encode_run(run: SimulatedRun, phase: RunPhase, base_url: str) -> dict[str, Any]:
    found = {
        "id": run.id,
        "html_url": f"{base_url}/acme/app/actions/runs/{run.id}",
        "display_title": "change",
        "path": f"{run.workflow}@refs/heads/{run.branch}",
        "event": run.event,
        "run_attempt": 0,
        "run_number": run.id,
        "head_sha": run.sha,
        "head_branch": run.branch,
        "status": phase.status,
        "started_at": ZERO_TIME if phase.status == "queued" else run.started_at,
        "completed_at": ZERO_TIME if phase.status == "queued" else run.started_at,
    }
    return found | ({"conclusion": phase.conclusion} if phase.conclusion else {})


def _encode_job(job: SimulatedJob, phase: RunPhase) -> dict[str, Any]:
    state = {"status": phase.status} | ({"conclusion": phase.conclusion} if phase.conclusion else {})
    has_steps = phase.status == "completed" and phase.conclusion != "skipped"
    steps = [
        {"name": name, "number": number, "started_at": _SOME_TIME, "completed_at": _SOME_TIME}
        | ({"status": "completed", "conclusion": "success"} if number + 1 < len(job.steps) else state)
        for number, name in enumerate(job.steps if has_steps else ())
    ]
    return {"id": job.id, "name": job.name, "steps": steps, "started_at": ZERO_TIME, "completed_at": ZERO_TIME} | state
