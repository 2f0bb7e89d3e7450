"""Maps the state of a commit status or a check to the CI model."""

from __future__ import annotations

from homelab_hooks.ci.forge_api import WORDS
from homelab_hooks.ci.model import Status
from homelab_hooks.text.commit_report import CommitReport

STATES = {
    "pending": Status.PENDING,
    "success": Status.SUCCESS,
    "failure": Status.FAILURE,
    "error": Status.FAILURE,
    "skipped": Status.SKIPPED,
}
"""every other state, such as Gitea's `warning`, is unknown: any text can be posted, and is given back"""


def read_report_status(report: CommitReport) -> Status:
    """Return the status of a report; a check in error is a failure, because no configuration here can repair it."""
    if not report.app:
        return STATES.get(report.word, Status.UNKNOWN)
    status = WORDS.get(report.word, Status.UNKNOWN)
    return Status.FAILURE if status is Status.ERROR else status
