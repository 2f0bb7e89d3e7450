"""Random races of eight landings that wait for the target branch: all land, and no pipeline is cancelled."""

from __future__ import annotations

import pytest

from tests.land.simulated_queue import APPEAR_S, SimulatedQueue

PEOPLE = 8
SEEDS = 100


def play(seed: int, *, webhook_s: float, looks_first: bool = True) -> SimulatedQueue:
    race = SimulatedQueue(people=PEOPLE, webhook_s=webhook_s, seed=seed, looks_first=looks_first)
    race.play()
    return race


@pytest.mark.parametrize(
    "webhook_s", [5.0, *(pytest.param(webhook_s, marks=pytest.mark.slow) for webhook_s in (0.0, APPEAR_S - 30.0))]
)
def test_no_landing_cancels_the_pipeline_of_another(webhook_s: float) -> None:
    """Whatever the order, also while the pipeline of the last push has not appeared yet."""
    for seed in range(SEEDS):
        race = play(seed, webhook_s=webhook_s)
        assert sorted(race.landed) == list(range(PEOPLE)), seed
        assert [run for run in race.runs if run.is_killed] == [], seed


def test_without_the_queue_most_pipelines_are_cancelled() -> None:
    """So the races above could cancel some."""
    killed = [sum(run.is_killed for run in play(seed, webhook_s=5.0, looks_first=False).runs) for seed in range(SEEDS)]
    assert sum(killed) / SEEDS > PEOPLE / 2
