"""Decides what to restart for a commit, and whether that would cancel the run of a newer one."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, RunRef, Status
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.watch.ruling import NEEDS_WEBHOOK
from homelab_hooks.watch.snapshot import CommitSnapshot
from homelab_hooks.watch.state import WatchScope

_RESTARTABLE = {Status.FAILURE, Status.KILLED, Status.CANCELED}
_ACTIVE = {Status.CREATED, Status.PENDING, Status.RUNNING, Status.BLOCKED}


class Rerun(NamedTuple):
    """Run these pipelines again."""

    runs: tuple[RunRef, ...]
    misconfigured: tuple[Pipeline, ...] = ()
    """pipelines that failed too, and that a restart cannot help"""


class StartManually(NamedTuple):
    """Start a manual pipeline on the tip of this branch."""

    branch: str


class NothingToDo(NamedTuple):
    """There is nothing to restart."""

    reason: str


RestartPlan = Rerun | StartManually | NothingToDo


class ManualRun(NamedTuple):
    """Whether a manual pipeline is wanted, and what is known about it."""

    is_requested: bool = False
    branches: tuple[str, ...] = ()
    """branches of the remote whose tip is this commit"""
    has_config: bool = True
    """the commit has a pipeline configuration, or that is not known"""


def plan_restart(snapshot: CommitSnapshot, sha: str, *, manual: ManualRun, force: bool) -> RestartPlan:
    """Return what to do. Raises CommandError (refused) if it would cancel a newer commit's run, or cannot help.

    Args:
        force: restart even if that cancels a newer commit's run.
    """
    if manual.is_requested:
        return _plan_manual_run(snapshot, manual.branches)
    if not snapshot.tracks:
        raise _make_no_pipeline_error(snapshot, manual)
    failed = [track.pipeline for track in snapshot.tracks if track.pipeline.status in _RESTARTABLE]
    misconfigured = [snapshot.detail(track) for track in snapshot.tracks if track.pipeline.status is Status.ERROR]
    if not failed and misconfigured:
        raise make_misconfigured_error(misconfigured[0])
    cancelled = [other for pipeline in failed for other in _pipelines_it_would_cancel(pipeline, snapshot.rows, sha)]
    if cancelled and not force:
        raise CommandError(
            f"a restart would cancel {cancelled[0].run}, the run of the newer commit {short_sha(cancelled[0].commit)}",
            hint=f"wait until {cancelled[0].run} ends, or pass --force",
            exit=ExitCode.REFUSED,
        )
    if not failed:
        statuses = ", ".join(f"{track.run} is {track.pipeline.status}" for track in snapshot.tracks)
        return NothingToDo(f"nothing has failed: {statuses}")
    return Rerun(tuple(pipeline.run for pipeline in failed), tuple(misconfigured))


def make_misconfigured_error(pipeline: Pipeline) -> CommandError:
    """Return the error for a pipeline that a restart cannot help."""
    if pipeline.lacks_config:
        return CommandError(
            f"{pipeline.run} has no stored configuration to restart with: the forge did not return it",
            hint=NEEDS_WEBHOOK,
            exit=ExitCode.REFUSED,
        )
    return CommandError(
        f"{pipeline.run} has a configuration error: a restart uses the stored configuration, not the fixed one",
        hint="fix the configuration and push a commit",
        exit=ExitCode.REFUSED,
    )


def _pipelines_it_would_cancel(pipeline: Pipeline, rows: tuple[Pipeline, ...], sha: str) -> list[Pipeline]:
    """Return the runs that the server would cancel: active ones of the same event and branch (recording 10-restart)."""
    return [
        row
        for row in rows
        if row.status in _ACTIVE
        and row.commit != sha
        and row.number > pipeline.number
        and (row.event, row.branch) == (pipeline.event, pipeline.branch)
    ]


def _make_no_pipeline_error(snapshot: CommitSnapshot, manual: ManualRun) -> CommandError:
    """Return the error for a commit without a pipeline, with its remedies.

    A manual pipeline is started only on request: other workflows may run, and path conditions do not apply.
    """
    verdict, scope = snapshot.verdict, snapshot.state.scope
    if verdict.exit is not ExitCode.NO_PIPELINE:
        return CommandError(verdict.reason, hint=verdict.hint, exit=verdict.exit)
    is_possible = manual.branches and manual.has_config and not _is_tag(scope) and snapshot.state.repo_active
    other = "; --manual starts a manual pipeline, which may run other workflows" if is_possible else ""
    return CommandError(f"nothing to restart: {verdict.reason}", hint=verdict.hint + other, exit=ExitCode.REFUSED)


def _plan_manual_run(snapshot: CommitSnapshot, branches: tuple[str, ...]) -> StartManually:
    """Plan a manual run; only for the tip of a branch without a pipeline, because that is what a manual run builds."""
    verdict = snapshot.verdict
    if snapshot.tracks:
        run = snapshot.tracks[0].pipeline
        raise CommandError(
            f"the commit has a pipeline: {run.run} is {run.status}; --manual is for a commit without one",
            hint="to restart failed pipelines, run: homelab ci restart",
            exit=ExitCode.REFUSED,
        )
    if verdict.exit is not ExitCode.NO_PIPELINE:
        raise CommandError(verdict.reason, hint=verdict.hint, exit=verdict.exit)
    if _is_tag(snapshot.state.scope):
        raise CommandError(
            f"{verdict.reason}; a manual pipeline builds the tip of a branch, never a tag",
            hint="delete the tag on the forge, and push it again",
            exit=ExitCode.REFUSED,
        )
    if not branches:
        raise CommandError(
            f"{verdict.reason}; a manual pipeline would build another commit, because this is not the tip of a branch",
            hint=verdict.hint,
            exit=ExitCode.REFUSED,
        )
    return StartManually(branches[0])


def _is_tag(scope: WatchScope) -> bool:
    return bool(scope.tag or scope.tag_objects)
