"""Two hundred of the generated histories over real sockets: no watch may end with a wrong verdict.

A failing seed is printed; `HOMELAB_SEED=N make chaos` runs it alone.
"""

from __future__ import annotations

import os

import pytest

from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.watch.oracle import Ending, wrong
from tests.watch.random_history import generate
from tests.watch.run_over_sockets import Watching, watch
from tests.watch.scripted_history import play
from tests.watch.shared_clock import SharedClock

BATCHES = int(os.environ.get("HOMELAB_BATCHES", "5"))
"""`make soak` plays twenty batches"""
EACH = 20


def verdict(seed: int) -> str:
    """What is wrong with the watch of a history; empty where nothing is."""
    history, time = generate(seed), SharedClock()
    with WoodpeckerSimulator(time) as woodpecker:
        play(woodpecker, history)
        how = Watching(seconds=(900, 90, 180), listen=bool(seed % 2), seed=seed, signs=history.signs)
        ended = watch(woodpecker, how)
        looks = [one.at for one in woodpecker.requests if "pipelines" in one.path]
    why = wrong(history, Ending(ended.verdict.exit, time.now(), looks[-1] if looks else time.now()))
    return f"seed {seed}: {why}" if why else ""


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_watch_over_a_socket_ends_with_a_wrong_verdict(batch: int) -> None:
    alone = os.environ.get("HOMELAB_SEED")
    seeds = [int(alone)] if alone else list(range(batch * EACH, (batch + 1) * EACH))
    bad = [why for seed in seeds if (why := verdict(seed))]
    assert not bad, "\n".join(bad)
