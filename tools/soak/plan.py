"""The plan of one run, drawn from a seed and a number, so that it can be repeated."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TypeVar

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.faults import (
    BodyFault,
    Cut,
    Drip,
    FaultPoint,
    FaultRule,
    Hang,
    HttpFault,
    NotHttp,
    Slow,
    StatusFault,
    Truncated,
)
from homelab_hooks.simulators.git_http import GitFault, GitService
from homelab_hooks.simulators.kubernetes.rollouts import RolloutEnding
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline

T = TypeVar("T")


class RunKind(StrEnum):
    """What is run."""

    LAND = "land"
    WATCH = "watch"
    DEPLOY = "deploy"
    PUSHED = "pushed"


class Disk(StrEnum):
    """What is wrong with the place of our own files."""

    WELL = "well"
    FILE = "a file in its place"
    FULL = "full"
    """the whole clone, on a tmpfs"""
    READ_ONLY = "read-only"
    """the whole .git, mounted once more"""


MOUNTED = frozenset({Disk.FULL, Disk.READ_ONLY})


@dataclass(frozen=True, slots=True)
class Strike:
    """A signal, seconds after the start; `whole`: to the whole process group."""

    number: signal.Signals
    after: float
    whole: bool


@dataclass(frozen=True, slots=True)
class Outage:
    """The server is away from `since` seconds on; for good where it lasts for ever."""

    since: float
    seconds: float


@dataclass(frozen=True, slots=True)
class GitTrouble:
    """So many requests of this kind meet a fault."""

    service: GitService
    fault: GitFault
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run."""

    number: int
    kind: RunKind
    ci: str
    seconds: float
    """of the pipeline, or of each new pod"""
    rules: tuple[FaultRule, ...] = ()
    outage: Outage | None = None
    skew: float = 0.0
    git: GitTrouble | None = None
    disk: Disk = Disk.WELL
    strike: Strike | None = None
    proceeds: bool = True
    """whether a landing that was cut short is continued, or given up"""
    other: str = "nothing"
    verify: str = "true"
    strategy: str = "merge"
    moods: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """The kinds of fault in it, for the figures."""
        found = [f"network: {type(rule.fault).__name__.lower()}" for rule in self.rules]
        found += [f"cluster: {mood}" for mood in self.moods]
        if self.outage:
            found.append("server: gone for good" if self.outage.seconds > FOR_GOOD else "server: restarted")
        if self.git:
            found.append(f"git server: {self.git.fault.name.lower()}")
        if self.strike:
            found.append(f"signal: {self.strike.number.name}{' (group)' if self.strike.whole else ''}")
        found += [f"clock: {self.skew:+.0f} s"] if self.skew else []
        found += [f"disk: {self.disk}"] if self.disk is not Disk.WELL else []
        found += [f"another developer: {self.other}"] if self.other != "nothing" else []
        return tuple(found) or ("none",)


FOR_GOOD = 1000.0
TRUTH: Mapping[str, ExitCode] = {
    "green": ExitCode.OK,
    "red": ExitCode.FAILED,
    "killed": ExitCode.CANCELLED,
    "blocked": ExitCode.BLOCKED,
    "error": ExitCode.FAILED,
    "never": ExitCode.NO_PIPELINE,
    "stuck": ExitCode.TIMEOUT,
}
ENDINGS: Mapping[str, tuple[RolloutEnding | None, ExitCode]] = {
    "done": (RolloutEnding.DONE, ExitCode.OK),
    "crash": (RolloutEnding.CRASH, ExitCode.ROLLOUT_FAILED),
    "pull": (RolloutEnding.PULL, ExitCode.ROLLOUT_FAILED),
    "none": (None, ExitCode.TIMEOUT),
}
OFTEN = ("green", "green", "green", "red", "red", "killed", "blocked", "error", "never", "stuck")
PLAYS: Mapping[str, Callable[[float], PipelineTimeline]] = {
    "green": timelines.make_green,
    "red": partial(timelines.make_red, log=["boom"]),
    "killed": timelines.make_cancelled,
    "blocked": lambda _: timelines.make_blocked(),
    "error": lambda after: timelines.make_config_error("line 3", after=after),
    "never": lambda _: timelines.make_no_pipeline(),
    "stuck": lambda _: timelines.make_stuck(),
}
LISTS = "pipelines"


def drawn(seed: int, number: int, *, mounts: bool) -> Plan:
    """The plan of a run; the same whenever it is drawn."""
    dice = random.Random(f"{seed}/{number}")  # noqa: S311 - a test's dice
    kind = dice.choice([RunKind.LAND, RunKind.LAND, RunKind.WATCH, RunKind.DEPLOY, RunKind.PUSHED])
    return Plan(
        number=number,
        kind=kind,
        ci=dice.choice(["done", "done", "done", "crash", "pull", "none"] if kind is RunKind.DEPLOY else OFTEN),
        seconds=round(dice.uniform(0.2, 2.0), 2),
        rules=() if kind is RunKind.DEPLOY else _rules(dice),
        outage=None if kind is RunKind.DEPLOY else _outage(dice),
        skew=_at_times(dice, 0.2, 0.0, lambda: dice.choice([-86400.0, -300.0, 300.0, 7200.0, 31536000.0])),
        git=_git(dice, kind),
        disk=_disk(dice, kind, mounts=mounts),
        strike=_strike(dice),
        proceeds=dice.random() < 0.6,
        other=dice.choice(["nothing", "before", "race", "conflict"]) if kind is RunKind.LAND else "nothing",
        verify=dice.choice(["true", "true", "sleep 0.3", "sleep 0.3", "exit 1"]),
        strategy=dice.choice(["merge", "merge", "rebase"]),
        moods=_moods(dice) if kind is RunKind.DEPLOY else (),
    )


def _at_times(dice: random.Random, share: float, otherwise: T, make: Callable[[], T]) -> T:
    return make() if dice.random() < share else otherwise


def _rules(dice: random.Random) -> tuple[FaultRule, ...]:
    kinds: Sequence[HttpFault] = (
        Cut(FaultPoint.BEFORE), Cut(FaultPoint.HEADERS), Cut(FaultPoint.BODY), Cut(FaultPoint.BEFORE, reset=False),
        Hang(FaultPoint.BEFORE, 1.5), Hang(FaultPoint.HEADERS, 1.5), Hang(FaultPoint.BODY, 1.5), Slow(1.0), Drip(0.002),
        StatusFault(code=500), StatusFault(code=502), StatusFault(code=503), StatusFault(code=429, retry_after=1.0),
        BodyFault(), NotHttp(),
        Truncated(), Truncated(chunked=True),
    )  # fmt: skip
    found = []
    for _ in range(dice.choice([0, 0, 1, 1, 2, 3])):
        first = dice.randint(0, 5)
        path = dice.choice(["", LISTS, LISTS, "stream", "repos"])
        found.append(FaultRule(fault=dice.choice(kinds), path=path, first=first, last=first + dice.randint(0, 3)))
    return tuple(found)


def _outage(dice: random.Random) -> Outage | None:
    roll, since = dice.random(), round(dice.uniform(0.2, 2.0), 2)
    if roll < 0.12:
        return Outage(since, round(dice.uniform(0.1, 1.5), 2))
    return Outage(since, 2 * FOR_GOOD) if roll < 0.2 else None


def _git(dice: random.Random, kind: RunKind) -> GitTrouble | None:
    if kind not in {RunKind.LAND, RunKind.PUSHED}:
        return None
    faults = [GitFault.DROP, GitFault.LOSE_ANSWER, GitFault.UNAVAILABLE, GitFault.TOO_MANY, GitFault.FORBIDDEN]
    return _at_times(
        dice,
        0.3,
        None,
        lambda: GitTrouble(dice.choice(list(GitService)), dice.choice(faults), dice.choice([1, 1, 2, 9])),
    )


def _disk(dice: random.Random, kind: RunKind, *, mounts: bool) -> Disk:
    if kind not in {RunKind.LAND, RunKind.PUSHED}:
        return Disk.WELL
    found = _at_times(dice, 0.2, Disk.WELL, lambda: dice.choice([Disk.FILE, Disk.FULL, Disk.READ_ONLY]))
    return Disk.FILE if found in MOUNTED and not mounts else found


def _strike(dice: random.Random) -> Strike | None:
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL]
    return _at_times(
        dice, 0.4, None,
        lambda: Strike(dice.choice(numbers), round(dice.uniform(0.05, 2.5), 3), dice.random() < 0.4),
    )  # fmt: skip


def _moods(dice: random.Random) -> tuple[str, ...]:
    known = ("falters", "page", "no watch", "silent watch", "cut", "gone")
    return tuple(dice.choice(known) for _ in range(dice.choice([0, 0, 1, 2])))
