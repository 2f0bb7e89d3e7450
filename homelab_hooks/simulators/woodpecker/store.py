"""The data of the simulated Woodpecker: repositories, users, and pipelines, and actions on pipelines."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

from homelab_hooks.simulators.woodpecker.replay import PipelineReplay
from homelab_hooks.simulators.woodpecker.script import (
    ACTIVE_STATES,
    PipelineSnapshot,
    PipelineTimeline,
    approve_timeline,
    cancel_timeline,
    decline_timeline,
    find_end,
    take_snapshot,
)
from homelab_hooks.simulators.woodpecker.timelines import make_green, restart_timeline

SUPERSEDE_DELAY_S = 0.1
"""seconds from `pending` of a newer pipeline to the end of the older one (recording 08-superseded)"""


class Permission(IntEnum):
    """The permission of a user for a repository."""

    NONE = 0
    PULL = 1
    PUSH = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedRepo:
    """A repository that is active in Woodpecker."""

    id: int
    full_name: str
    remote_id: int = 42
    default_branch: str = "main"
    visibility: str = "public"
    active: bool = True
    config_file: str = ""
    """the path of the configuration, if it is not one of the default paths"""
    cancel_previous: frozenset[str] = frozenset({"push", "pull_request"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedUser:
    """A user with a token; `permissions` by the full name of the repository, in lower case."""

    id: int
    login: str
    token: str = field(repr=False)
    admin: bool = False
    permissions: Mapping[str, Permission] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRow:
    """A pipeline; `created` in server seconds; actions change `timeline`, but not `original_timeline`."""

    id: int
    number: int
    repo_id: int
    commit: str
    created: float
    timeline: PipelineTimeline
    original_timeline: PipelineTimeline
    first_workflow: int
    first_step: int
    branch: str = "main"
    event: str = "push"
    ref: str = "refs/heads/main"
    refspec: str = ""
    author: str = "alice"
    message: str = "a change\n"
    parent: int = 0
    rerun_count: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    """further JSON fields: cron, variables, title, from_fork, tag_title"""
    _snapshots: dict[int, PipelineSnapshot | None] = field(default_factory=dict, init=False, compare=False, repr=False)
    """by the number of frames that are over: a list of a thousand pipelines is read many times"""
    _frame_times: list[float] = field(default_factory=list, init=False, compare=False, repr=False)
    listed: dict[tuple[str, float, int], dict[str, Any]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """as JSON objects of a list, by the server's version, its start, and the snapshot's identity"""

    def __post_init__(self) -> None:
        """Keep the times of the frames for the search in `at`."""
        self._frame_times.extend(frame.t for frame in self.timeline.frames)

    def at(self, t: float) -> PipelineSnapshot | None:
        """Return the pipeline at `t` (server seconds); None: not created yet, or deleted."""
        age = t - self.created
        past = bisect_right(self._frame_times, age)
        if past not in self._snapshots:
            self._snapshots[past] = take_snapshot(self.timeline, age) if age >= 0 else None
        return self._snapshots[past]

    @property
    def ended(self) -> float | None:
        """Return when it reaches its final status, in server seconds; None if it does not."""
        end = find_end(self.timeline)
        return None if end is None else self.created + end


@dataclass(slots=True)
class PipelineStore:
    """All repositories, users, and pipelines. Not thread-safe: the server guards it with a lock.

    Attributes:
        wall: Unix time at server second 0.
        manual_timeline: the timeline of manual pipelines.
        concurrency: the limits of workflows that have one, by name, as the queue shows them (since 3.16).
    """

    repositories: list[SimulatedRepo]
    users: list[SimulatedUser]
    wall: float
    version: str = "3.17.0"
    rows: list[PipelineRow] = field(default_factory=list)
    replays: dict[int, PipelineReplay] = field(default_factory=dict)
    tips: dict[tuple[int, str], str] = field(default_factory=dict)
    manual_timeline: PipelineTimeline = field(default_factory=make_green)
    workers: int = 1
    paused: bool = False
    concurrency: dict[str, int] = field(default_factory=dict)
    _ids: dict[str, int] = field(default_factory=lambda: {"pipeline": 4711, "workflow": 901, "step": 5001})

    def repository(self, name: str) -> SimulatedRepo | None:
        """Return the repository with this full name, case-insensitive; None if there is none."""
        return next((r for r in self.repositories if r.full_name.lower() == name.lower()), None)

    def permission_of(self, repo: SimulatedRepo, user: SimulatedUser | None) -> Permission:
        """Return the permission of a user; public repositories can be read without one."""
        own = user.permissions.get(repo.full_name.lower(), Permission.NONE) if user else Permission.NONE
        return max(own, Permission.PULL) if repo.visibility == "public" else own

    def rows_at(self, repo_id: int, t: float) -> list[tuple[PipelineRow, PipelineSnapshot]]:
        """Return the pipelines that exist at `t` (server seconds), newest first."""
        existing = [(row, now) for row in self.rows if row.repo_id == repo_id and (now := row.at(t)) is not None]
        return sorted(existing, key=lambda pair: -pair[0].number)

    def find_row(self, repo_id: int, number: int, t: float) -> PipelineRow | None:
        """Return the pipeline with this number at `t` (server seconds); None if there is none."""
        named = (row for row in self.rows if (row.repo_id, row.number) == (repo_id, number))
        return next((row for row in named if row.at(t) is not None), None)

    def add(self, repo: SimulatedRepo, timeline: PipelineTimeline, t: float, **facts: Any) -> PipelineRow | None:
        """Create a pipeline for a webhook, unless the timeline is empty; `facts`: commit, branch, event, ref, ..."""
        if facts.get("event", "push") == "push":
            self.tips[repo.id, facts.get("branch", "main")] = facts["commit"]
        if not timeline.frames:
            return None
        row = PipelineRow(
            id=self._take("pipeline", 1),
            number=self._last_number(repo.id, t) + 1,
            repo_id=repo.id,
            created=t,
            timeline=timeline,
            original_timeline=timeline,
            first_workflow=self._take("workflow", _max_children(timeline, workflows=1, steps=0)),
            first_step=self._take("step", _max_children(timeline, workflows=0, steps=1)),
            **facts,
        )
        self.rows.append(row)
        self._supersede(repo, row)
        return row

    def _last_number(self, repo_id: int, t: float) -> int:
        last = 0
        for row in reversed(self.rows):  # the newest first, so that few others are looked at
            if row.number > last and row.repo_id == repo_id and row.at(t) is not None:
                last = row.number
        return last

    def restart(self, repo: SimulatedRepo, row: PipelineRow, t: float) -> PipelineRow | None:
        """Create a new pipeline for the same commit, unless it is filtered out; a config error remains one."""
        timeline = row.original_timeline.on_restart or restart_timeline(
            row.original_timeline.on_approval or row.original_timeline
        )
        stale = row.at(t)
        if stale is not None and stale.cancel_info and timeline.frames:
            timeline = replace(timeline, frames=_with_info(timeline, stale.cancel_info))
        return self.add(
            repo,
            replace(timeline, on_restart=timeline.on_restart or row.original_timeline.on_restart),
            t,
            commit=row.commit,
            branch=row.branch,
            event=row.event,
            ref=row.ref,
            refspec=row.refspec,
            author=row.author,
            message=row.message,
            extra=row.extra,
            parent=row.number,
            rerun_count=row.rerun_count + 1,
        )

    def cancel(self, row: PipelineRow, t: float, by: str) -> None:
        """Cancel a pipeline as the user `by`."""
        self._change(row, cancel_timeline(row.timeline, t - row.created, (("canceled_by_user", by),)))

    def approve(self, repo: SimulatedRepo, row: PipelineRow, t: float, by: str) -> PipelineRow:
        """Approve a pipeline as the user `by`; its workflows and steps get new IDs."""
        timeline = approve_timeline(row.timeline, t - row.created, by)
        flows, steps = _max_children(timeline, workflows=1, steps=0), _max_children(timeline, workflows=0, steps=1)
        new = replace(
            row,
            timeline=timeline,
            first_workflow=self._take("workflow", flows),
            first_step=self._take("step", steps),
        )
        self.rows[self.rows.index(row)] = new
        self._supersede(repo, new)
        return new

    def decline(self, row: PipelineRow, t: float, by: str) -> PipelineRow:
        """Decline a pipeline as the user `by`."""
        return self._change(row, decline_timeline(row.timeline, t - row.created, by))

    def delete(self, row: PipelineRow) -> None:
        """Delete a pipeline, as an admin or the retention policy does."""
        self.rows.remove(row)

    def _change(self, row: PipelineRow, timeline: PipelineTimeline) -> PipelineRow:
        new = replace(row, timeline=timeline)
        self.rows[self.rows.index(row)] = new
        return new

    def _supersede(self, repo: SimulatedRepo, new: PipelineRow) -> None:
        start = next((f.t for f in new.timeline.frames if f.status in {"pending", "running"}), None)
        if start is None or new.event not in repo.cancel_previous:
            return
        when = new.created + start + SUPERSEDE_DELAY_S
        for row in list(self.rows):
            same = (row.repo_id, row.event, row.branch, row.refspec) == (repo.id, new.event, new.branch, new.refspec)
            now = row.at(when) if same and row.id != new.id else None
            if now is not None and now.status in ACTIVE_STATES:
                self._change(row, cancel_timeline(row.timeline, when - row.created, (("superseded_by", new.number),)))

    def _take(self, kind: str, count: int) -> int:
        first = self._ids[kind]
        self._ids[kind] += count
        return first


def _max_children(timeline: PipelineTimeline, *, workflows: int, steps: int) -> int:
    """Return the maximum number of workflows or steps in any frame, including those after an approval."""
    every = (*timeline.frames, *(timeline.on_approval.frames if timeline.on_approval else ()))
    return max(
        (sum(workflows + steps * len(flow.steps) for flow in frame.workflows or ()) for frame in every), default=0
    )


def _with_info(timeline: PipelineTimeline, info: tuple[tuple[str, str | int], ...]) -> tuple[Any, ...]:
    # a restart keeps the old cancel_info (recording 10-restart)
    first, *rest = timeline.frames
    return (replace(first, cancel_info=info), *rest)
