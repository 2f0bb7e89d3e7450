"""Random chains with faults on every link: no false success, and the link that is named is the one that broke.

A failing seed is printed; `HOMELAB_SEED=N` runs it alone, `HOMELAB_CHAINS=2000` more of them (`make soak`).
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import pytest
import stamina

from homelab_hooks.ci.woodpecker.client import MAX_ATTEMPTS
from homelab_hooks.config.link_spec import LinkKind
from homelab_hooks.events import Event, Progress, Stage, StageChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.chain import run_chain
from homelab_hooks.follow.link import Link
from homelab_hooks.verdict import Verdict
from tests.follow.random_links import ChainWorld, RandomLink, draw_link
from tests.watch.run_without_sockets import StreamClock

CHAINS = int(os.environ.get("HOMELAB_CHAINS", "200"))
MAX_LINKS = 6
NOTHING = Verdict(exit=ExitCode.OK)
ROUNDING_S = 0.002
SHORTEST_SLEEP_S = 0.0001


@pytest.fixture(autouse=True)
def no_real_pauses() -> Iterator[None]:
    """Retries within one request would wait real time."""
    with stamina.set_testing(True, attempts=MAX_ATTEMPTS):
        yield


class PassingClock(StreamClock):
    """Advances in every sleep, as a real clock does, also if the rest of a timeout is less than a rounding."""

    def sleep(self, seconds: float) -> None:
        super().sleep(max(seconds, SHORTEST_SLEEP_S))


class Run(NamedTuple):
    """One call of a link: its name, when it began and ended."""

    name: str
    began: float
    ended: float


@dataclass
class RecordedLink:
    """A link that records when it is run."""

    inner: Link
    clock: StreamClock
    runs: list[Run]

    @property
    def kind(self) -> LinkKind:
        return self.inner.kind

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def stage(self) -> Stage:
        return self.inner.stage

    @property
    def resume_command(self) -> str:
        return self.inner.resume_command

    def run(self) -> Verdict:
        began = self.clock.now()
        try:
            return self.inner.run()
        finally:
            self.runs.append(Run(self.name, began, self.clock.now()))


class Played(NamedTuple):
    """A chain that has ended."""

    chain: list[RandomLink]
    runs: list[Run]
    verdict: Verdict
    events: list[Event]


def play(seed: int) -> Played:
    draw, clock, events, runs = random.Random(seed), PassingClock(), list[Event](), list[Run]()  # noqa: S311 - repeatable
    world = ChainWorld(draw, clock, events.append)
    chain = [draw_link(world, number) for number in range(draw.randint(1, MAX_LINKS))]
    links = [RecordedLink(one.link, clock, runs) for one in chain]
    verdict = run_chain(links, without_links=NOTHING, emit=events.append, clock=clock)
    return Played(chain, runs, verdict, events)


def find_wrong(played: Played) -> str:
    """Why the verdict of a chain or its receipt is wrong; empty where all is right."""
    names = [one.link.name for one in played.chain]
    receipt, verdict = played.verdict.links, played.verdict
    ran = [run.name for run in played.runs]
    if ran != names[: len(ran)] or [one.link for one in receipt] != names:
        return f"{names} were run as {ran}, with the receipt {[one.link for one in receipt]}"
    for one, entry, run in zip(played.chain, receipt, played.runs, strict=False):
        if entry.exit is None or entry.took is None or abs(entry.took - (run.ended - run.began)) > ROUNDING_S:
            return f"the receipt of {entry.link} has no end, or not its time"
        if why := one.judge(entry.exit, entry.took):
            return f"{entry.link}: {why}"
    codes = [entry.exit for entry in receipt[: len(ran)]]
    if any(code is not ExitCode.OK for code in codes[:-1]):
        return f"a link began after one that did not succeed: {codes}"
    if any(
        (entry.exit, entry.verdict, entry.took, entry.began) != (None, "", None, "") for entry in receipt[len(ran) :]
    ):
        return "a link that did not begin has more than its name"
    return find_wrong_end(played, names[len(ran) - 1], verdict)


def find_wrong_end(played: Played, decided: str, verdict: Verdict) -> str:
    entry = played.verdict.links[len(played.runs) - 1]
    if (verdict.exit, verdict.link) != (entry.exit, decided):
        return f"{verdict.exit!r} of {verdict.link}, but {decided} ended with {entry.exit!r}"
    if verdict.exit is ExitCode.OK and len(played.runs) < len(played.chain):
        return "success before the last link"
    resume = f"to resume, run: resume {decided.partition(':')[2]}"
    if (verdict.hint == resume) != (verdict.exit in {ExitCode.TIMEOUT, ExitCode.UNREACHABLE}):
        return f"{verdict.exit!r} with the hint {verdict.hint!r}"
    began = [datetime.fromisoformat(one.began).timestamp() for one in played.verdict.links if one.began]
    took = [one.took or 0.0 for one in played.verdict.links]
    if any(
        after < before + seconds - ROUNDING_S for before, seconds, after in zip(began, took, began[1:], strict=False)
    ):
        return "a link began before the one in front of it had ended"
    stages = [(event.link, event.progress) for event in played.events if isinstance(event, StageChanged)]
    ends = [Progress.DONE if one.exit is ExitCode.OK else Progress.FAILED for one in played.verdict.links if one.began]
    right = [(run.name, word) for run, end in zip(played.runs, ends, strict=True) for word in (Progress.STARTED, end)]
    return "" if stages == right else f"the views were shown {stages}"


def test_no_random_chain_ends_with_a_wrong_verdict() -> None:
    alone = os.environ.get("HOMELAB_SEED")
    found = [(seed, find_wrong(play(seed))) for seed in ([int(alone)] if alone else range(CHAINS))]
    assert not [f"seed {seed}: {why}" for seed, why in found if why]


def test_the_random_chains_end_in_every_way() -> None:
    """Else the test above would say little: each kind of link breaks, and whole chains succeed."""
    verdicts = [play(seed).verdict for seed in range(min(CHAINS, 200))]
    assert {verdict.link.partition(":")[0] for verdict in verdicts if verdict.exit} == {
        "ci", "actions", "mirror", "live", "deploy", "run",
    }  # fmt: skip
    assert {verdict.exit for verdict in verdicts} >= {ExitCode(code) for code in (0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 124)}
    assert sum(len(verdict.links) > 1 and not verdict.exit for verdict in verdicts) > 10
