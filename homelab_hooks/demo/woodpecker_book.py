"""What the Woodpecker stand-in knows: repositories, users, pipelines, and what people do to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

from homelab_hooks.demo.script import ACTIVE, Script, Shown, approved, cancelled, declined, ended, shown
from homelab_hooks.demo.timelines import green, restart
from homelab_hooks.demo.woodpecker_replay import Replay

SUPERSEDED_AFTER = 0.1
"""seconds from a newer pipeline's `pending` to the end of the older one (measured: 0.05 to 0.3)"""


class Right(IntEnum):
    """What a user may do with a repository."""

    NONE = 0
    PULL = 1
    PUSH = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository that Woodpecker knows."""

    id: int
    full_name: str
    remote_id: int = 42
    default_branch: str = "main"
    visibility: str = "public"
    active: bool = True
    cancel_previous: frozenset[str] = frozenset({"push", "pull_request"})


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody with a token; rights by full name, in lower case."""

    id: int
    login: str
    token: str = field(repr=False)
    admin: bool = False
    rights: Mapping[str, Right] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A pipeline; `created` in the server's seconds, `script` as people changed it, `original` as it came."""

    id: int
    number: int
    repo_id: int
    commit: str
    created: float
    script: Script
    original: Script
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
    """further fields of the answer: cron, variables, title, from_fork, tag_title"""

    def at(self, t: float) -> Shown | None:
        """What it looks like at the server's second `t`; None: it is not there."""
        return shown(self.script, t - self.created) if t >= self.created else None

    @property
    def ended(self) -> float | None:
        """The server's second at which its final status comes, as things stand."""
        end = ended(self.script)
        return None if end is None else self.created + end


@dataclass(slots=True)
class Book:
    """All rows; whoever shares it between threads holds a lock around it.

    Attributes:
        wall: unix seconds at the server's second 0.
        fallback: what a manual pipeline plays.
    """

    repositories: list[Repository]
    users: list[User]
    wall: float
    version: str = "3.17.0"
    rows: list[Row] = field(default_factory=list)
    replays: dict[int, Replay] = field(default_factory=dict)
    tips: dict[tuple[int, str], str] = field(default_factory=dict)
    fallback: Script = field(default_factory=green)
    workers: int = 1
    paused: bool = False
    _ids: dict[str, int] = field(default_factory=lambda: {"pipeline": 4711, "workflow": 901, "step": 5001})

    def repository(self, name: str) -> Repository | None:
        """The repository of that name, whatever the case."""
        return next((r for r in self.repositories if r.full_name.lower() == name.lower()), None)

    def right(self, repo: Repository, user: User | None) -> Right:
        """What the user may do there; everybody may read a public one."""
        own = user.rights.get(repo.full_name.lower(), Right.NONE) if user else Right.NONE
        return max(own, Right.PULL) if repo.visibility == "public" else own

    def listed(self, repo_id: int, t: float) -> list[tuple[Row, Shown]]:
        """The rows there are at `t`, the newest first."""
        there = [(row, now) for row in self.rows if row.repo_id == repo_id and (now := row.at(t)) is not None]
        return sorted(there, key=lambda pair: -pair[0].number)

    def find(self, repo_id: int, number: int, t: float) -> Row | None:
        """The row of that number at `t`."""
        return next((row for row, _ in self.listed(repo_id, t) if row.number == number), None)

    def add(self, repo: Repository, script: Script, t: float, **facts: Any) -> Row | None:
        """A webhook came: a row, unless the script has none. Facts: commit, branch, event, ref, ..."""
        if facts.get("event", "push") == "push":
            self.tips[repo.id, facts.get("branch", "main")] = facts["commit"]
        if not script.frames:
            return None
        number = max((row.number for row, _ in self.listed(repo.id, t)), default=0) + 1
        row = Row(
            id=self._take("pipeline", 1),
            number=number,
            repo_id=repo.id,
            created=t,
            script=script,
            original=script,
            first_workflow=self._take("workflow", _most(script, workflows=1, steps=0)),
            first_step=self._take("step", _most(script, workflows=0, steps=1)),
            **facts,
        )
        self.rows.append(row)
        self._supersede(repo, row)
        return row

    def restart(self, repo: Repository, row: Row, t: float) -> Row:
        """The same commit once more, under a new number; a broken configuration stays broken."""
        script = row.original.again or restart(row.original.approved or row.original)
        stale = row.at(t)
        if stale is not None and stale.cancel_info:
            script = replace(script, frames=_with_info(script, stale.cancel_info))
        new = self.add(
            repo,
            replace(script, again=script.again or row.original.again),
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
        return new or row

    def cancel(self, row: Row, t: float, by: str) -> None:
        """A person cancels it."""
        self._change(row, cancelled(row.script, t - row.created, (("canceled_by_user", by),)))

    def approve(self, repo: Repository, row: Row, t: float, by: str) -> Row:
        """A person approves it: workflow and step ids are new ones."""
        script = approved(row.script, t - row.created, by)
        flows, steps = _most(script, workflows=1, steps=0), _most(script, workflows=0, steps=1)
        new = replace(
            row,
            script=script,
            first_workflow=self._take("workflow", flows),
            first_step=self._take("step", steps),
        )
        self.rows[self.rows.index(row)] = new
        self._supersede(repo, new)
        return new

    def decline(self, row: Row, t: float, by: str) -> Row:
        """A person declines it."""
        return self._change(row, declined(row.script, t - row.created, by))

    def delete(self, row: Row) -> None:
        """An admin, or retention, removes it."""
        self.rows.remove(row)

    def _change(self, row: Row, script: Script) -> Row:
        new = replace(row, script=script)
        self.rows[self.rows.index(row)] = new
        return new

    def _supersede(self, repo: Repository, new: Row) -> None:
        start = next((f.t for f in new.script.frames if f.status in {"pending", "running"}), None)
        if start is None or new.event not in repo.cancel_previous:
            return
        when = new.created + start + SUPERSEDED_AFTER
        for row in list(self.rows):
            same = (row.repo_id, row.event, row.branch, row.refspec) == (repo.id, new.event, new.branch, new.refspec)
            now = row.at(when)
            if same and row.id != new.id and now is not None and now.status in ACTIVE:
                self._change(row, cancelled(row.script, when - row.created, (("superseded_by", new.number),)))

    def _take(self, kind: str, count: int) -> int:
        first = self._ids[kind]
        self._ids[kind] += count
        return first


def _most(script: Script, *, workflows: int, steps: int) -> int:
    """The most workflows or steps that any frame shows, an approval's frames included."""
    every = (*script.frames, *(script.approved.frames if script.approved else ()))
    return max(
        (sum(workflows + steps * len(flow.steps) for flow in frame.workflows or ()) for frame in every), default=0
    )


def _with_info(script: Script, info: tuple[tuple[str, str | int], ...]) -> tuple[Any, ...]:
    # a restart carries the old cancel_info along (measured, B3)
    first, *rest = script.frames
    return (replace(first, cancel_info=info), *rest)
