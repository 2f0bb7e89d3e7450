"""Landings of several people at once in played time: each round takes its time, and decides as `git land` does."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from homelab_hooks.git.push_result import PushResult, PushStatus
from homelab_hooks.land.contention import Contention, begins_attempt
from homelab_hooks.land.push_decision import WaitForTurn, decide_after_push

RETRIES = 5
SPREAD = 0.3
"""of the time that rounds take, as the deviation of its logarithm"""


class RacedLanding(NamedTuple):
    """How one landing ended; `overtaken` counts the landings of others since its first fetch."""

    person: int
    landed: bool
    lost_races: int
    overtaken: int
    polls: int


@dataclass
class Person:
    """A person who lands one commit after the other."""

    number: int
    round_s: float
    left: int
    contention: Contention = field(default_factory=Contention)
    fetched_at: float = 0.0
    first_fetch: int = -1
    """landings on the target before it"""
    polls: int = 0


class SimulatedRaces:
    """Plays them.

    Args:
        rounds_s: what a round takes from fetch to push, for each person.
        each: landings of each person.
        pause_s: from a landing to the first fetch of the same person's next.
    """

    def __init__(self, rounds_s: Sequence[float], *, each: int, pause_s: float, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - races, no secret
        self._people = [Person(number, took, each) for number, took in enumerate(rounds_s)]
        self._pause_s = pause_s
        self._due: list[tuple[float, int, str, Person]] = []
        self._steps = 0
        self._landings, self._last = 0, -1.0

    def play(self) -> Iterator[RacedLanding]:
        """Each landing when it ends."""
        for person in self._people:
            self._at(self._rng.uniform(0, person.round_s), "fetch", person)
        while self._due:
            now, _, what, person = heapq.heappop(self._due)
            if what == "fetch":
                self._fetch(person, now)
            elif what == "poll":
                self._poll(person, now)
            else:
                yield from self._push(person, now)

    def _at(self, when: float, what: str, person: Person) -> None:
        self._steps += 1
        heapq.heappush(self._due, (when, self._steps, what, person))

    def _fetch(self, person: Person, now: float) -> None:
        if person.first_fetch < 0:
            person.first_fetch = self._landings
        person.fetched_at = now
        self._at(now + person.round_s * self._rng.lognormvariate(0, SPREAD), "push", person)

    def _push(self, person: Person, now: float) -> Iterator[RacedLanding]:
        landed = self._last <= person.fetched_at
        lost = person.contention.lost_races + (not landed)
        result = PushResult(status=PushStatus.ACCEPTED if landed else PushStatus.LOST_RACE)
        decision = decide_after_push(result, tried=lost + landed, attempts=RETRIES, jitter=self._rng.random())
        if isinstance(decision, WaitForTurn):
            person.contention = person.contention.lost_race(now - person.fetched_at)
            self._poll(person, now)
            return
        yield RacedLanding(person.number, landed, lost, self._landings - person.first_fetch, person.polls)
        if landed:
            self._landings, self._last, person.left = self._landings + 1, now, person.left - 1
        person.contention, person.first_fetch, person.polls = Contention(), -1, 0
        if person.left:
            self._at(now + self._pause_s * self._rng.uniform(0.8, 1.2), "fetch", person)

    def _poll(self, person: Person, now: float) -> None:
        before = person.contention
        person.contention = before.polled(str(self._landings), now)
        person.polls += 1
        if begins_attempt(before, person.contention, now=now, draw=self._rng.random()):
            self._at(now, "fetch", person)
        else:
            self._at(now + person.contention.poll_interval_s(self._rng.random()), "poll", person)
