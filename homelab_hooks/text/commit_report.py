"""What a forge reports about a commit: its statuses and GitHub's check runs, the newest of each context.

Statuses: forge recordings 04 and 04b (Gitea 1.26); GitHub's have `state` where Gitea's have `status`. Check runs:
"Check runs" in GitHub's REST documentation. GitHub's were not seen on a real server. A commit status link and the
required checks of a pull request read the same lists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from homelab_hooks.text.json_fields import (
    Json,
    UnexpectedShape,
    read_display_text,
    read_list,
    read_number,
    read_object,
    read_text,
    read_time,
)

MAX_REPORT_PAGES = 20
"""pages of statuses: 1,000 of one commit; a list with more proves nothing"""
REPORT_PAGE_SIZE = 50
"""rows of the longest page that Gitea gives (forge recording 04); GitHub gives up to 100"""


class CommitReport(NamedTuple):
    """What one status or check says; `word` is the forge's own text for its state."""

    id: int
    context: str
    word: str
    description: str = ""
    url: str = ""
    updated: int = 0
    app: str = ""
    """the GitHub app of a check, because two apps may use the same name; empty for a status"""

    @property
    def key(self) -> tuple[str, str]:
        """Return what the newest report counts for."""
        return self.context, self.app


ParseReports = Callable[[object], tuple[CommitReport, ...]]


def parse_statuses(raw: object) -> tuple[CommitReport, ...]:
    """Read a page of statuses: a list, null, or an object whose `statuses` may be null. Raises UnexpectedShape."""
    if raw is None:
        return ()
    rows = raw if isinstance(raw, list) else read_object(raw).get("statuses")
    return read_list(rows or [], _parse_status)


def _parse_status(raw: object) -> CommitReport:
    json = read_object(raw)
    return CommitReport(
        id=read_number(json, "id", required=True),
        context=read_display_text(json, "context"),
        word=read_display_text(json, "status") or read_display_text(json, "state"),
        description=read_display_text(json, "description"),
        url=read_display_text(json, "target_url"),
        updated=read_time(json, "updated_at", "created_at"),
    )


def parse_check_runs(raw: object) -> tuple[CommitReport, ...]:
    """Read a page of check runs. Raises UnexpectedShape."""
    if raw is None:
        return ()
    rows = read_object(raw).get("check_runs")
    if rows is None:
        raise UnexpectedShape("check_runs is missing")
    return read_list(rows, _parse_check_run)


def _parse_check_run(raw: object) -> CommitReport:
    json = read_object(raw)
    output = json.get("output")
    app = json.get("app")
    return CommitReport(
        id=read_number(json, "id", required=True),
        context=read_display_text(json, "name"),
        word=read_run_word(json),
        description=read_display_text(read_object(output), "title") if output else "",
        url=read_display_text(json, "html_url"),
        updated=read_time(json, "completed_at", "started_at"),
        app=read_display_text(read_object(app), "slug") or "app" if app else "app",
    )


def read_run_word(json: Json) -> str:
    """Return the state of a run or a check: only what is completed has a conclusion that counts.

    >>> read_run_word({"status": "in_progress", "conclusion": "success"})
    'in_progress'
    """
    read_text(json, "status", required=True)
    word = read_display_text(json, "status")
    return read_display_text(json, "conclusion") or word if word == "completed" else word


def select_newest_reports(reports: tuple[CommitReport, ...]) -> tuple[CommitReport, ...]:
    """Return the newest report of each context, the contexts in their order of appearance; IDs count upwards."""
    newest: dict[tuple[str, str], CommitReport] = {}
    for report in sorted(reports, key=lambda report: report.id):
        newest[report.key] = report
    return tuple(newest.values())
