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
from homelab_hooks.simulators.forge.pulls import CutPoint, MergeCut
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
    PROPOSE = "pull request"
    REVERT = "revert"


LANDINGS = frozenset({RunKind.LAND, RunKind.PROPOSE, RunKind.REVERT})
"""kinds that push with `git land`"""


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
class ProtectedMain:
    """What the forge requires before it merges into main, and what is wrong with its answers."""

    check: str = "green"
    """the required check; none: the branch requires no check"""
    own: str = "green"
    """the pipeline that our CI runs for the pull request"""
    check_s: float = 0.3
    """that the check takes"""
    approvals: int = 0
    style: str = "auto"
    cut: MergeCut | None = None
    """of the first merge"""
    rules: tuple[FaultRule, ...] = ()
    seconds: float = 0.0
    """that the forge checks a moved head or target"""
    deletes: bool = False
    is_github: bool = False

    @property
    def forbids(self) -> bool:
        """Whether nothing may be merged."""
        unchecked = self.check == "none" and self.own == "never"
        return unchecked or self.check in {"red", "never"} or self.own == "red" or self.approvals > 0

    @property
    def loses_webhook(self) -> bool:
        """Whether CI may not be told about the merge."""
        return self.cut is not None and self.cut.point is CutPoint.DURING


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
    main: ProtectedMain | None = None
    """None: main takes direct pushes"""
    fails: bool = False
    """whether the revert follows a rollout that failed, as `--on-failure revert` does it"""

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
        found += _name_forge_faults(self.main) if self.main else []
        found += ["rollout: failed"] if self.fails else []
        return tuple(found) or ("none",)


def _name_forge_faults(main: ProtectedMain) -> list[str]:
    found = [f"forge: {type(rule.fault).__name__.lower()}" for rule in main.rules]
    found += [f"forge: merge cut {main.cut.point.name.lower()}"] if main.cut else []
    found += [f"forge: check {main.check}"] if main.check != "green" else []
    found += [f"forge: own pipeline {main.own}"] if main.own != "green" else []
    found += ["forge: approval missing"] if main.approvals else []
    found += ["forge: GitHub"] if main.is_github else []
    return found


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
OF_KIND: Mapping[RunKind, tuple[str, ...]] = {
    RunKind.DEPLOY: ("done", "done", "done", "crash", "pull", "none"),
    RunKind.PROPOSE: ("green", "green", "green", "red", "killed", "blocked", "never"),
    RunKind.REVERT: ("green", "green", "green", "red", "never"),
}
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
    kind = dice.choice([
        RunKind.LAND, RunKind.LAND, RunKind.WATCH, RunKind.DEPLOY, RunKind.PUSHED, RunKind.PROPOSE, RunKind.PROPOSE,
        RunKind.REVERT, RunKind.REVERT,
    ])  # fmt: skip
    proposes = kind is RunKind.PROPOSE or (kind is RunKind.REVERT and dice.random() < 0.5)
    return Plan(
        number=number,
        kind=kind,
        ci=dice.choice(OF_KIND.get(kind, OFTEN)),
        seconds=round(dice.uniform(0.2, 2.0), 2),
        rules=() if kind is RunKind.DEPLOY else _rules(dice),
        outage=None if kind is RunKind.DEPLOY else _outage(dice),
        skew=_at_times(dice, 0.2, 0.0, lambda: dice.choice([-86400.0, -300.0, 300.0, 7200.0, 31536000.0])),
        git=_git(dice, kind),
        disk=_disk(dice, kind, mounts=mounts),
        strike=_strike(dice),
        proceeds=dice.random() < 0.6,
        other=dice.choice(["nothing", "before", "race", "conflict"]) if kind in LANDINGS else "nothing",
        verify=dice.choice(["true", "true", "sleep 0.3", "sleep 0.3", "exit 1"]),
        strategy=dice.choice(["merge", "merge", "rebase"]),
        moods=_moods(dice) if kind is RunKind.DEPLOY else (),
        main=_main(dice) if proposes else None,
        fails=kind is RunKind.REVERT and dice.random() < 0.4,
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
    if kind not in LANDINGS | {RunKind.PUSHED}:
        return None
    faults = [GitFault.DROP, GitFault.LOSE_ANSWER, GitFault.UNAVAILABLE, GitFault.TOO_MANY, GitFault.FORBIDDEN]
    return _at_times(
        dice,
        0.3,
        None,
        lambda: GitTrouble(dice.choice(list(GitService)), dice.choice(faults), dice.choice([1, 1, 2, 9])),
    )


def _disk(dice: random.Random, kind: RunKind, *, mounts: bool) -> Disk:
    if kind not in LANDINGS | {RunKind.PUSHED}:
        return Disk.WELL
    found = _at_times(dice, 0.2, Disk.WELL, lambda: dice.choice([Disk.FILE, Disk.FULL, Disk.READ_ONLY]))
    return Disk.FILE if found in MOUNTED and not mounts else found


def _strike(dice: random.Random) -> Strike | None:
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL]
    return _at_times(
        dice, 0.4, None,
        lambda: Strike(dice.choice(numbers), round(dice.uniform(0.05, 2.5), 3), dice.random() < 0.4),
    )  # fmt: skip


def _main(dice: random.Random) -> ProtectedMain:
    points = list(CutPoint)
    cut = _at_times(dice, 0.35, None, lambda: MergeCut(dice.choice(points), dice.randrange(60)))
    return ProtectedMain(
        check=dice.choice(["green"] * 7 + ["none", "red", "never"]),
        own=dice.choice(["green"] * 8 + ["red", "never"]),
        approvals=int(dice.random() < 0.08),
        style=dice.choice(["auto", "auto", "auto", "merge", "squash", "rebase"]),
        cut=cut,
        rules=_forge_rules(dice),
        seconds=dice.choice([0.0, 0.0, 0.0, 0.5, 2.0]),
        deletes=dice.random() < 0.3,
        is_github=dice.random() < 0.3,
    )


def _forge_rules(dice: random.Random) -> tuple[FaultRule, ...]:
    kinds: Sequence[HttpFault] = (
        Cut(FaultPoint.BEFORE), Cut(FaultPoint.HEADERS), Cut(FaultPoint.BODY), BodyFault(),
        StatusFault(code=500), StatusFault(code=502), StatusFault(code=503), StatusFault(code=429, retry_after=1.0),
    )  # fmt: skip
    found = []
    for _ in range(dice.choice([0, 0, 1, 2])):
        first = dice.randint(0, 6)
        path, last = dice.choice(["", "/pulls", "/merge", "statuses", "branches"]), first + dice.randint(0, 3)
        found.append(FaultRule(fault=dice.choice(kinds), path=path, first=0 if path == "/merge" else first, last=last))
    return tuple(found)


def _moods(dice: random.Random) -> tuple[str, ...]:
    known = ("falters", "page", "no watch", "silent watch", "cut", "gone")
    return tuple(dice.choice(known) for _ in range(dice.choice([0, 0, 1, 2])))
