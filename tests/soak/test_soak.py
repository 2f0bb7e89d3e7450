"""A few runs of the soak; `make soak` makes hundreds."""

from __future__ import annotations

import os
import sys
from math import inf

import pytest

from tools.soak.soak import Soak

COUNT = 12


@pytest.mark.first
@pytest.mark.slow  # real processes under faults
def test_nothing_is_lost_or_wrong_or_left_behind_under_faults() -> None:
    seed = int(os.environ.get("HOMELAB_SEED", "7"))

    report = Soak(seed, minutes=inf, tell=sys.stderr.write).all(COUNT, played=6.0)

    assert report.wrong == []
    assert sum(report.runs.values()) == COUNT
