"""Reads the named commit statuses and checks of one commit, each as one deciding pipeline."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote

from homelab_hooks.ci.forge_api import PAGE_SIZE, AttemptCounter, ForgeApi
from homelab_hooks.ci.model import LogLine, Pipeline, Repo, RunRef, Step
from homelab_hooks.ci.provider import RunFilter
from homelab_hooks.ci.status.parse import read_report_status
from homelab_hooks.ci.status.traits import STATUS_EVENT
from homelab_hooks.polling.outcome import Found, NotFound, Poll
from homelab_hooks.text.commit_report import CommitReport
from homelab_hooks.text.context_glob import matches_context


class ReportReader(Protocol):
    """Reads what a forge reports about a commit."""

    def read_reports(self, repo: str, sha: str, *, within: float) -> Poll[tuple[CommitReport, ...]]:
        """Return the newest report of each context, from every page."""


class StatusClient:
    """The statuses of one commit whose contexts match a pattern.

    Args:
        api: the forge's API.
        reports: reads the statuses and checks of a commit.
        sha: the commit.
        pattern: a context, or a glob.
    """

    def __init__(self, api: ForgeApi, reports: ReportReader, sha: str, pattern: str) -> None:
        self._api, self._reports, self._sha, self._pattern = api, reports, sha, pattern
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
        reports = self._reports.read_reports(repo.full_name, self._sha, within=within)
        if not isinstance(reports, Found):
            return reports
        matching = tuple(one for one in reports.value if matches_context(self._pattern, one.context))
        rows = tuple(self._make_row(one) for one in matching)
        self._rows = {row.run: row for row in rows}
        return Found(rows)

    def _make_row(self, report: CommitReport) -> Pipeline:
        status = read_report_status(report)
        number = self._numbers.setdefault(report.key, len(self._numbers) + 1)
        attempt = self._attempts.count(report.key, status)
        return Pipeline(
            run=RunRef((report.key, attempt), f"status {report.context}"),
            number=number,
            attempt=attempt,
            group=report.key,
            event=STATUS_EVENT,
            ref=report.context,
            branch="",
            commit=self._sha,
            status=status,
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
