"""Reads commit statuses and GitHub's check runs: the newest of each context.

Statuses: forge recordings 04 and 04b (Gitea 1.26); GitHub's have `state` where Gitea's have `status`. Check runs:
"Check runs" in GitHub's REST documentation. GitHub's were not seen on a real server.
"""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.ci.forge_api import read_status, read_time
from homelab_hooks.ci.model import Status
from homelab_hooks.text.json_fields import UnexpectedShape, read_display_text, read_list, read_number, read_object

STATES = {
    "pending": Status.PENDING,
    "success": Status.SUCCESS,
    "failure": Status.FAILURE,
    "error": Status.FAILURE,
    "skipped": Status.SKIPPED,
}
"""every other state, such as Gitea's `warning`, is unknown: any text can be posted, and is given back"""


class ReportedContext(NamedTuple):
    """What one status or check says."""

    id: int
    context: str
    status: Status
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


def parse_statuses(raw: object) -> tuple[ReportedContext, ...]:
    """Read a page of statuses: a list, or an object whose `statuses` may be null. Raises UnexpectedShape."""
    rows = raw if isinstance(raw, list) else read_object(raw).get("statuses")
    return read_list(rows or [], _parse_status)


def _parse_status(raw: object) -> ReportedContext:
    json = read_object(raw)
    word = read_display_text(json, "status") or read_display_text(json, "state")
    return ReportedContext(
        id=read_number(json, "id", required=True),
        context=read_display_text(json, "context"),
        status=STATES.get(word, Status.UNKNOWN),
        word=word,
        description=read_display_text(json, "description"),
        url=read_display_text(json, "target_url"),
        updated=read_time(json, "updated_at", "created_at"),
    )


def parse_check_runs(raw: object) -> tuple[ReportedContext, ...]:
    """Read a page of check runs. Raises UnexpectedShape."""
    rows = read_object(raw).get("check_runs")
    if rows is None:
        raise UnexpectedShape("check_runs is missing")
    return read_list(rows, _parse_check_run)


def _parse_check_run(raw: object) -> ReportedContext:
    json = read_object(raw)
    status, word = read_status(json)
    output = json.get("output")
    app = json.get("app")
    return ReportedContext(
        id=read_number(json, "id", required=True),
        context=read_display_text(json, "name"),
        # A check in error is a failure: there is no configuration of ours to repair.
        status=Status.FAILURE if status is Status.ERROR else status,
        word=word,
        description=read_display_text(read_object(output), "title") if output else "",
        url=read_display_text(json, "html_url"),
        updated=read_time(json, "completed_at", "started_at"),
        app=read_display_text(read_object(app), "slug") or "app" if app else "app",
    )


def select_newest_reports(reports: tuple[ReportedContext, ...]) -> tuple[ReportedContext, ...]:
    """Return the newest report of each context, the contexts in their order of appearance; IDs count upwards."""
    newest: dict[tuple[str, str], ReportedContext] = {}
    for report in sorted(reports, key=lambda report: report.id):
        newest[report.key] = report
    return tuple(newest.values())
