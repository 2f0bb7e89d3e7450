"""What comes next after a link, and what the chain ends with."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import pytest

from homelab_hooks.config.link_spec import LinkKind
from homelab_hooks.errors import CommandError
from homelab_hooks.events import ChainStarted, Event, LinkResult, PipelineResult, Progress, Stage, StageChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.chain import EndChain, RunLink, decide_next, run_chain
from homelab_hooks.verdict import Verdict

PASSED, FAILED, TIMED_OUT = (Verdict(exit=code) for code in (ExitCode.OK, ExitCode.FAILED, ExitCode.TIMEOUT))
BUILT = PASSED._replace(pipelines=(PipelineResult(number=7, event="push", ref="", status="success", url=""),), url="u")
NOTHING = Verdict(exit=ExitCode.OK, sha="abc")
COMMANDS = ("watch abc", "wait abc")


class SteppingClock:
    """A clock that advances one second at each reading."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        self.seconds += 1.0
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def wall(self) -> float:
        return 1_000.0 + self.seconds


@dataclass
class ScriptedLink:
    """A link with a fixed verdict, or an error; None: it is interrupted."""

    stage: Stage
    resume_command: str
    verdict: Verdict | CommandError | None
    calls: list[str] = field(default_factory=list)
    kind: LinkKind = LinkKind.CI
    name: str = "ci"

    def run(self) -> Verdict:
        self.calls.append(self.resume_command)
        if self.verdict is None:
            raise KeyboardInterrupt
        if isinstance(self.verdict, CommandError):
            raise self.verdict
        return self.verdict


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((), RunLink(0)),
        ((PASSED,), RunLink(1)),
        ((PASSED, PASSED), EndChain(PASSED)),
        ((FAILED,), EndChain(FAILED)),
        ((PASSED, FAILED), EndChain(FAILED)),
        ((TIMED_OUT,), EndChain(TIMED_OUT._replace(hint="to resume, run: watch abc"))),
        ((PASSED, TIMED_OUT), EndChain(TIMED_OUT._replace(hint="to resume, run: wait abc"))),
        ((BUILT, FAILED), EndChain(FAILED._replace(pipelines=BUILT.pipelines, url="u"))),
    ],
)
def test_the_next_step_follows_from_the_verdicts(verdicts: tuple[Verdict, ...], expected: RunLink | EndChain) -> None:
    assert decide_next(verdicts, COMMANDS, without_links=NOTHING) == expected


def test_a_chain_without_links_ends_with_the_given_verdict() -> None:
    assert decide_next((), (), without_links=NOTHING) == EndChain(NOTHING)


@pytest.mark.parametrize("code", [code for code in ExitCode if code is not ExitCode.OK])
def test_no_link_begins_after_one_that_did_not_succeed(code: ExitCode) -> None:
    ended = decide_next((Verdict(exit=code),), COMMANDS, without_links=NOTHING)
    assert isinstance(ended, EndChain)
    assert ended.verdict.exit is code


def test_each_link_is_announced_timed_and_can_be_resumed() -> None:
    events: list[Event] = []
    resume: list[str] = []
    links = [
        ScriptedLink(Stage.WATCH, "watch abc", BUILT),
        ScriptedLink(
            Stage.DEPLOY, "wait abc", FAILED._replace(reason="pods crash"), kind=LinkKind.DEPLOY, name="deploy:web/shop"
        ),
        ScriptedLink(Stage.LIVE, "ask", PASSED, kind=LinkKind.LIVE, name="live:https://shop.example.test/"),
    ]

    verdict = run_chain(
        links, without_links=NOTHING, emit=events.append, clock=SteppingClock(), on_resume_command=resume.append
    )

    assert (verdict.exit, verdict.pipelines, verdict.link) == (ExitCode.FAILED, BUILT.pipelines, "deploy:web/shop")
    assert resume == ["watch abc", "wait abc"]
    changed = partial(StageChanged, link="ci")
    assert events == [
        ChainStarted(tuple(link.name for link in links)),
        changed(stage=Stage.WATCH, progress=Progress.STARTED),
        changed(stage=Stage.WATCH, progress=Progress.DONE, took=1.0),
        changed(stage=Stage.DEPLOY, progress=Progress.STARTED, link="deploy:web/shop"),
        changed(stage=Stage.DEPLOY, progress=Progress.FAILED, detail="pods crash", took=1.0, link="deploy:web/shop"),
    ]
    assert [(one.link, one.verdict, one.exit, one.evidence) for one in verdict.links] == [
        ("ci", "passed", ExitCode.OK, ""),
        ("deploy:web/shop", "failed", ExitCode.FAILED, "pods crash"),
        ("live:https://shop.example.test/", "", None, ""),
    ]
    assert verdict.links[0].began == "1970-01-01T00:16:40.000+00:00"
    assert verdict.links[2] == LinkResult(link="live:https://shop.example.test/")


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        (LinkKind.CI, "passed"),
        (LinkKind.ACTIONS, "passed"),
        (LinkKind.STATUS, "passed"),
        (LinkKind.DEPLOY, "deployed"),
        (LinkKind.LIVE, "live"),
        (LinkKind.MIRROR, "ok"),
        (LinkKind.RUN, "ok"),
    ],
)
def test_the_last_link_names_the_success(kind: LinkKind, label: str) -> None:
    links = [ScriptedLink(Stage.WATCH, "w", PASSED), ScriptedLink(Stage.LIVE, "x", PASSED, kind=kind, name="last")]
    verdict = run_chain(links, without_links=NOTHING, emit=lambda _: None, clock=SteppingClock())
    assert (verdict.exit, verdict.label, verdict.link) == (ExitCode.OK, label, "last")


def test_a_link_that_cannot_begin_is_the_one_that_decides() -> None:
    """Its error is its verdict, so the receipt says how far the commit came."""
    links = [
        ScriptedLink(Stage.WATCH, "w", PASSED),
        ScriptedLink(Stage.MIRROR, "m", CommandError("no remote", exit=ExitCode.DENIED), name="mirror:x"),
    ]
    verdict = run_chain(links, without_links=NOTHING, emit=lambda _: None, clock=SteppingClock())
    assert (verdict.exit, verdict.reason, verdict.link) == (ExitCode.DENIED, "no remote", "mirror:x")
    assert verdict.links[1].verdict == "denied"


def test_an_interrupted_link_ends_its_stage() -> None:
    """The views must not show it as running, and the command that resumes it is known already."""
    events: list[Event] = []
    resume: list[str] = []
    links = [ScriptedLink(Stage.WATCH, "watch abc", None), ScriptedLink(Stage.DEPLOY, "wait abc", PASSED)]

    with pytest.raises(KeyboardInterrupt):
        run_chain(
            links, without_links=NOTHING, emit=events.append, clock=SteppingClock(), on_resume_command=resume.append
        )

    assert resume == ["watch abc"]
    assert links[1].calls == []
    assert events[-1] == StageChanged(
        stage=Stage.WATCH, progress=Progress.FAILED, detail="interrupted", took=1.0, link="ci"
    )
