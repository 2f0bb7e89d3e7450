"""Reads what a forge reports about one commit: the statuses, and GitHub's check runs, to the last page."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from homelab_hooks.forge.connection import ForgeConnection
from homelab_hooks.forge.webhook_json import quote_repo
from homelab_hooks.net.message import HttpResponse
from homelab_hooks.polling.outcome import Found, Poll
from homelab_hooks.polling.pages import read_pages
from homelab_hooks.text.commit_report import (
    MAX_REPORT_PAGES,
    REPORT_PAGE_SIZE,
    CommitReport,
    ParseReports,
    parse_check_runs,
    parse_statuses,
    select_newest_reports,
)

_UNKNOWN_COMMIT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY})
"""for a commit that the forge does not have: Gitea 404 (recording 04), GitHub 422 (its documentation)"""


@dataclass(frozen=True, slots=True)
class CommitReportReader:
    """Reads the reports of a commit.

    Attributes:
        connection: the forge's API.
        has_checks: the forge also has check runs (GitHub).
    """

    connection: ForgeConnection
    has_checks: bool = False

    def read_reports(self, repo: str, sha: str, *, within: float) -> Poll[tuple[CommitReport, ...]]:
        """Return the newest report of each context of exactly one commit; empty if there is none yet."""
        base = f"/repos/{quote_repo(repo)}/commits/{sha}"
        reports = self._read_all(f"{base}/statuses", parse_statuses, sha, within)
        if isinstance(reports, Found) and self.has_checks:
            checks = self._read_all(f"{base}/check-runs", parse_check_runs, sha, within)
            reports = Found((*reports.value, *checks.value)) if isinstance(checks, Found) else checks
        return Found(select_newest_reports(reports.value)) if isinstance(reports, Found) else reports

    def _read_all(self, path: str, parse: ParseReports, sha: str, within: float) -> Poll[tuple[CommitReport, ...]]:
        """Return the reports of every page; the state and the count of one page are only that page's (recording 04)."""

        def read_page(page: int) -> Poll[tuple[CommitReport, ...]]:
            target = f"{path}?page={page}&limit={REPORT_PAGE_SIZE}&per_page={REPORT_PAGE_SIZE}"
            response = self.connection.send("GET", target, within=within)
            if isinstance(response, HttpResponse) and response.status in _UNKNOWN_COMMIT:
                return Found(())
            return self.connection.read(response, parse, f"the statuses of {sha}")

        subject = "the list of the commit's statuses"
        return read_pages(read_page, page_size=REPORT_PAGE_SIZE, max_pages=MAX_REPORT_PAGES, subject=subject)
