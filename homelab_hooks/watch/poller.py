"""Polls CI for the watch: the token's owner, the repository, the newest pipelines, and what the state needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from homelab_hooks.ci.model import Pipeline, QueueInfo, Repo, RunRef
from homelab_hooks.ci.provider import REQUEST_TIMEOUT_S, Provider, StreamNews, Wakes, find_first_repository
from homelab_hooks.git.containment import Containment, ContainmentCheck
from homelab_hooks.polling.outcome import Denied, Found, Poll, Unavailable
from homelab_hooks.watch.list_search import ListReader, select_newest
from homelab_hooks.watch.state import LIST_NOT_READ_NUMBER, CiObservation, CiWatchState, WatchScope, WatchTimeouts

if TYPE_CHECKING:
    from homelab_hooks.watch.failure_report import WatchClock
    from homelab_hooks.watch.no_pipeline import CommitFacts
    from homelab_hooks.watch.step_output import OpenLogStream

BEST_EFFORT_TIMEOUT_S = 5.0
"""seconds for a request that decides nothing: details and the queue may fail every time"""
MAX_EMPTY_DETAILS = 2
"""failed polls for details in a row, after which progress is not polled any more"""


class WatchRequest(NamedTuple):
    """What to watch.

    `repo_names` are tried in order: a mirrored repository may be in CI under either name.
    """

    scope: WatchScope
    repo_names: tuple[str, ...]
    timeouts: WatchTimeouts = WatchTimeouts()
    fail_fast: bool = False
    seed: int = 0
    started: tuple[Pipeline, ...] = ()
    """pipelines that the server has started for this watch"""


def assume_dependence(repo: Repo, sha: str) -> str:
    """Return that nothing is known about the commit's configuration."""
    del repo, sha
    return "the configuration cannot be read"


class WatchDependencies(NamedTuple):
    """What a watch reads: CI, and git about this commit and others."""

    ci: Provider
    contains: ContainmentCheck
    commit_facts: Callable[[], CommitFacts]
    open_stream: Callable[[Repo], Wakes] | None = None
    """opens the event stream of a repository; None if the watch is not to listen"""
    open_log_stream: OpenLogStream | None = None
    """opens the log of a running step; None if the watch is not to show it"""
    find_dependence: Callable[[Repo, str], str] = assume_dependence
    """returns the first sign that a run of a commit depends on the commit before it; empty if there is none"""
    skip_marker: Callable[[], str] = str
    """returns the marker in the commit's message that makes CI skip its push; empty if there is none, or for a tag"""


def _is_unchanged(detail: Pipeline, watch: CiWatchState) -> bool:
    """Return whether the detail shows the pipeline as the list last did."""
    return any(
        (t.run, t.pipeline.commit, t.pipeline.status) == (detail.run, detail.commit, detail.status)
        for t in watch.tracks
    )


class CiPoller:
    """Sends the requests of one watch. The list decides; everything else is best effort."""

    def __init__(self, request: WatchRequest, dependencies: WatchDependencies, clock: WatchClock) -> None:
        self._request = request
        self._ci = dependencies.ci
        self._contains = dependencies.contains
        self._find_dependence = dependencies.find_dependence
        self._find_skip_marker: Callable[[], str] | None = dependencies.skip_marker
        self._clock = clock
        self._open_stream = dependencies.open_stream
        self._listener: Wakes | None = None
        self._token_accepted = False
        self._may_see_queue = True
        self._empty_details = 0
        self.repo: Repo | None = None

    def poll(self, watch: CiWatchState) -> Poll[CiObservation]:
        """Poll once and return what was observed, or why there was no usable response."""
        poll = self._poll(watch)
        match poll:
            case Unavailable():
                return poll._replace(answered_before=self._token_accepted and not poll.never_recognized)
            case Denied():
                return poll._replace(worked_before=self.repo is not None)
            case _:
                return poll

    def _poll(self, watch: CiWatchState) -> Poll[CiObservation]:
        repo = self._find_repository(watch)
        if not isinstance(repo, Repo):
            return repo
        observation = self._stream_news(repo, watch)
        detail = self._poll_detail(repo, watch) if not observation.stream_changed else None
        if detail is not None and _is_unchanged(detail, watch):
            return Found(observation._replace(complete_down_to=LIST_NOT_READ_NUMBER, details=(detail,)))
        page_size = self._ci.traits.max_page_size
        reader = ListReader(
            self._ci.runs,
            repo,
            max_page_size=page_size,
            time_left=lambda: self._time_left(watch),
            by_commit=self._ci.traits.rules.lists_by_commit,
        )
        listed = reader.read(watch)
        if not isinstance(listed, Found):
            return listed
        rows = listed.value.rows
        return Found(
            observation._replace(
                rows=rows,
                complete_down_to=listed.value.complete_down_to,
                searched_rows=listed.value.searched_rows,
                details=self._details(
                    repo,
                    watch,
                    rows,
                    stream_changed=observation.stream_changed and not observation.stream_ended,
                ),
                containment={commit: self._check_containment(commit) for commit in watch.query.commits},
                dependence={commit: self._find_dependence(repo, commit) for commit in watch.query.dependence},
                skip_marker=self._take_skip_marker(watch, rows),
                queue=self._queue(watch),
            )
        )

    def _stream_news(self, repo: Repo, watch: CiWatchState) -> CiObservation:
        """Return the news of the event stream, which is opened as soon as the repository is known."""
        if self._open_stream and self._listener is None:
            self._listener = self._open_stream(repo)
        runs = frozenset(track.run for track in watch.tracks)
        news = self._listener.news(self._request.scope.sha, runs) if self._listener else StreamNews()
        return CiObservation(
            repo_active=repo.active,
            wall_time=self._clock.wall(),
            stream_up=news.is_up,
            stream_changed=news.changed,
            stream_ended=news.ended,
        )

    def _poll_detail(self, repo: Repo, watch: CiWatchState) -> Pipeline | None:
        """Return the one detail that was requested instead of the list; None if it is not available."""
        if watch.query.detail_only_of is None or self._empty_details >= MAX_EMPTY_DETAILS:
            return None
        return next(iter(self._poll_details(repo, watch, (watch.query.detail_only_of,))), None)

    def close(self) -> None:
        """Stop listening to the event stream."""
        if self._listener:
            self._listener.close()

    def _time_left(self, watch: CiWatchState) -> float:
        """Return the seconds for one request: fewer if a timeout is nearly over."""
        assert watch.began_at is not None  # noqa: S101 - a watch is started before it polls
        now, contact = self._clock.now(), watch.contact
        silent = now - contact.silent_since if contact.misses else 0.0
        left = min(watch.timeouts.unreachable - silent, watch.began_at + watch.timeouts.overall - now)
        return max(1.0, min(REQUEST_TIMEOUT_S, left))

    def _find_repository(self, watch: CiWatchState) -> Repo | Unavailable | Denied:
        """Find the repository, after the token is accepted.

        A bad token reads public data anonymously (recording 01-lookup-and-errors).
        """
        if self.repo:
            return self.repo
        if not self._token_accepted:
            user = self._ci.account.user(within=self._time_left(watch))
            if not isinstance(user, Found):
                return user if isinstance(user, Unavailable | Denied) else Unavailable("CI returned no user")
            self._token_accepted = True
        answer = find_first_repository(self._ci.runs, self._request.repo_names, within=self._time_left(watch))
        if isinstance(answer, Found):
            self.repo = answer.value
            return self.repo
        return answer if isinstance(answer, Unavailable | Denied) else Unavailable("CI returned no repository")

    def _details(
        self, repo: Repo, watch: CiWatchState, rows: tuple[Pipeline, ...], *, stream_changed: bool
    ) -> tuple[Pipeline, ...]:
        """Return the requested details, those of changed pipelines (by the stream), and those of ended ones."""
        with_detail = {(t.run, t.final_detail.status) for t in watch.tracks if t.final_detail}
        latest = select_newest(row for row in rows if watch.scope.is_about(row) and watch.scope.decides(row))
        ended = [row.run for row in latest if row.status.is_final and (row.run, row.status) not in with_detail]
        moved = [t.run for t in watch.tracks if not t.pipeline.status.is_final] if stream_changed else []
        return self._poll_details(
            repo, watch, (*watch.query.details, *ended, *(moved if self._empty_details < MAX_EMPTY_DETAILS else ()))
        )

    def _poll_details(self, repo: Repo, watch: CiWatchState, wanted: Iterable[RunRef]) -> tuple[Pipeline, ...]:
        within = min(BEST_EFFORT_TIMEOUT_S, self._time_left(watch))
        answers = [self._ci.runs.pipeline(repo, run, within=within) for run in dict.fromkeys(wanted)]
        found = tuple(answer.value for answer in answers if isinstance(answer, Found))
        if answers:
            self._empty_details = 0 if found else self._empty_details + 1
        return found

    def _take_skip_marker(self, watch: CiWatchState, rows: tuple[Pipeline, ...]) -> str:
        """Return the skip marker if the first list has no pipeline of the commit; git is asked once at most."""
        find, self._find_skip_marker = self._find_skip_marker, None
        has_any = watch.tracks or any(row.commit in watch.scope.commits for row in rows)
        is_meant = self._ci.traits.skipped_event in watch.scope.events
        return find() if find and is_meant and not has_any else ""

    def _check_containment(self, commit: str) -> Containment:
        return self._contains(newer=commit, ours=self._request.scope.sha)

    def _queue(self, watch: CiWatchState) -> QueueInfo | None:
        """Return the queue if it is needed and the token may see it; once denied, it is not requested again."""
        if not watch.query.queue or not self._may_see_queue:
            return None
        answer = self._ci.account.queue(within=min(BEST_EFFORT_TIMEOUT_S, self._time_left(watch)))
        if isinstance(answer, Denied):
            self._may_see_queue = False
        if not isinstance(answer, Found):
            return None
        queue: QueueInfo = answer.value
        own = tuple(limit for limit in queue.limited if self.repo and limit.repo == self.repo.id)
        return queue._replace(limited=own)
