"""Watches CI: takes looks at the server for the machine, and explains its verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from homelab_hooks.events import Event
from homelab_hooks.exits import Exit
from homelab_hooks.history import Containment, Contains
from homelab_hooks.looks import Denied, Look, Missed, Seen
from homelab_hooks.loop import drive
from homelab_hooks.model import Pipeline, Queue, Repo
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import machine
from homelab_hooks.watch.absence import CommitFacts, why_none
from homelab_hooks.watch.observe import newest
from homelab_hooks.watch.reason import Clock, tell_reason
from homelab_hooks.watch.state import Patience, Scope, Sight, Watch
from homelab_hooks.woodpecker.client import PER_PAGE, Woodpecker
from homelab_hooks.woodpecker.ear import Ear, News

PAGES = 10
"""pages of the list that are read at most in search of a commit: 500 pipelines"""
FEW = 10
"""rows of a routine look: a fifth of the bytes of a whole page (measured, C)"""
NOT_READ = 2**62
"""the floor of a sight that says nothing about the list"""
LONGEST = 15.0
"""seconds for one answer"""
BRIEF = 5.0
"""seconds for an answer that decides nothing: details, glances and the queue may fail for ever"""
BLANKS = 2
"""glances in a row without an answer after which progress is no longer asked for"""


class Request(NamedTuple):
    """What to watch.

    `names` are tried in order: CI may know a mirrored repository under either name.
    """

    scope: Scope
    names: tuple[str, ...]
    patience: Patience = Patience()
    fail_fast: bool = False
    seed: int = 0
    web: str = ""
    """the server's URL, for links"""


class Sources(NamedTuple):
    """Whom a watch asks: the CI server, and git about other commits and about this one."""

    ci: Woodpecker
    contains: Contains
    facts: Callable[[], CommitFacts]
    listen: Callable[[int], Ear] | None = None
    """opens the event stream for a repository's id"""


def run(request: Request, sources: Sources, *, clock: Clock, tell: Callable[[Event], None]) -> Verdict:
    """Watch until CI has decided or a patience is over; whatever happens is a verdict."""
    eyes = Eyes(request, sources, clock)
    state = Watch(scope=request.scope, patience=request.patience, fail_fast=request.fail_fast, seed=request.seed)
    try:
        state = machine.begun(state, clock.now())
        state = drive(state, look=eyes.look, turn=machine.turn, tell=tell, clock=clock)
    finally:
        eyes.close()
    if eyes.repo and state.verdict and state.verdict.exit is Exit.FAILED:
        tell_reason(state, sources.ci, eyes.repo.id, clock=clock, tell=tell)
    assert state.verdict is not None  # noqa: S101 - what `drive` returns is settled
    return explained(state, sources.facts)


def explained(state: Watch, facts: Callable[[], CommitFacts]) -> Verdict:
    """The verdict; where there is no pipeline, with the reason that can be found."""
    assert state.verdict is not None  # noqa: S101 - only settled states are explained
    verdict = state.verdict
    if verdict.exit is not Exit.NO_PIPELINE or state.threads:
        return verdict
    known = facts()
    if not state.active:
        known = known._replace(active=False)
    reason, hint = why_none(known, filtered=bool(state.gone))
    return verdict._replace(reason=f"{verdict.reason}: {reason}", hint=hint)


def _same(glance: Pipeline, watch: Watch) -> bool:
    """Whether the detail shows the pipeline as the list last did."""
    return any(
        (t.number, t.pipeline.commit, t.pipeline.status) == (glance.number, glance.commit, glance.status)
        for t in watch.threads
    )


class Eyes:
    """Takes the looks of one watch: who am I, which repository, the newest rows, and what the state asks for."""

    def __init__(self, request: Request, sources: Sources, clock: Clock) -> None:
        self._request = request
        self._ci = sources.ci
        self._contains = sources.contains
        self._clock = clock
        self._listen = sources.listen
        self._ear: Ear | None = None
        self._known = False
        self._may_see_queue = True
        self._blanks = 0
        self.repo: Repo | None = None

    def look(self, watch: Watch) -> Look[Sight]:
        """One look; the list decides, everything else is best effort."""
        self._ci.within(self._time_left(watch))
        repo = self._find_repository()
        if not isinstance(repo, Repo):
            return repo
        heard = self._hear(repo, watch)
        glance = self._glance(repo.id, watch) if not heard.hinted else None
        if glance is not None and _same(glance, watch):
            return Seen(heard._replace(floor=NOT_READ, details=(glance,)))
        rows = self._rows(repo.id, watch)
        if not isinstance(rows, Seen):
            return rows
        listed, floor = rows.value
        return Seen(
            heard._replace(
                rows=listed,
                floor=floor,
                details=self._details(repo.id, watch, listed, hinted=heard.hinted and not heard.ending),
                contained={commit: self._judge_commit(commit) for commit in watch.ask.commits},
                queue=self._queue(watch),
            )
        )

    def _hear(self, repo: Repo, watch: Watch) -> Sight:
        """What the event stream says by now; it is opened with the first look that knows the repository."""
        if self._listen and self._ear is None:
            self._ear = self._listen(repo.id)
        numbers = frozenset(thread.number for thread in watch.threads)
        news = self._ear.news(self._request.scope.sha, numbers) if self._ear else News()
        return Sight(
            web=f"{self._request.web}/repos/{repo.id}/pipeline",
            active=repo.active,
            wall=self._clock.wall(),
            streaming=news.up,
            hinted=news.changed,
            ending=news.ending,
        )

    def _glance(self, repo: int, watch: Watch) -> Pipeline | None:
        """The one detail that was asked for instead of the list; None where it cannot be had."""
        if not watch.ask.glance or self._blanks >= BLANKS:
            return None
        return next(iter(self._brief_details(repo, watch, {watch.ask.glance})), None)

    def close(self) -> None:
        """Stop listening."""
        if self._ear:
            self._ear.close()

    def _time_left(self, watch: Watch) -> float:
        """Seconds for one answer: less when a patience is nearly over."""
        assert watch.began is not None  # noqa: S101 - a watch begins before it looks
        ends = (watch.contact.last + watch.patience.unreachable, watch.began + watch.patience.timeout)
        return max(1.0, min(LONGEST, min(ends) - self._clock.now()))

    def _find_repository(self) -> Repo | Missed | Denied:
        """The token is tried first, for a bad one reads public data as nobody (fact 4); then the names in turn."""
        if self.repo:
            return self.repo
        if not self._known:
            user = self._ci.user()
            if not isinstance(user, Seen):
                return user if isinstance(user, Missed | Denied) else Missed("the user is not known")
            self._known = True
        answer = self._ci.find(self._request.names)
        if isinstance(answer, Seen):
            self.repo = answer.value
            return self.repo
        return answer if isinstance(answer, Missed | Denied) else Missed("the repository is not known")

    def _rows(self, repo: int, watch: Watch) -> Look[tuple[tuple[Pipeline, ...], int]]:
        """Rows from the newest down to where the state needs them, and the number down to which they are complete."""
        self._ci.within(self._time_left(watch))
        size = FEW if watch.ask.floor else PER_PAGE
        found: dict[int, Pipeline] = {}
        for page in range(1, PAGES + 1):
            answer = self._ci.pipelines(repo, page=page, per_page=size)
            if not isinstance(answer, Seen):
                return answer
            found |= {row.number: row for row in answer.value}
            if len(answer.value) < size:
                return Seen((tuple(found.values()), 0))
            if min(found, default=0) <= watch.ask.floor:
                break
        return Seen((tuple(found.values()), min(found, default=0)))

    def _details(self, repo: int, watch: Watch, rows: tuple[Pipeline, ...], *, hinted: bool) -> tuple[Pipeline, ...]:
        """The details asked for, those that an event spoke of, and those of our pipelines that have just ended."""
        explained = {(t.number, t.explained.status) for t in watch.threads if t.explained}
        ours = newest(row for row in rows if row.commit == watch.scope.sha and watch.scope.decides(row))
        ended = {row.number for row in ours if row.status.settled and (row.number, row.status) not in explained}
        moved = {t.number for t in watch.threads if not t.pipeline.status.settled} if hinted else set()
        return self._brief_details(repo, watch, {*watch.ask.details, *ended, *(moved if self._blanks < BLANKS else ())})

    def _brief_details(self, repo: int, watch: Watch, numbers: set[int]) -> tuple[Pipeline, ...]:
        self._ci.within(min(BRIEF, self._time_left(watch)))
        answers = [self._ci.pipeline(repo, number) for number in sorted(numbers)]
        found = tuple(answer.value for answer in answers if isinstance(answer, Seen))
        if numbers:
            self._blanks = 0 if found else self._blanks + 1
        return found

    def _judge_commit(self, commit: str) -> Containment:
        return self._contains(newer=commit, ours=self._request.scope.sha)

    def _queue(self, watch: Watch) -> Queue | None:
        """The queue, where something waits for long and the token may see it; refused once, it is not asked again."""
        if not watch.ask.queue or not self._may_see_queue:
            return None
        self._ci.within(min(BRIEF, self._time_left(watch)))
        answer = self._ci.queue()
        if isinstance(answer, Denied):
            self._may_see_queue = False
        return answer.value if isinstance(answer, Seen) else None
