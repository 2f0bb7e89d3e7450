"""Whether the verdict on a generated history is right."""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.watch.ruling import DETAIL_WAIT_S, EVIDENCE_WAIT_S
from tests.watch.random_history import SETTLED, RandomHistory

WORKFLOWS_WAIT_S = max(DETAIL_WAIT_S, EVIDENCE_WAIT_S)
STALE = 5.0
"""seconds by which an older answer may be behind"""


class Ending(NamedTuple):
    """How a watch ended, and between which seconds its last look was taken."""

    exit: ExitCode
    ended: float
    looked: float
    slack: float = 0.0
    """seconds that a real answer may take"""


def wrong(history: RandomHistory, run: Ending) -> str:
    """Why the verdict is wrong; empty where it is right."""
    if run.exit in {ExitCode.TIMEOUT, ExitCode.UNREACHABLE, ExitCode.DENIED}:
        return f"{run.exit!r}, though the server came back"
    if run.exit is ExitCode.NO_PIPELINE:
        return "" if history.truth(SETTLED) == {None} else "no pipeline, though there was one"
    if run.exit is ExitCode.OK and any(row.red or row.skips for row in history.rows) and _blind(history, run):
        return ""  # the cross-check is made when the detail can be read
    if run.exit is ExitCode.SUPERSEDED and any(row.stopped for row in history.rows) and _blind(history, run):
        return ""  # a newer pipeline of which nothing can be read does not count
    first = run.looked - STALE - run.slack
    window = [run.ended, run.looked, *(first + number * 0.25 for number in range(int(run.slack * 4) + 1))]
    if not any(run.exit in history.truth(t) for t in window):
        return f"{run.exit!r}, but the truth was {[history.truth(t) for t in window[:3]]}"
    return ""


def _blind(history: RandomHistory, run: Ending) -> bool:
    """Whether no look could show the workflows in the time that they are waited for."""
    kinds = {"no-detail", "older"} if not run.slack else {trouble.kind for trouble in history.troubles}
    return any(
        trouble.kind in kinds
        and trouble.since <= run.ended
        and trouble.until >= run.ended - WORKFLOWS_WAIT_S - 1 - 3 * run.slack
        for trouble in history.troubles
    )
