"""Reads the JSON of Actions into the CI model.

GitHub and Gitea: `status` and `conclusion` (GitHub's REST documentation, "Workflow runs" and "Workflow jobs"; Gitea
1.26 in forge recordings 07 to 07h). Forgejo 16: `commit_sha`, `prettyref`, `workflow_id`, and one `status` (ActionRun
and ActionRunJob in modules/structs/action.go). GitHub's and Forgejo's were not seen on a real server. The reader is
chosen by field.
"""

from __future__ import annotations

from homelab_hooks.ci.forge_api import AttemptCounter, read_status
from homelab_hooks.ci.model import Pipeline, RunRef, Status, Step, Workflow
from homelab_hooks.text.json_fields import (
    Json,
    UnexpectedShape,
    read_display_text,
    read_list,
    read_number,
    read_object,
    read_text,
    read_time,
)

_BRANCH_PREFIX = "refs/heads/"


def parse_runs(raw: object, attempts: AttemptCounter) -> tuple[Pipeline, ...]:
    """Read a page of the list. Raises UnexpectedShape."""
    return read_list(read_object(raw).get("workflow_runs") or [], lambda item: _parse_run(item, attempts))


def _parse_run(raw: object, attempts: AttemptCounter) -> Pipeline:
    json = read_object(raw)
    is_forgejo = "commit_sha" in json
    number = read_number(json, "id", required=True)
    status, word = read_status(json)
    if is_forgejo and json.get("need_approval") is True and not status.is_final:
        status, word = Status.BLOCKED, "need_approval"
    path, _, ref = read_display_text(json, "workflow_id" if is_forgejo else "path").partition("@")
    branch = read_text(json, "prettyref") if is_forgejo else _read_branch(json, ref)
    attempt = attempts.count(number, status, reported=read_number(json, "run_attempt"))
    event = read_text(json, "event", required=True)
    workflow = path.rpartition("/")[2]
    return Pipeline(
        run=_make_run_ref(number, attempt, workflow),
        number=number,
        attempt=attempt,
        group=(path or number, event, ref),
        event=event,
        ref=ref,
        branch=branch,
        commit=read_text(json, "commit_sha" if is_forgejo else "head_sha", required=True).lower(),
        status=status,
        raw_status=word,
        message=read_text(json, "title" if is_forgejo else "display_title"),
        created=read_time(json, "created_at", "created"),
        started=read_time(json, "run_started_at", "started_at", "started"),
        finished=read_time(json, "completed_at", "updated_at", "stopped") if status.is_final else 0,
        updated=read_time(json, "updated_at", "updated"),
        reports_cancellation=True,
        url=read_display_text(json, "html_url"),
    )


def _make_run_ref(number: int, attempt: int, workflow: str) -> RunRef:
    """Return the reference to an attempt of a run: a run that is repeated keeps its number."""
    words = [word for word in (workflow, f"attempt {attempt}" if attempt > 1 else "") if word]
    return RunRef((number, attempt), f"#{number} ({', '.join(words)})" if words else f"#{number}")


def _read_branch(json: Json, ref: str) -> str:
    """Return the branch of a push; `path` names the full ref (Gitea), and a tag's run has no branch."""
    if ref.startswith("refs/"):
        return ref.removeprefix(_BRANCH_PREFIX) if ref.startswith(_BRANCH_PREFIX) else ""
    return read_text(json, "head_branch")


def parse_jobs(raw: object) -> tuple[Workflow, ...]:
    """Read the jobs of a run: `{"jobs": [...]}`, or a list. Raises UnexpectedShape."""
    jobs = raw if isinstance(raw, list) else read_object(raw).get("jobs")
    if jobs is None:
        raise UnexpectedShape("jobs is missing")
    return read_list(jobs, _parse_job)


def _parse_job(raw: object) -> Workflow:
    json = read_object(raw)
    job, (status, _) = read_number(json, "id", required=True), read_status(json)
    steps = read_list(json.get("steps") or [], lambda item: _parse_step(item, job))
    if not steps and status.is_failed:  # it ended before its first step, or the forge does not list steps
        steps = (Step((job, 0), 1, "job", status),)
    return Workflow(
        pid=job,
        name=read_display_text(json, "name"),
        state=status,
        started=read_time(json, "started_at", "started"),
        finished=read_time(json, "completed_at", "stopped") if status.is_final else 0,
        steps=steps,
        url=read_display_text(json, "html_url"),
    )


def _parse_step(raw: object, job: int) -> Step:
    """Read a step. Its log is that of the job, up to the step's end."""
    json = read_object(raw)
    finished = read_time(json, "completed_at", "stopped")
    return Step(
        id=(job, finished),
        pid=read_number(json, "number"),
        name=read_display_text(json, "name"),
        state=read_status(json)[0],
        started=read_time(json, "started_at", "started"),
        finished=finished,
    )
