"""Reads the named commit statuses and checks of one commit, each as one deciding pipeline."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import quote

from homelab_hooks.ci.forge_api import PAGE_SIZE, AttemptCounter, ForgeApi
from homelab_hooks.ci.model import LogLine, Pipeline, Repo, RunRef, Step
from homelab_hooks.ci.provider import RunFilter
from homelab_hooks.ci.status.context_glob import matches_context
from homelab_hooks.ci.status.parse import (
    ReportedContext,
    parse_check_runs,
    parse_statuses,
    select_newest_reports,
)
from homelab_hooks.ci.status.traits import STATUS_EVENT
from homelab_hooks.net.message import HttpResponse
from homelab_hooks.polling.outcome import FailureKind, Found, NotFound, Poll, Unavailable

MAX_PAGES = 20
"""pages of statuses: 1,000 of one commit; a list with more proves nothing"""
UNKNOWN_COMMIT_STATUSES = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY})
"""for a commit that the forge does not have: Gitea 404 (forge recording 04), GitHub 422 (its documentation)"""
ParseReports = Callable[[object], tuple[ReportedContext, ...]]


class StatusClient:
    """The statuses of one commit whose contexts match a pattern.

    Args:
        api: the forge's API.
        sha: the commit.
        pattern: a context, or a glob.
        has_checks: the forge also has check runs (GitHub).
    """

    def __init__(self, api: ForgeApi, sha: str, pattern: str, *, has_checks: bool) -> None:
        self._api, self._sha, self._pattern = api, sha, pattern
        self._has_checks = has_checks
        self._attempts = AttemptCounter()
        self._numbers: dict[tuple[str, str], int] = {}
        self._rows: dict[RunRef, Pipeline] = {}

    def repository(self, full_name: str, *, within: float) -> Poll[Repo]:
        """Look up the repository, so that a commit without statuses is told from a repository that cannot be seen."""
        answer = self._api.get(
            f"/repos/{quote(full_name)}", lambda _: None, f"the repository {full_name}", within=within
        )
        return Found(Repo(full_name, full_name)) if isinstance(answer, Found) else answer

    def pipelines(
        self, repo: Repo, *, within: float, page: int = 1, per_page: int = PAGE_SIZE, only: RunFilter | None = None
    ) -> Poll[tuple[Pipeline, ...]]:
        """Return every context that matches, on one page: the newest status counts, and may stand on any page."""
        del per_page, only
        if page > 1:
            return Found(())
        path = f"/repos/{quote(repo.full_name)}/commits/{self._sha}"
        reports = self._read_all(f"{path}/statuses", parse_statuses, within)
        if isinstance(reports, Found) and self._has_checks:
            checks = self._read_all(f"{path}/check-runs", parse_check_runs, within)
            reports = Found((*reports.value, *checks.value)) if isinstance(checks, Found) else checks
        if not isinstance(reports, Found):
            return reports
        matching = tuple(one for one in reports.value if matches_context(self._pattern, one.context))
        rows = tuple(self._make_row(one) for one in select_newest_reports(matching))
        self._rows = {row.run: row for row in rows}
        return Found(rows)

    def _read_all(self, path: str, parse: ParseReports, within: float) -> Poll[tuple[ReportedContext, ...]]:
        """Return the reports of every page; the state and the count of one page are only that page's (recording 04)."""
        found: list[ReportedContext] = []
        for page in range(1, MAX_PAGES + 1):
            target = f"{path}?page={page}&limit={PAGE_SIZE}&per_page={PAGE_SIZE}"
            response = self._api.send("GET", target, within=within)
            if isinstance(response, HttpResponse) and response.status in UNKNOWN_COMMIT_STATUSES:
                return Found(())
            answer = self._api.read(response, _lenient(parse), f"the statuses of {self._sha}")
            if not isinstance(answer, Found):
                return answer
            found += answer.value
            if len(answer.value) < PAGE_SIZE:
                return Found(tuple(found))
        return Unavailable(f"the commit has more than {MAX_PAGES * PAGE_SIZE} statuses", FailureKind.BODY)

    def _make_row(self, report: ReportedContext) -> Pipeline:
        number = self._numbers.setdefault(report.key, len(self._numbers) + 1)
        attempt = self._attempts.count(report.key, report.status)
        return Pipeline(
            run=RunRef((report.key, attempt), f"status {report.context}"),
            number=number,
            attempt=attempt,
            group=report.key,
            event=STATUS_EVENT,
            ref=report.context,
            branch="",
            commit=self._sha,
            status=report.status,
            raw_status=report.word,
            updated=report.updated,
            reports_cancellation=True,
            description=report.description,
            url=report.url,
        )

    def pipeline(self, repo: Repo, run: RunRef, *, within: float) -> Poll[Pipeline]:
        """Return what the list said: a status has no detail."""
        del repo, within
        row = self._rows.get(run)
        return Found(row) if row else NotFound(f"{run} is not on the list")

    def log(self, repo: Repo, run: RunRef, step: Step, *, within: float) -> Poll[tuple[LogLine, ...]]:
        """Return that a status has no log."""
        del repo, run, step, within
        return NotFound("a commit status has no log")


def _lenient(parse: ParseReports) -> ParseReports:
    """Return a reader for which null is an empty list, as in Gitea's combined status."""
    return lambda raw: () if raw is None else parse(raw)
