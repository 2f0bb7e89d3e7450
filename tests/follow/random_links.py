"""Random links in played time: the product's own machines, what their world is like, and which end would be right.

The facts of a link are set when it begins, in seconds from then on; those before 0 have happened already. `judge` knows
the facts and how long the link took, and nothing of the machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from homelab_hooks.ci.provider import Provider
from homelab_hooks.config.link_spec import LinkKind
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event, Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.ci import CiLink
from homelab_hooks.follow.deploy import DeployLink
from homelab_hooks.follow.link import Link
from homelab_hooks.follow.live import LiveLimits, LiveWait, decide_live, start_live
from homelab_hooks.follow.mirror import MirrorLimits, MirrorState, MirrorTip, decide_mirror, start_mirror
from homelab_hooks.follow.polled import PolledLink, PollSource
from homelab_hooks.follow.run_command import judge_exit
from homelab_hooks.git.containment import Containment
from homelab_hooks.net.live import LiveAnswer, Shown
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Poll, Unavailable
from homelab_hooks.simulators.faults import FaultPlan, FaultRule, StatusFault
from homelab_hooks.simulators.forge.runs import ForgeReports
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.system.completed import Completed
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.no_pipeline import CommitFacts
from homelab_hooks.watch.poller import WatchDependencies, WatchRequest
from homelab_hooks.watch.state import WatchScope, WatchTimeouts
from tests.ci.forge_watch import OURS as FORGE_SHA, ForgeInMemory, make_run
from tests.ci.recorded_forge import REPO, contains, make_actions
from tests.ci.values import scope_of
from tests.watch.random_history import OURS
from tests.watch.run_without_sockets import InMemoryWoodpecker, StreamClock

OVERALL_S, APPEAR_S, UNREACHABLE_S, ROLLOUT_S, SETTLE_S = 600.0, 120.0, 180.0, 300.0, 5.0
POLL_GAP_S = 20.0
"""seconds by which an outage may be measured wrongly, and in which a mirror that is up to date is noticed"""
FOREVER_S = 1e9
HERE, MUTE = frozenset({"here", "newer"}), frozenset({"down", "refused"})
WAITED_FOR = frozenset({"behind", "foreign", "missing"})
Judge = Callable[[ExitCode, float], str]
"""why a link was wrong to end with this code after so many seconds; empty: it was right"""


@dataclass(frozen=True)
class RandomLink:
    """A link, and what is right for it."""

    link: Link
    judge: Judge


class ChainWorld(NamedTuple):
    """What the links of a chain share."""

    draw: random.Random
    clock: StreamClock
    emit: Callable[[Event], None]


class Piece(NamedTuple):
    """A fact from a second on."""

    since: float
    fact: str


class Course:
    """Facts that follow each other; the last one holds."""

    def __init__(self, draw: random.Random, facts: Sequence[str], shortest: float, longest: float) -> None:
        pieces, since = [], 0.0
        for fact in draw.choices(facts, k=draw.randint(1, 5)):
            pieces.append(Piece(since, fact))
            since += draw.uniform(shortest, longest)
        self._pieces = pieces

    def at(self, second: float) -> str:
        return next(piece.fact for piece in reversed(self._pieces) if piece.since <= second)

    def runs(self, facts: Iterable[str], until: float, since: float = 0.0) -> list[float]:
        """How long each uninterrupted run of these facts lasted, between two seconds."""
        wanted, found, open_run = set(facts), list[float](), False
        ends = [*(piece.since for piece in self._pieces[1:]), FOREVER_S]
        for piece, end in zip(self._pieces, ends, strict=True):
            begin, end_ = max(piece.since, since), min(end, until)
            if end_ <= begin:
                continue
            if piece.fact in wanted:
                found = [*found[:-1], found[-1] + end_ - begin] if open_run else [*found, end_ - begin]
            open_run = piece.fact in wanted
        return found

    def seen(self, until: float) -> list[str]:
        return [piece.fact for piece in self._pieces if piece.since <= until]


def draw_link(world: ChainWorld, number: int) -> RandomLink:
    """A link of any kind; one in twenty cannot begin."""
    make = world.draw.choice([draw_mirror, draw_live, draw_ci, draw_ci, draw_actions, draw_deploy, draw_run])
    refusal = None
    if world.draw.random() < 0.05:
        exit_ = world.draw.choice([ExitCode.DENIED, ExitCode.USAGE, ExitCode.UNREACHABLE, ExitCode.NO_PIPELINE])
        refusal = CommandError("it cannot begin", exit=exit_)
    made = make(world, number, refusal)
    return RandomLink(made.link, expect(refusal.exit)) if refusal else made


def expect(code: ExitCode, *, since: float = 0.0) -> Judge:
    """Only this code is right; success not before the second at which it became true."""

    def judge(exit_: ExitCode, took: float) -> str:
        if exit_ is not code:
            return f"{exit_!r} instead of {code!r}"
        return f"success after {took}, {since} s before it was true" if exit_ is ExitCode.OK and took < since else ""

    return judge


def raise_if(refusal: CommandError | None) -> None:
    if refusal:
        raise refusal


def draw_mirror(world: ChainWorld, number: int, refusal: CommandError | None) -> RandomLink:
    facts = ["here"] * 5 + ["newer", "behind", "behind", "foreign", "missing", "down", "down", "refused"]
    course = Course(world.draw, facts, 1.0, world.draw.choice([10.0, 60.0, 250.0]))
    limits = MirrorLimits(OVERALL_S, APPEAR_S, UNREACHABLE_S)

    def start() -> tuple[PollSource[MirrorTip], MirrorState]:
        raise_if(refusal)
        state = start_mirror(OURS, "github", "main", limits, world.clock.now())
        return _CourseMirror(course, world.clock), state

    link = PolledLink(
        kind=LinkKind.MIRROR,
        decide=decide_mirror,
        name=f"mirror:{number}",
        start=start,
        resume_command=f"resume {number}",
        clock=world.clock,
        emit=world.emit,
    )
    return RandomLink(link, lambda exit_, took: judge_mirror(course, exit_, took))


class _CourseMirror:
    def __init__(self, course: Course, clock: StreamClock) -> None:
        self._course, self._clock, self._began = course, clock, clock.now()

    def poll(self) -> Poll[MirrorTip]:
        answers: dict[str, Poll[MirrorTip]] = {
            "here": Found(MirrorTip(OURS, Containment.CONTAINS)),
            "newer": Found(MirrorTip("b" * 40, Containment.CONTAINS)),
            "behind": Found(MirrorTip("c" * 40, Containment.NOT_CONTAINED, 2)),
            "foreign": Found(MirrorTip("d" * 40, Containment.UNKNOWN)),
            "missing": NotFound(),
            "down": Unavailable("connection refused"),
            "refused": Denied("access denied"),
        }
        return answers[self._course.at(self._clock.now() - self._began)]


def judge_mirror(course: Course, exit_: ExitCode, took: float) -> str:
    last, slack = course.at(took), POLL_GAP_S * (1 + len(course.runs(MUTE, took)))
    silence = course.runs(MUTE, took, took - UNREACHABLE_S + POLL_GAP_S)
    contact = took - sum(course.runs(MUTE, took))
    is_mute = last in MUTE and sum(silence) >= UNREACHABLE_S - POLL_GAP_S - 0.01
    # an answer between two polls that are far apart may not have been heard
    is_unheard = course.at(0.0) in MUTE and max(course.runs(HERE | WAITED_FOR, took), default=0.0) <= POLL_GAP_S
    right = {
        ExitCode.OK: last in HERE,
        ExitCode.NO_PIPELINE: last in WAITED_FOR and abs(contact - APPEAR_S) <= slack,
        ExitCode.UNREACHABLE: is_mute,
        ExitCode.DENIED: last == "refused" and (is_mute or is_unheard),
        ExitCode.TIMEOUT: last not in HERE and took >= OVERALL_S,
    }
    if not right.get(exit_):
        return f"{exit_!r} after {took:.0f} s, at the end it was {last}; in contact for {contact:.0f} s"
    missed = exit_ is not ExitCode.OK and max(course.runs(HERE, took), default=0.0) > POLL_GAP_S
    return f"{exit_!r}, though the mirror had the commit for long" if missed else ""


def draw_live(world: ChainWorld, number: int, refusal: CommandError | None) -> RandomLink:
    facts = ["ours"] * 5 + ["other", "nameless", "silent"]
    course = Course(world.draw, facts, 1.5, world.draw.choice([4.0, 20.0, 100.0]))

    def start() -> tuple[PollSource[LiveAnswer], LiveWait]:
        raise_if(refusal)
        limits = LiveLimits(ROLLOUT_S, SETTLE_S)
        return _CourseService(course, world.clock), start_live(OURS, limits, url="", now=world.clock.now())

    link = PolledLink(
        kind=LinkKind.LIVE,
        decide=decide_live,
        name=f"live:{number}",
        start=start,
        resume_command=f"resume {number}",
        clock=world.clock,
        emit=world.emit,
    )
    return RandomLink(link, lambda exit_, took: judge_live(course, exit_, took))


class _CourseService:
    def __init__(self, course: Course, clock: StreamClock) -> None:
        self._course, self._clock, self._began = course, clock, clock.now()

    def poll(self) -> Poll[LiveAnswer]:
        fact = self._course.at(self._clock.now() - self._began)
        return Found(LiveAnswer(Shown[fact.upper()], fact))


def judge_live(course: Course, exit_: ExitCode, took: float) -> str:
    """The pieces last longer than the second between two requests, so each of them is seen."""
    said = [fact for fact in course.seen(took) if fact != "silent"]
    if exit_ is ExitCode.OK:
        is_true = course.at(took) == "ours" and sum(course.runs({"ours"}, took, took - SETTLE_S)) >= SETTLE_S - 0.01
        return "" if is_true else "success, though it did not name the commit throughout the settle time"
    codes = {"other": ExitCode.TIMEOUT, "ours": ExitCode.TIMEOUT, "nameless": ExitCode.ROLLOUT_UNPROVEN}
    right = codes[said[-1]] if said else ExitCode.ROLLOUT_FAILED
    if exit_ is not right or took < ROLLOUT_S:
        return f"{exit_!r} after {took:.0f} s instead of {right!r}"
    missed = max(course.runs({"ours"}, took), default=0.0) > SETTLE_S + 2
    return f"{exit_!r}, though it named the commit for long" if missed else ""


class Outage(NamedTuple):
    """Seconds from the begin of a link in which a server gives no usable answer."""

    since: float
    until: float


def draw_outage(draw: random.Random) -> Outage:
    """None for most; else so short that it must not change the end, or for ever."""
    kind = draw.choice(["none"] * 5 + ["short"] * 4 + ["forever"])
    since = draw.uniform(0.0, 40.0) if kind == "short" else 0.0
    return Outage(since, {"none": since, "forever": FOREVER_S}.get(kind, since + draw.uniform(1.0, 80.0)))


def draw_ci(world: ChainWorld, number: int, refusal: CommandError | None) -> RandomLink:
    draw = world.draw
    took = draw.uniform(2.0, 200.0)
    green = (timelines.make_green(took), ExitCode.OK)
    script, code = draw.choice(
        [
            *[green] * 12,
            (timelines.make_red(seconds=took), ExitCode.FAILED),
            (timelines.make_cancelled(took), ExitCode.CANCELLED),
            (timelines.make_blocked(), ExitCode.BLOCKED),
            (timelines.make_config_error(), ExitCode.FAILED),
            (timelines.make_no_pipeline(), ExitCode.NO_PIPELINE),
            (timelines.make_created_then_gone(), ExitCode.NO_PIPELINE),
            (timelines.make_stuck(), ExitCode.TIMEOUT),
            (timelines.make_pending(), ExitCode.TIMEOUT),
        ]
    )
    outage, created = draw_outage(draw), draw.uniform(-150.0, 30.0)
    token, kind = (
        draw.choice(["alice-token"] * 19 + ["expired"]),
        draw.choice([FailureKind.CONNECTION, FailureKind.STATUS]),
    )
    if outage.until == FOREVER_S:
        code = ExitCode.UNREACHABLE
    elif token == "expired":
        code = ExitCode.DENIED

    def build() -> tuple[WatchRequest, WatchDependencies]:
        raise_if(refusal)
        began = world.clock.t

        def fail(path: str, t: float) -> RequestFailed | HttpResponse | None:
            del path
            return RequestFailed(kind, "down") if outage.since <= t - began < outage.until else None

        ci = InMemoryWoodpecker(stream="", token=token, clock=world.clock, bad=fail)
        ci.push(script, at=began + created)
        timeouts = WatchTimeouts(OVERALL_S, APPEAR_S, UNREACHABLE_S)
        return WatchRequest(scope=scope_of(OURS), repo_names=("acme/app",), timeouts=timeouts), ci.sources()

    link = CiLink(
        build=build, resume_command=f"resume {number}", clock=world.clock, emit=world.emit, name=f"ci:{number}"
    )
    return RandomLink(link, expect(code, since=created + took))


def draw_actions(world: ChainWorld, number: int, refusal: CommandError | None) -> RandomLink:
    draw = world.draw
    took, outage, created = draw.uniform(2.0, 100.0), draw_outage(draw), draw.uniform(-100.0, 30.0)
    word, code = draw.choice(
        [
            *[("success", ExitCode.OK)] * 8,
            ("failure", ExitCode.FAILED),
            ("cancelled", ExitCode.CANCELLED),
            ("action_required", ExitCode.BLOCKED),
            ("skipped", ExitCode.NO_PIPELINE),
            ("in_progress", ExitCode.TIMEOUT),
        ]
    )
    is_late_red = word == "success" and created > 0.0 and draw.random() < 0.2
    code = ExitCode.FAILED if is_late_red else code
    code = ExitCode.UNREACHABLE if outage.until == FOREVER_S else code

    def build() -> tuple[WatchRequest, WatchDependencies]:
        raise_if(refusal)
        began = world.clock.t
        begin = began + created
        runs = [make_run(1, (begin, "queued"), (begin + took, word))]
        if is_late_red:
            runs.append(make_run(2, (begin + took + 8.0, "queued"), (begin + took + 12.0, "failure")))
        down = FaultRule(fault=StatusFault(code=503), path=".", since=began + outage.since, until=began + outage.until)
        plan = FaultPlan()
        plan.rules = (down,) if outage.until > outage.since else ()
        forge = ForgeInMemory(world.clock, ForgeReports(runs), faults=plan)
        return _build_actions(make_actions(forge, FORGE_SHA))

    link = CiLink(
        build=build, resume_command=f"resume {number}", clock=world.clock, emit=world.emit, name=f"actions:{number}",
        kind=LinkKind.ACTIONS, stage=Stage.ACTIONS,
    )  # fmt: skip
    return RandomLink(link, expect(code, since=created + took))


def _build_actions(ci: Provider) -> tuple[WatchRequest, WatchDependencies]:
    scope = WatchScope(sha=FORGE_SHA, events=frozenset({"push"}), branch="main")
    timeouts = WatchTimeouts(OVERALL_S, APPEAR_S, UNREACHABLE_S)
    request = WatchRequest(scope=scope, repo_names=(REPO,), timeouts=timeouts)
    return request, WatchDependencies(ci=ci, contains=contains, commit_facts=CommitFacts)


def draw_deploy(world: ChainWorld, number: int, refusal: CommandError | None) -> RandomLink:
    """Scripted: a rollout has random histories of its own."""
    codes = [
        ExitCode.ROLLOUT_FAILED,
        ExitCode.ROLLOUT_UNPROVEN,
        ExitCode.TIMEOUT,
        ExitCode.UNREACHABLE,
        ExitCode.DENIED,
    ]
    code, seconds = world.draw.choice([*[ExitCode.OK] * 12, *codes]), world.draw.uniform(0.0, ROLLOUT_S)

    def wait() -> Verdict:
        raise_if(refusal)
        world.clock.sleep(seconds)
        return Verdict(exit=code, sha=OURS)

    return RandomLink(DeployLink(name=f"deploy:{number}", wait=wait, resume_command=f"resume {number}"), expect(code))


def draw_run(world: ChainWorld, number: int, refusal: CommandError | None) -> RandomLink:
    """Scripted: the exit code of the command, which the product judges."""
    ended = world.draw.choice([0] * 10 + [1, 2, 9, 10, 124, 127, -9])
    code = {0: ExitCode.OK, 124: ExitCode.TIMEOUT}.get(ended, ExitCode.FAILED)
    seconds = world.draw.uniform(0.0, 60.0)

    def wait() -> Verdict:
        raise_if(refusal)
        world.clock.sleep(seconds)
        return judge_exit(Completed(ended), OURS)

    return RandomLink(DeployLink(name=f"run:{number}", wait=wait, resume_command=f"resume {number}"), expect(code))
