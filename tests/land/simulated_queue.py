"""Landings of several people at once on a branch whose CI cancels the previous pipeline, in played time.

Each person fetches, verifies, polls the queue, and pushes, and decides as `git land --when-busy wait` does.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, RunRef, Status
from homelab_hooks.config.schema import WhenBusy
from homelab_hooks.land.queue_decision import PushNow, TargetTip, decide_push, find_occupants

APPEAR_S = 120.0
POLL_S = 1.5


class PlayedRun(NamedTuple):
    """A pipeline of CI: when it appeared, and when it is to end."""

    number: int
    commit: str
    appears: float
    ends: float
    is_killed: bool = False


@dataclass
class Waiter:
    """A person with one commit to land."""

    number: int
    tip: str = ""
    tip_since: dict[str, float] = field(default_factory=dict)
    waits: bool = False


class SimulatedQueue:
    """Plays eight landings.

    Args:
        webhook_s: the longest time from a push to its pipeline; below the appear-timeout.
        looks_first: whether the queue is polled before a push; False shows what is prevented.
    """

    def __init__(self, *, people: int, webhook_s: float, seed: int, looks_first: bool = True) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - races, no secret
        self._due: list[tuple[float, int, str, Waiter]] = []
        self._steps = 0
        self._webhook_s = webhook_s
        self._looks_first = looks_first
        self._tip = "start"
        self.runs: list[PlayedRun] = []
        self.landed: list[int] = []
        for number in range(people):
            self._at(self._rng.uniform(0, 1), "fetch", Waiter(number))

    def play(self) -> None:
        """Until everyone has landed."""
        while self._due:
            now, _, what, person = heapq.heappop(self._due)
            if what == "fetch":
                person.tip = self._tip
                person.tip_since.setdefault(self._tip, now if self._tip != "start" else -APPEAR_S)
                self._at(now + self._rng.uniform(0.1, 20.0), "poll", person)
            elif what == "poll":
                self._poll(person, now)
            else:
                self._push(person, now)

    def _at(self, when: float, what: str, person: Waiter) -> None:
        self._steps += 1
        heapq.heappush(self._due, (when, self._steps, what, person))

    def _rows(self, now: float) -> tuple[Pipeline, ...]:
        return tuple(
            Pipeline(
                RunRef(run.number, f"#{run.number}"), run.number, "main", "push", "refs/heads/main", "main", run.commit,
                Status.RUNNING if now < run.ends else Status.KILLED if run.is_killed else Status.SUCCESS,
            )
            for run in reversed(self.runs)
            if run.appears <= now
        )  # fmt: skip

    def _poll(self, person: Waiter, now: float) -> None:
        tip = TargetTip(person.tip, person.tip_since[person.tip])
        found = find_occupants(self._rows(now), tip, appeared=frozenset(), now=now, appear_s=APPEAR_S)
        permit = decide_push(found, WhenBusy.WAIT, branch="main", cancels=True, sign="")
        if not self._looks_first or (isinstance(permit, PushNow) and not person.waits):
            self._at(now + self._rng.uniform(0.0, 3.0), "push", person)
        elif isinstance(permit, PushNow):
            person.waits = False
            self._at(now, "fetch", person)
        else:
            person.waits = True
            self._at(now + POLL_S * self._rng.uniform(0.9, 1.0), "poll", person)

    def _push(self, person: Waiter, now: float) -> None:
        if person.tip != self._tip:  # git compares and swaps
            self._at(now, "fetch", person)
            return
        self._tip = f"commit{person.number}"
        self.landed.append(person.number)
        appears = now + self._rng.uniform(0.0, self._webhook_s)
        active = [n for n, run in enumerate(self.runs) if run.ends > appears]
        for n in active:
            self.runs[n] = self.runs[n]._replace(ends=max(appears, self.runs[n].appears), is_killed=True)
        ends = appears + self._rng.uniform(1.0, 300.0)
        self.runs.append(PlayedRun(len(self.runs) + 1, self._tip, appears, ends))
