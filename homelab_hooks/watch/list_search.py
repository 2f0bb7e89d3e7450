"""Reads the pages of the list: the newest rows in every poll, and older ones in search of a commit.

The API has no filter for commits, and a busy repository has more rows than can be read. So a search reads the newest
page, then only rows that may decide, by event, branch, and ref. Servers before 3.0 ignore these filters and return
every row; if a server rejects the filters, the request is repeated without them. A search that ends before the end of
the list is reported as such, because the commit's pipeline may be further down.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, Repo
from homelab_hooks.ci.provider import RunFilter, RunSource
from homelab_hooks.polling.outcome import Found, Poll
from homelab_hooks.watch.state import CiWatchState, WatchScope

MAX_PAGES = 10
"""pages of the list that are read in one search: 500 pipelines"""
ROUTINE_PAGE_SIZE = 10
"""rows of a page of a routine poll: a fifth of the bytes of a whole page (recording 17-http-facts)"""


class ListedRows(NamedTuple):
    """The rows that were read."""

    rows: tuple[Pipeline, ...] = ()
    complete_down_to: int = 0
    """the number down to which no row is missing"""
    searched_rows: int = 0
    """the rows after which a search ended before the end of the list; 0: the commit cannot be further down"""


class ListReader:
    """Reads the list for one poll.

    Args:
        max_page_size: rows of the longest page that the server gives.
        time_left: returns the seconds that the next request may take.
        by_commit: the provider selects the rows of a commit; then all of them are read.
    """

    def __init__(
        self,
        runs: RunSource,
        repo: Repo,
        *,
        max_page_size: int,
        time_left: Callable[[], float],
        by_commit: bool = False,
    ) -> None:
        self._runs, self._repo = runs, repo
        self._max_page_size, self._time_left = max_page_size, time_left
        self._by_commit = by_commit

    def read(self, watch: CiWatchState) -> Poll[ListedRows]:
        """Return the rows that the state needs, or why there was no usable answer."""
        if self._by_commit:
            return self._read_commit(watch.scope)
        is_search = not watch.query.down_to
        newest = self._read_newest(watch.query.down_to)
        if not isinstance(newest, Found):
            return newest
        listed = newest.value
        if listed.complete_down_to <= watch.query.down_to:
            return newest
        older = self._read_deciding(watch.scope, watch.query.down_to)
        if not isinstance(older, Found):
            return older
        rows = {row.run: row for row in (*older.value.rows, *listed.rows)}
        searched = len(rows) if is_search and older.value.searched_rows else 0
        return Found(ListedRows(tuple(rows.values()), listed.complete_down_to, searched))

    def _read_commit(self, scope: WatchScope) -> Poll[ListedRows]:
        """Return every row of the commit, to the last page, or to one without it: that server ignores the filter."""
        only = RunFilter(events=scope.events, commit=scope.sha)
        found: list[Pipeline] = []
        for page in range(1, MAX_PAGES + 1):
            answer = self._read_page(page, only)
            if not isinstance(answer, Found):
                return answer
            found += answer.value
            is_about = any(scope.is_about(row) for row in answer.value)
            if len(answer.value) < self._max_page_size or not is_about:
                break
        return Found(ListedRows(tuple(found)))

    def _read_newest(self, down_to: int) -> Poll[ListedRows]:
        """Return the newest rows: one page for a search, else down to this number, as far as that takes few pages."""
        page_size = ROUTINE_PAGE_SIZE if down_to else self._max_page_size
        found: dict[int, Pipeline] = {}
        for page in range(1, (MAX_PAGES if down_to else 1) + 1):
            answer = self._runs.pipelines(self._repo, page=page, per_page=page_size, within=self._time_left())
            if not isinstance(answer, Found):
                return answer
            found |= {row.number: row for row in answer.value}
            if len(answer.value) < page_size:
                return Found(ListedRows(tuple(found.values())))
            if min(found, default=0) <= down_to:
                break
        return Found(ListedRows(tuple(found.values()), min(found, default=0)))

    def _read_deciding(self, scope: WatchScope, down_to: int) -> Poll[ListedRows]:
        """Return the newest rows that may decide, down to this number, the end of the list, or MAX_PAGES pages."""
        only: RunFilter | None = RunFilter(events=scope.events, branch=scope.branch, ref=scope.ref)
        found: list[Pipeline] = []
        for page in range(1, MAX_PAGES + 1):
            answer = self._read_page(page, only)
            if not isinstance(answer, Found) and only is not None:
                only, answer = None, self._read_page(page, None)
            if not isinstance(answer, Found):
                return answer
            found += answer.value
            if len(answer.value) < self._max_page_size or min(row.number for row in answer.value) <= down_to:
                return Found(ListedRows(tuple(found)))
        return Found(ListedRows(tuple(found), searched_rows=len(found)))

    def _read_page(self, page: int, only: RunFilter | None) -> Poll[tuple[Pipeline, ...]]:
        size, within = self._max_page_size, self._time_left()
        return self._runs.pipelines(self._repo, page=page, per_page=size, within=within, only=only)


def select_newest(rows: Iterable[Pipeline]) -> list[Pipeline]:
    """Return the newest pipeline of each group, the oldest first."""
    best: dict[Hashable, Pipeline] = {}
    for row in rows:
        if row.group not in best or _order(row) > _order(best[row.group]):
            best[row.group] = row
    return sorted(best.values(), key=lambda row: row.number)


def _order(row: Pipeline) -> tuple[int, int]:
    return row.number, row.attempt
