"""A few runs of the soak; `make soak` makes hundreds."""

from __future__ import annotations

import os
import sys
from math import inf

import pytest

from tools.soak.lasting import judge
from tools.soak.soak import Soak

COUNT = 12


@pytest.mark.first
@pytest.mark.slow  # real processes under faults
def test_nothing_is_lost_or_wrong_or_left_behind_under_faults() -> None:
    seed = int(os.environ.get("HOMELAB_SEED", "7"))

    report = Soak(seed, minutes=inf, tell=sys.stderr.write).all(COUNT, played=6.0)

    assert report.wrong == []
    assert sum(report.runs.values()) == COUNT


STEADY = [(6, 2), (9, 3), (7, 2)] * 30


@pytest.mark.parametrize(
    ("seen", "grows"),
    [
        (STEADY, False),
        ([(6, 2)] * 30 + [(9, 3), (6, 2), (9, 3)] * 20, False),
        ([(6 + number // 20, 2) for number in range(90)], True),
        ([(6, 2 + number // 20) for number in range(90)], True),
        ([], False),
    ],
    ids=["steady", "peaks that were seen late", "descriptors", "threads", "over at once"],
)
def test_what_is_never_closed_is_growth_and_a_peak_is_not(seen: list[tuple[int, int]], *, grows: bool) -> None:
    assert bool(judge(seen, 0)[1]) is grows
