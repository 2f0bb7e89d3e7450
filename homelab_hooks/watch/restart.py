"""What to start again for a commit, and whether that would harm a newer one: a pure decision."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.errors import Problem
from homelab_hooks.exits import Exit
from homelab_hooks.model import Pipeline, Status
from homelab_hooks.watch.survey import Survey

_AGAIN = {Status.FAILURE, Status.KILLED, Status.CANCELED}
_ACTIVE = {Status.CREATED, Status.PENDING, Status.RUNNING, Status.BLOCKED}


class Retrigger(NamedTuple):
    """Start these numbers again."""

    numbers: tuple[int, ...]


class StartManually(NamedTuple):
    """Start a manual pipeline on the tip of this branch."""

    branch: str


class Nothing(NamedTuple):
    """There is nothing to restart."""

    reason: str


Plan = Retrigger | StartManually | Nothing


def plan(seen: Survey, sha: str, *, branches: tuple[str, ...], force: bool) -> Plan:
    """What to do. Raises Problem (refused) where it would kill a newer commit's run, or cannot help.

    Args:
        branches: those of the remote whose tip is this commit.
        force: even if a newer commit's run is killed.
    """
    if not seen.threads:
        return _without_pipeline(seen, branches)
    failed = [thread.pipeline for thread in seen.threads if thread.pipeline.status in _AGAIN]
    broken = [thread.pipeline for thread in seen.threads if thread.pipeline.status is Status.ERROR]
    if not failed and broken:
        raise Problem(
            f"#{broken[0].number} could not be configured: a restart uses the stored configuration, not a repaired one",
            hint="push a commit with the repaired configuration",
            exit=Exit.REFUSED,
        )
    victims = [victim for pipeline in failed for victim in _victims(pipeline, seen.rows, sha)]
    if victims and not force:
        raise Problem(
            f"a restart would kill #{victims[0].number}, the run of the newer commit {victims[0].commit[:8]}",
            hint="wait for its end, or --force",
            exit=Exit.REFUSED,
        )
    if not failed:
        told = ", ".join(f"#{thread.number} is {thread.pipeline.status}" for thread in seen.threads)
        return Nothing(f"nothing has failed: {told}")
    return Retrigger(tuple(pipeline.number for pipeline in failed))


def _victims(pipeline: Pipeline, rows: tuple[Pipeline, ...], sha: str) -> list[Pipeline]:
    """What the server would cancel: any active run of the same event and branch (measured, B4)."""
    return [
        row
        for row in rows
        if row.status in _ACTIVE
        and row.commit != sha
        and row.number > pipeline.number
        and (row.event, row.branch) == (pipeline.event, pipeline.branch)
    ]


def _without_pipeline(seen: Survey, branches: tuple[str, ...]) -> Plan:
    """A lost webhook: a manual run, but only of a tip, for that is what a manual run builds."""
    if seen.verdict.exit is not Exit.NO_PIPELINE:
        raise Problem(seen.verdict.reason, hint=seen.verdict.hint, exit=seen.verdict.exit)
    if not branches:
        raise Problem(
            f"{seen.verdict.reason}; a manual pipeline would build another commit, for this is no tip of a branch",
            hint=seen.verdict.hint,
            exit=Exit.NO_PIPELINE,
        )
    return StartManually(branches[0])
