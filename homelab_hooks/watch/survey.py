"""One look at a commit's pipelines, with everything that `ci logs` and `ci restart` need to know about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from homelab_hooks.events import Event
from homelab_hooks.looks import Look, Seen
from homelab_hooks.loop import drive
from homelab_hooks.model import Pipeline, Repo
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import machine
from homelab_hooks.watch.reason import Clock
from homelab_hooks.watch.state import Patience, Sight, Thread, Watch
from homelab_hooks.watch.watch import Eyes, Request, Sources, explained

PATIENCE = 15.0
"""seconds for the one look to succeed, flaps included"""
RECENT = 8
"""pipelines of a branch that are shown to a person who looks"""


def until_seen(unreachable: float) -> Patience:
    """For one look that may be missed for so many seconds."""
    return Patience(timeout=unreachable, appear=0.0, unreachable=unreachable, once=True)


ONCE = until_seen(PATIENCE)


class Survey(NamedTuple):
    """What one look showed."""

    verdict: Verdict
    state: Watch
    rows: tuple[Pipeline, ...]
    """the newest rows of the list, whatever their commit"""
    repo: Repo | None

    @property
    def threads(self) -> tuple[Thread, ...]:
        """The deciding pipelines, each with its detail where it could be had."""
        return self.state.threads

    def detail(self, thread: Thread) -> Pipeline:
        """The pipeline with its workflows, or without where they could not be had."""
        known = thread.detail
        return known if known and known.number == thread.number else thread.pipeline


def survey(
    request: Request,
    sources: Sources,
    *,
    clock: Clock,
    tell: Callable[[Event], None] = lambda _: None,
    patience: Patience = ONCE,
) -> Survey:
    """Look until one look has succeeded; the verdict says what stood in the way, or what CI says so far."""
    eyes = Eyes(request._replace(patience=patience), sources, clock)
    rows: list[Pipeline] = []

    def look(state: Watch) -> Look[Sight]:
        seen = eyes.look(state)
        if isinstance(seen, Seen):
            rows[:] = seen.value.rows or rows
        return seen

    begin = machine.begun(Watch(scope=request.scope, patience=patience, seed=request.seed), clock.now())
    state = drive(begin, look=look, turn=machine.turn, tell=tell, clock=clock)
    state = state._replace(threads=tuple(_detailed(thread, sources, eyes.repo) for thread in state.threads))
    return Survey(explained(state, sources.facts), state, tuple(rows), eyes.repo)


def recent(seen: Survey, branch: str) -> tuple[Pipeline, ...]:
    """The few newest pipelines of a branch, or of all where none is named."""
    return tuple(row for row in seen.rows if not branch or row.branch == branch)[:RECENT]


def _detailed(thread: Thread, sources: Sources, repo: Repo | None) -> Thread:
    """The thread with its detail, asked for if the look did not bring it."""
    if repo is None or (thread.detail and thread.detail.status is thread.pipeline.status):
        return thread
    answer = sources.ci.pipeline(repo.id, thread.number)
    return thread._replace(detail=answer.value) if isinstance(answer, Seen) else thread
