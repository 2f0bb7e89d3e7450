"""Fifty landings by five people at once into one branch: all end, and what was verified is what was pushed."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.clock import SystemClock
from homelab_hooks.demo.workshop import Checkout, Workshop
from homelab_hooks.land import land
from homelab_hooks.land.request import Command, Parts, Request
from homelab_hooks.verdict import Verdict

PEOPLE = ["ann", "bob", "carol", "dave", "eve"]
EACH = 10
SEED = 20261124
RECORD = "git rev-parse HEAD^{tree} >>../verified"


class HastyClock(SystemClock):
    """Waits a tenth of what it is asked to."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / 10)


@pytest.mark.slow
def test_fifty_landings_by_five_people_all_end_and_each_landed_tree_was_verified(
    workshop: Workshop, parts: Callable[..., Parts]
) -> None:
    clones = {name: workshop.clone(name, topic=name) for name in PEOPLE}
    verdicts: list[Verdict] = []

    def work(name: str, clone: Checkout) -> None:
        jitter = random.Random(f"{SEED} {name}")  # noqa: S311 - spreads waiting, hides nothing
        made: Any = {"clock": HastyClock(), "jitter": jitter.random, "tell": lambda _: None}
        for number in range(EACH):
            clone.commit(f"{name}{number}")
            verdicts.append(land.run(Request(verify=Command(RECORD, "told"), attempts=30), parts(clone, **made)))

    threads = [threading.Thread(target=work, args=item) for item in clones.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [verdict.reason for verdict in verdicts if not verdict.landed] == []
    assert len(verdicts) == len(PEOPLE) * EACH
    files = workshop.origin.git("ls-tree", "--name-only", "main").splitlines()
    assert len(files) == len(PEOPLE) * EACH + 1
    verified = set((workshop.folder / "verified").read_text().split())
    for verdict in verdicts:
        assert workshop.origin.git("rev-parse", f"{verdict.sha}^{{tree}}") in verified
        assert workshop.origin.git("merge-base", verdict.sha, "main") == verdict.sha
