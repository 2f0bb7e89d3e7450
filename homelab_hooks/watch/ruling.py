"""Determines the result of one pipeline, or what is still missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from homelab_hooks.ci.model import Pipeline, RunRef, Status
from homelab_hooks.config.schema import Superseded
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.containment import Containment
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.watch.failed_step import describe_failure, find_remedy
from homelab_hooks.watch.named_workflows import evaluate_workflows
from homelab_hooks.watch.no_pipeline import LOST_WEBHOOK_HINT
from homelab_hooks.watch.result import Ruling, Undecided
from homelab_hooks.watch.state import CiWatchState, PipelineTrack
from homelab_hooks.watch.supersede import describe_stopped, find_doubt, find_left_out

DETAIL_WAIT_S = 5.0
"""seconds to wait for a pipeline's detail once the list has decided"""
SUCCESSOR_WAIT_S = 10.0
"""seconds to look for a superseding pipeline before it counts as not found"""
CONTAINMENT_WAIT_S = 60.0
"""seconds to fetch the newer commit, while fetches fail, before it counts as unknown"""
EVIDENCE_WAIT_S = 10.0
"""seconds to wait for the workflows of both pipelines before they count as unknown"""


def evaluate_pipeline(
    track: PipelineTrack, watch: CiWatchState, rows: tuple[Pipeline, ...], now: float
) -> Ruling | Undecided:
    """Return the result of a tracked pipeline, or what is still needed to determine it.

    Args:
        rows: all pipelines that are known now.
    """
    pipeline = track.pipeline
    if watch.scope.workflows and (named := _rule_named(track, watch, now)) is not None:
        return named
    match pipeline.status:
        case Status.CREATED | Status.PENDING | Status.RUNNING | Status.UNKNOWN:
            return Undecided.RUNNING
        case Status.SUCCESS if watch.rules.needs_workflows and not _has_workflows(track):
            return _rule_unlisted(track, watch, now)
        case Status.SUCCESS | Status.FAILURE | Status.ERROR:
            return _rule_finished(track, watch, now)
        case Status.KILLED | Status.CANCELED:
            return _rule_cancelled(track, watch, rows, now)
        case Status.BLOCKED | Status.DECLINED | Status.SKIPPED:
            return _rule_not_run(pipeline)
        case _:
            assert_never(pipeline.status)


def _rule_named(track: PipelineTrack, watch: CiWatchState, now: float) -> Ruling | Undecided | None:
    """Determine the result from the named workflows; None if they have none, and the pipeline's status counts.

    The list says nothing about a workflow, so the detail of an ended pipeline is waited for as long as for a server
    that does not respond.
    """
    status = track.pipeline.status
    if status in {Status.ERROR, Status.BLOCKED, Status.DECLINED, Status.SKIPPED}:
        return None
    detail = track.final_detail if status.is_final else track.known_detail
    about = watch.scope.tag or watch.scope.sha
    found = evaluate_workflows(detail, watch.scope.workflows, about) if detail else None
    if found or not status.is_final or (detail and status.is_cancelled):
        return found
    if track.final_at is None or now - track.final_at < watch.timeouts.unreachable:
        return Undecided.DETAIL
    if status.is_cancelled:
        return None
    reason = f"{track.run} has ended, but the server does not show the result of {', '.join(watch.scope.workflows)}"
    return Ruling(exit=ExitCode.UNREACHABLE, reason=reason, hint="run the same command again")


def _rule_not_run(pipeline: Pipeline) -> Ruling:
    number = str(pipeline.run)
    if pipeline.status is Status.BLOCKED:
        return Ruling(
            exit=ExitCode.BLOCKED,
            reason=f"{number} is waiting for approval",
            hint=f"approve the pipeline: {pipeline.url}",
        )
    if pipeline.status is Status.DECLINED:
        who = f" by {pipeline.reviewed_by}" if pipeline.reviewed_by else ""
        return Ruling(exit=ExitCode.CANCELLED, reason=f"{number} was declined{who}")
    if pipeline.raw_status not in {"", Status.SKIPPED}:
        return Ruling(ExitCode.NO_PIPELINE, f"{number} ended as {pipeline.raw_status}, which proves nothing")
    return Ruling(exit=ExitCode.NO_PIPELINE, reason=f"{number} was skipped: nothing ran")


def _rule_finished(track: PipelineTrack, watch: CiWatchState, now: float) -> Ruling | Undecided:
    """Determine the result of a pipeline that has run: check success against the workflows, and name a failed step."""
    pipeline, detail = track.pipeline, track.final_detail
    if detail is None and track.final_at is not None and now - track.final_at < DETAIL_WAIT_S:
        return Undecided.DETAIL
    number = str(pipeline.run)
    if pipeline.status is Status.ERROR:
        return Ruling(
            exit=ExitCode.FAILED,
            reason=f"{number} could not run: {_config_error_text(detail or pipeline)}",
            hint=NEEDS_WEBHOOK if (detail or pipeline).lacks_config else _NEEDS_PUSH,
        )
    is_checked = pipeline.status is not Status.SUCCESS or watch.rules.checks_workflows
    failed = detail.failed_workflows if detail and is_checked else ()
    if pipeline.status is Status.SUCCESS and not failed:
        if skipped := find_left_out(track.repeats, detail):
            reason = (
                f"{number} passed, but skipped workflow {skipped}, which had begun in a pipeline that it superseded"
            )
            return Ruling(exit=ExitCode.SUPERSEDED, reason=reason, hint=_make_restart_hint(track, watch))
        ran = not detail or not detail.workflows or any(w.state is not Status.SKIPPED for w in detail.workflows)
        return Ruling(exit=ExitCode.OK, reason=f"{number} passed" + ("" if ran else " (every workflow was skipped)"))
    if pipeline.status is Status.SUCCESS:
        return Ruling(exit=ExitCode.FAILED, reason=f"{number} reported success, but {describe_failure(failed)}")
    hint = find_remedy(failed, watch.scope.tag or watch.scope.sha)
    words = describe_failure(failed) if failed else pipeline.description
    cause = f": {words}" if words else ""
    return Ruling(exit=ExitCode.FAILED, reason=f"{number} failed{cause}", hint=hint)


def _has_workflows(track: PipelineTrack) -> bool:
    return bool(track.final_detail and track.final_detail.workflows)


def _rule_unlisted(track: PipelineTrack, watch: CiWatchState, now: float) -> Ruling | Undecided:
    """Determine the result of a pipeline that reports success, while its workflows cannot be listed: never success."""
    detail = track.final_detail
    claim = f"{track.run} reports success, but its jobs cannot be listed"
    if detail and detail.hidden_workflows:
        hint = "use a token that may read the repository's Actions, or follow status:REMOTE:CONTEXT"
        return Ruling(ExitCode.DENIED, f"{claim}: {detail.hidden_workflows}", hint)
    if track.final_at is None or now - track.final_at < watch.timeouts.unreachable:
        return Undecided.DETAIL
    return Ruling(ExitCode.UNREACHABLE, claim, "run the same command again")


def pass_skipped(rulings: Mapping[PipelineTrack, Ruling | Undecided]) -> dict[PipelineTrack, Ruling | Undecided]:
    """Return the results where a skipped pipeline passes, because another one has succeeded."""
    has_passed = any(isinstance(ruling, Ruling) and ruling.exit is ExitCode.OK for ruling in rulings.values())
    return {
        track: ruling._replace(exit=ExitCode.OK)
        if has_passed and isinstance(ruling, Ruling) and track.pipeline.status is Status.SKIPPED
        else ruling
        for track, ruling in rulings.items()
    }


_NEEDS_PUSH = "fix the configuration and push a new commit; a restart uses the stored configuration"
NEEDS_WEBHOOK = f"once the forge responds, {LOST_WEBHOOK_HINT}"
"""the hint if the forge did not return the configuration: none is stored for a restart, and there is nothing to fix"""


def _config_error_text(pipeline: Pipeline) -> str:
    found = [error for error in pipeline.config_errors if not error.is_warning] or list(pipeline.config_errors)
    return found[0].message.splitlines()[0] if found and found[0].message else "the server gave no reason"


def _rule_cancelled(
    track: PipelineTrack, watch: CiWatchState, rows: tuple[Pipeline, ...], now: float
) -> Ruling | Undecided:
    """Determine the result of a cancelled pipeline: a failure if a step cancelled it; else by the newer commit."""
    pipeline = track.pipeline
    cancellation = pipeline.cancellation
    if cancellation and cancellation.by_step:
        return Ruling(
            exit=ExitCode.FAILED, reason=f"{pipeline.run} failed: step {cancellation.by_step} cancelled the rest"
        )
    if superseding := find_superseding_run(pipeline, rows):
        newer = next((row for row in rows if row.run == superseding), None)
        if newer is not None:
            return _rule_superseded(track, watch, newer, now)
        if watch.list_inconsistent or track.final_at is None or now - track.final_at < SUCCESSOR_WAIT_S:
            return Undecided.SUCCESSOR
        return _make_superseded(track, watch, f"{superseding}, which cannot be found")
    who = f" by {cancellation.by_user}" if cancellation and cancellation.by_user else ""
    return Ruling(
        exit=ExitCode.CANCELLED,
        reason=f"{pipeline.run} was cancelled{who}",
        hint=watch.rules.rerun_hint,
    )


def find_superseding_run(pipeline: Pipeline, rows: tuple[Pipeline, ...]) -> RunRef | None:
    """Return the pipeline that superseded this one; None if none did.

    If the provider does not report it, the next newer pipeline of the same event and branch counts. Only a newer one
    supersedes: a response that names the pipeline itself or an older one would be followed in a circle.
    """
    reported = pipeline.cancellation.superseded_by if pipeline.cancellation else None
    if reported and not any(row.run == reported and row.number <= pipeline.number for row in (pipeline, *rows)):
        return reported
    if (pipeline.cancellation and pipeline.cancellation.by_user) or pipeline.reports_cancellation:
        return None
    later = [
        row
        for row in rows
        if row.number > pipeline.number and (row.event, row.branch) == (pipeline.event, pipeline.branch)
    ]
    oldest = min(later, key=lambda row: row.number, default=None)
    return oldest.run if oldest else None


def _waits_for_commit(track: PipelineTrack, watch: CiWatchState, now: float) -> bool:
    """Return whether a fetch of the newer commit may still succeed; a one-shot command uses the local commits."""
    return not watch.timeouts.one_poll and track.final_at is not None and now - track.final_at < CONTAINMENT_WAIT_S


def _rule_superseded(track: PipelineTrack, watch: CiWatchState, newer: Pipeline, now: float) -> Ruling | Undecided:
    """Determine the result of a superseded pipeline from the newer one's commit, which may be an older commit."""
    if newer.commit in watch.scope.commits or newer.commit == track.pipeline.commit:
        return Undecided.FOLLOW
    match watch.containment.get(newer.commit):
        case None:
            return Undecided.CONTAINMENT
        case Containment.CONTAINS:
            return _rule_contained(track, watch, newer, now)
        case Containment.NOT_CONTAINED:
            relation = f"whose commit {short_sha(newer.commit)} does not contain it"
        case Containment.UNKNOWN if _waits_for_commit(track, watch, now):
            return Undecided.CONTAINMENT
        case _:
            relation = f"whose commit {short_sha(newer.commit)} is not in this repository, so it cannot be checked"
    return _make_superseded(track, watch, f"{newer.run}, {relation}")


def _rule_contained(track: PipelineTrack, watch: CiWatchState, newer: Pipeline, now: float) -> Ruling | Undecided:
    """Determine whether the newer pipeline, whose commit contains the watched one, counts as a repetition."""
    if watch.scope.superseded is Superseded.FOLLOW:
        return Undecided.FOLLOW
    if watch.scope.superseded is Superseded.FAIL:
        return _make_superseded(track, watch, f"{newer.run}, which is not followed (--superseded fail)")
    detail = watch.newer_details.get(newer.run)
    theirs = detail if detail and detail.commit == newer.commit else None
    is_waiting = track.final_at is not None and now - track.final_at < EVIDENCE_WAIT_S
    lacks_detail = theirs is None or track.final_detail is None
    lacks_config = not {track.pipeline.commit, newer.commit} <= watch.dependence.keys()
    if lacks_config or (lacks_detail and is_waiting):
        return Undecided.EVIDENCE
    doubt = find_doubt(track.final_detail, theirs, watch.dependence, watch.scope.workflows)
    if not doubt:
        return Undecided.FOLLOW
    return _make_superseded(track, watch, f"{newer.run}, which may not repeat it: {doubt}")


def _make_superseded(track: PipelineTrack, watch: CiWatchState, by: str) -> Ruling:
    stopped = describe_stopped(track.final_detail)
    done = f"stopped{stopped} and superseded" if stopped else "superseded"
    return Ruling(
        exit=ExitCode.SUPERSEDED,
        reason=f"{track.run} was {done} by {by}",
        hint=_make_restart_hint(track, watch),
    )


def _make_restart_hint(track: PipelineTrack, watch: CiWatchState) -> str:
    """Return what to do about work that was stopped: a restart would stop a newer pipeline that runs."""
    about = watch.scope.tag or watch.scope.sha
    branch = f" of {track.pipeline.branch}" if track.pipeline.branch else ""
    return f"once no newer pipeline{branch} is running, run: homelab ci restart {about}"
