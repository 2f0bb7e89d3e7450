"""Thousands of random histories with faults: no watch may end with a wrong word.

A failing seed is printed; `HOMELAB_SEED=N make chaos` runs it alone.
"""

from __future__ import annotations

import os

import pytest

from tests.watch.oracle import Ending, wrong
from tests.watch.random_history import generate
from tests.watch.simulate import watch

SLOW = pytest.mark.slow  # the same again with other seeds
LAST_BATCH = int(os.environ.get("HOMELAB_BATCHES", "6"))
"""`make soak` plays twenty batches"""
BATCHES = [0, *(pytest.param(batch, marks=SLOW) for batch in range(1, LAST_BATCH))]
EACH = 500


@pytest.mark.parametrize("batch", BATCHES)
def test_no_watch_ends_with_a_wrong_verdict(batch: int) -> None:
    alone = os.environ.get("HOMELAB_SEED")
    seeds = [int(alone)] if alone else range(batch * EACH, (batch + 1) * EACH)
    bad = []
    for seed in seeds:
        history = generate(seed)
        run = watch(history)
        if why := wrong(history, Ending(run.verdict.exit, run.ended, run.looks[-1])):
            bad.append(f"seed {seed}: {why}")

    assert not bad, "\n".join(bad)
