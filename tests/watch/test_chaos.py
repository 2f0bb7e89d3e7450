"""Thousands of random histories with faults: no watch may end with a wrong word.

A failing seed is printed; `HOMELAB_SEED=N make chaos` runs it alone.
"""

from __future__ import annotations

import os

import pytest

from homelab_hooks.exits import Exit
from homelab_hooks.watch.judge import EXPLAIN
from tests.watch.history import SETTLED, History, generate
from tests.watch.simulate import Run, watch

BATCHES = 20
EACH = 500
STALE = 5.0
"""seconds by which an older answer may be behind"""


def wrong(history: History, run: Run) -> str:
    """Why the verdict is wrong; empty where it is right."""
    verdict = run.verdict.exit
    window = (run.ended, run.looks[-1], run.looks[-1] - STALE)
    if verdict in {Exit.TIMEOUT, Exit.UNREACHABLE, Exit.DENIED}:
        return f"{verdict!r}, though the server came back"
    if verdict is Exit.NO_PIPELINE:
        return "" if history.truth(SETTLED) == {None} else "no pipeline, though there was one"
    if verdict is Exit.OK and _blind(history, run):
        return ""  # the cross-check is made when the detail can be had
    if not any(verdict in history.truth(t) for t in window):
        return f"{verdict!r}, but the truth was {[history.truth(t) for t in window]}"
    return ""


def _blind(history: History, run: Run) -> bool:
    """Whether a green row had a red workflow that no look could show in the time that it is waited for."""
    return any(row.red for row in history.rows) and any(
        trouble.kind in {"no-detail", "older"}
        and trouble.since <= run.ended
        and trouble.until >= run.ended - EXPLAIN - 1
        for trouble in history.troubles
    )


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_watch_ends_with_a_wrong_verdict(batch: int) -> None:
    alone = os.environ.get("HOMELAB_SEED")
    seeds = [int(alone)] if alone else range(batch * EACH, (batch + 1) * EACH)
    bad = []
    for seed in seeds:
        history = generate(seed)
        if why := wrong(history, watch(history)):
            bad.append(f"seed {seed}: {why}")

    assert not bad, "\n".join(bad)
