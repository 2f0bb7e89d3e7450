"""Watches CI: takes looks at the server for the machine, and explains its verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, QueueInfo, Repo
from homelab_hooks.ci.woodpecker.client import MAX_PAGE_SIZE, REQUEST_TIMEOUT_S, WoodpeckerClient
from homelab_hooks.ci.woodpecker.stream import EventStreamListener, StreamNews
from homelab_hooks.events import Event
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.containment import Containment, ContainmentCheck
from homelab_hooks.polling.loop import poll_until_decided
from homelab_hooks.polling.outcome import Denied, Found, Poll, Unavailable
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import machine
from homelab_hooks.watch.failure_report import WatchClock, report_failure
from homelab_hooks.watch.no_pipeline import CommitFacts, explain_no_pipeline
from homelab_hooks.watch.observe import select_newest
from homelab_hooks.watch.state import CiObservation, CiWatchState, WatchScope, WatchTimeouts

MAX_PAGES = 10
"""pages of the list that are read at most in search of a commit: 500 pipelines"""
ROUTINE_PAGE_SIZE = 10
"""rows of a routine look: a fifth of the bytes of a whole page (measured, C)"""
MAX_PIPELINE_NUMBER = 2**62
"""the floor of a sight that says nothing about the list"""
BEST_EFFORT_TIMEOUT_S = 5.0
"""seconds for an answer that decides nothing: details, glances and the queue may fail for ever"""
MAX_EMPTY_DETAILS = 2
"""glances in a row without an answer after which progress is no longer asked for"""


class WatchRequest(NamedTuple):
    """What to watch.

    `repo_names` are tried in order: CI may know a mirrored repository under either name.
    """

    scope: WatchScope
    repo_names: tuple[str, ...]
    timeouts: WatchTimeouts = WatchTimeouts()
    fail_fast: bool = False
    seed: int = 0
    web_url: str = ""
    """the server's URL, for links"""


class WatchDependencies(NamedTuple):
    """Whom a watch asks: the CI server, and git about other commits and about this one."""

    ci: WoodpeckerClient
    contains: ContainmentCheck
    commit_facts: Callable[[], CommitFacts]
    open_stream: Callable[[int], EventStreamListener] | None = None
    """opens the event stream for a repository's id"""


def run_watch(
    request: WatchRequest, dependencies: WatchDependencies, *, clock: WatchClock, emit: Callable[[Event], None]
) -> Verdict:
    """Watch until CI has decided or a patience is over; whatever happens is a verdict."""
    poller = CiPoller(request, dependencies, clock)
    state = CiWatchState(scope=request.scope, timeouts=request.timeouts, fail_fast=request.fail_fast, seed=request.seed)
    try:
        state = machine.start_watch(state, clock.now())
        state = poll_until_decided(state, fetch=poller.poll, decide=machine.decide_watch, emit=emit, clock=clock)
    finally:
        poller.close()
    if poller.repo and state.verdict and state.verdict.exit is ExitCode.FAILED:
        report_failure(state, dependencies.ci, poller.repo.id, clock=clock, emit=emit)
    assert state.verdict is not None  # noqa: S101 - what `poll_until_decided` returns is settled
    return explain_verdict(state, dependencies.commit_facts)


def explain_verdict(state: CiWatchState, commit_facts: Callable[[], CommitFacts]) -> Verdict:
    """The verdict; where there is no pipeline, with the reason that can be found."""
    assert state.verdict is not None  # noqa: S101 - only settled states are explained
    verdict = state.verdict
    if verdict.exit is not ExitCode.NO_PIPELINE or state.tracks:
        return verdict
    facts = commit_facts()
    if not state.repo_active:
        facts = facts._replace(is_repo_active=False)
    reason, hint = explain_no_pipeline(facts, was_filtered=bool(state.vanished))
    return verdict._replace(reason=f"{verdict.reason}: {reason}", hint=hint)


def _is_unchanged(detail: Pipeline, watch: CiWatchState) -> bool:
    """Whether the detail shows the pipeline as the list last did."""
    return any(
        (t.number, t.pipeline.commit, t.pipeline.status) == (detail.number, detail.commit, detail.status)
        for t in watch.tracks
    )


class CiPoller:
    """Takes the looks of one watch: who am I, which repository, the newest rows, and what the state asks for."""

    def __init__(self, request: WatchRequest, dependencies: WatchDependencies, clock: WatchClock) -> None:
        self._request = request
        self._ci = dependencies.ci
        self._contains = dependencies.contains
        self._clock = clock
        self._open_stream = dependencies.open_stream
        self._listener: EventStreamListener | None = None
        self._token_accepted = False
        self._may_see_queue = True
        self._empty_details = 0
        self.repo: Repo | None = None

    def poll(self, watch: CiWatchState) -> Poll[CiObservation]:
        """One look; the list decides, everything else is best effort."""
        repo = self._find_repository(watch)
        if not isinstance(repo, Repo):
            return repo
        observation = self._stream_news(repo, watch)
        detail = self._poll_detail(repo.id, watch) if not observation.stream_changed else None
        if detail is not None and _is_unchanged(detail, watch):
            return Found(observation._replace(complete_down_to=MAX_PIPELINE_NUMBER, details=(detail,)))
        rows = self._list_pipelines(repo.id, watch)
        if not isinstance(rows, Found):
            return rows
        pipelines, complete_down_to = rows.value
        return Found(
            observation._replace(
                rows=pipelines,
                complete_down_to=complete_down_to,
                details=self._details(
                    repo.id,
                    watch,
                    pipelines,
                    stream_changed=observation.stream_changed and not observation.stream_ended,
                ),
                containment={commit: self._check_containment(commit) for commit in watch.query.commits},
                queue=self._queue(watch),
            )
        )

    def _stream_news(self, repo: Repo, watch: CiWatchState) -> CiObservation:
        """What the event stream says by now; it is opened with the first look that knows the repository."""
        if self._open_stream and self._listener is None:
            self._listener = self._open_stream(repo.id)
        numbers = frozenset(track.number for track in watch.tracks)
        news = self._listener.news(self._request.scope.sha, numbers) if self._listener else StreamNews()
        return CiObservation(
            pipeline_base_url=f"{self._request.web_url}/repos/{repo.id}/pipeline",
            repo_active=repo.active,
            wall_time=self._clock.wall(),
            stream_up=news.is_up,
            stream_changed=news.changed,
            stream_ended=news.ended,
        )

    def _poll_detail(self, repo: int, watch: CiWatchState) -> Pipeline | None:
        """The one detail that was asked for instead of the list; None where it cannot be had."""
        if not watch.query.detail_only_of or self._empty_details >= MAX_EMPTY_DETAILS:
            return None
        return next(iter(self._poll_details(repo, watch, {watch.query.detail_only_of})), None)

    def close(self) -> None:
        """Stop listening."""
        if self._listener:
            self._listener.close()

    def _time_left(self, watch: CiWatchState) -> float:
        """Seconds for one answer: less when a patience is nearly over."""
        assert watch.began_at is not None  # noqa: S101 - a watch begins before it looks
        ends = (watch.contact.last_answer_at + watch.timeouts.unreachable, watch.began_at + watch.timeouts.overall)
        return max(1.0, min(REQUEST_TIMEOUT_S, min(ends) - self._clock.now()))

    def _find_repository(self, watch: CiWatchState) -> Repo | Unavailable | Denied:
        """The token is tried first, for a bad one reads public data as nobody (fact 4); then the names in turn."""
        if self.repo:
            return self.repo
        if not self._token_accepted:
            user = self._ci.user(within=self._time_left(watch))
            if not isinstance(user, Found):
                return user if isinstance(user, Unavailable | Denied) else Unavailable("the user is not known")
            self._token_accepted = True
        answer = self._ci.first_repository(self._request.repo_names, within=self._time_left(watch))
        if isinstance(answer, Found):
            self.repo = answer.value
            return self.repo
        return answer if isinstance(answer, Unavailable | Denied) else Unavailable("the repository is not known")

    def _list_pipelines(self, repo: int, watch: CiWatchState) -> Poll[tuple[tuple[Pipeline, ...], int]]:
        """Rows from the newest down to where the state needs them, and the number down to which they are complete."""
        page_size = ROUTINE_PAGE_SIZE if watch.query.down_to else MAX_PAGE_SIZE
        found: dict[int, Pipeline] = {}
        for page in range(1, MAX_PAGES + 1):
            answer = self._ci.pipelines(repo, page=page, per_page=page_size, within=self._time_left(watch))
            if not isinstance(answer, Found):
                return answer
            found |= {row.number: row for row in answer.value}
            if len(answer.value) < page_size:
                return Found((tuple(found.values()), 0))
            if min(found, default=0) <= watch.query.down_to:
                break
        return Found((tuple(found.values()), min(found, default=0)))

    def _details(
        self, repo: int, watch: CiWatchState, rows: tuple[Pipeline, ...], *, stream_changed: bool
    ) -> tuple[Pipeline, ...]:
        """The details asked for, those that an event spoke of, and those of our pipelines that have just ended."""
        with_detail = {(t.number, t.final_detail.status) for t in watch.tracks if t.final_detail}
        latest = select_newest(row for row in rows if row.commit == watch.scope.sha and watch.scope.decides(row))
        ended = {row.number for row in latest if row.status.is_final and (row.number, row.status) not in with_detail}
        moved = {t.number for t in watch.tracks if not t.pipeline.status.is_final} if stream_changed else set()
        return self._poll_details(
            repo, watch, {*watch.query.details, *ended, *(moved if self._empty_details < MAX_EMPTY_DETAILS else ())}
        )

    def _poll_details(self, repo: int, watch: CiWatchState, numbers: set[int]) -> tuple[Pipeline, ...]:
        within = min(BEST_EFFORT_TIMEOUT_S, self._time_left(watch))
        answers = [self._ci.pipeline(repo, number, within=within) for number in sorted(numbers)]
        found = tuple(answer.value for answer in answers if isinstance(answer, Found))
        if numbers:
            self._empty_details = 0 if found else self._empty_details + 1
        return found

    def _check_containment(self, commit: str) -> Containment:
        return self._contains(newer=commit, ours=self._request.scope.sha)

    def _queue(self, watch: CiWatchState) -> QueueInfo | None:
        """The queue, where something waits for long and the token may see it; refused once, it is not asked again."""
        if not watch.query.queue or not self._may_see_queue:
            return None
        answer = self._ci.queue(within=min(BEST_EFFORT_TIMEOUT_S, self._time_left(watch)))
        if isinstance(answer, Denied):
            self._may_see_queue = False
        return answer.value if isinstance(answer, Found) else None
