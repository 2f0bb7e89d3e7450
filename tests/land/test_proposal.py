"""Landings on a protected target, on the simulated forge without sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.events import StageChanged, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.forge.merge_outcome import MergeNext
from homelab_hooks.land import interrupt, run as land_run
from homelab_hooks.land.proposal import ForgeRepository, ProposalParts
from homelab_hooks.land.request import LandRequest, VerifyCommand
from homelab_hooks.net.message import HttpResponse
from homelab_hooks.simulators.forge.pulls import CutPoint, MergeCut
from homelab_hooks.simulators.forge.runs import SimulatedStatus
from homelab_hooks.simulators.forge.store import ForgeUser, SimulatedForgeRepo
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.verdict import Verdict
from tests.forge.simulated_pulls import REPO
from tests.land.protected_world import TIMEOUT_S, Parts, ProtectedWorld
from tests.support.clock import FakeClock

pytestmark = pytest.mark.slow  # many processes of git


@pytest.fixture
def world(workshop: ScratchRepositories, parts: Parts, events: Any, clock: FakeClock) -> ProtectedWorld:
    return ProtectedWorld(workshop, parts, events, clock)


def test_a_green_request_is_merged_and_confirmed(world: ProtectedWorld) -> None:
    verdict = world.land()
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict
    assert (verdict.proposed, verdict.tree) == (world.pulls.head, "")
    assert world.pulls.target == world.pulls.head  # a fast-forward
    assert world.watched == [world.pulls.head]
    assert world.events.stages() == [
        *((name, "done") for name in ("preflight", "fetch")),
        ("merge", "skipped"),
        *((name, "done") for name in ("verify", "propose", "checks", "submit", "confirm")),
    ]


@pytest.mark.parametrize("style", [MergeStyle.MERGE, MergeStyle.SQUASH])
def test_the_merge_commit_is_what_landed(world: ProtectedWorld, style: MergeStyle) -> None:
    verdict = world.land(style=style)
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict
    assert verdict.proposed == world.pulls.head != verdict.sha
    assert verdict.tree == ""


@pytest.mark.parametrize("point", CutPoint)
def test_a_lost_answer_is_settled_by_the_target(world: ProtectedWorld, point: CutPoint) -> None:
    world.repo.merge_cuts.append(MergeCut(point, 20))
    verdict = world.land()
    merges = [one for one in world.pulls.requests if one.path.endswith("/merge")]
    assert len(merges) == 1
    if point is CutPoint.BEFORE:
        assert (verdict.exit, verdict.landed) == (ExitCode.UNREACHABLE, False), verdict
        verdict = land_run.continue_landing(world.dependencies())
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.head), verdict
    assert any("may not have notified CI" in text for text in world.texts) == (point is CutPoint.DURING)


def approve_nothing(world: ProtectedWorld) -> None:
    world.repo.protections["main"].approvals = 1


def close_request(world: ProtectedWorld) -> None:
    world.on_watch = lambda: setattr(world.repo.pulls[0], "is_open", False)


def move_head(world: ProtectedWorld) -> None:
    world.on_watch = lambda: world.pulls.move_behind("topic", "theirs")


def set_own(exit_: ExitCode) -> Callable[[ProtectedWorld], None]:
    def prepare(world: ProtectedWorld) -> None:
        world.own = Verdict(exit_, reason="#7 decided")

    return prepare


def set_state(state: str) -> Callable[[ProtectedWorld], None]:
    def prepare(world: ProtectedWorld) -> None:
        world.state = state

    return prepare


def require_nothing(world: ProtectedWorld) -> None:
    world.repo.protections["main"].contexts = None
    world.own = Verdict(ExitCode.NO_PIPELINE)


def be_a_draft(world: ProtectedWorld) -> None:
    world.on_watch = lambda: setattr(world.repo.pulls[0], "title", "WIP: later")


def break_forge(world: ProtectedWorld) -> None:
    world.on_watch = lambda: setattr(world.pulls, "is_down", True)


UNHAPPY = {
    "a red check": (set_state("failure"), ExitCode.VERIFY_FAILED, "ci/test is failure"),
    "a warning": (set_state("warning"), ExitCode.TIMEOUT, "ci/test"),
    "a check that never appears": (set_state(""), ExitCode.PROTECTED, "ci/*"),
    "a red pipeline": (set_own(ExitCode.FAILED), ExitCode.VERIFY_FAILED, "#7"),
    "a cancelled pipeline": (set_own(ExitCode.CANCELLED), ExitCode.VERIFY_FAILED, "#7"),
    "a superseded pipeline": (set_own(ExitCode.SUPERSEDED), ExitCode.VERIFY_FAILED, "#7"),
    "a blocked pipeline": (set_own(ExitCode.BLOCKED), ExitCode.PROTECTED, "#7"),
    "CI out of reach": (set_own(ExitCode.UNREACHABLE), ExitCode.UNREACHABLE, "#7"),
    "a slow pipeline": (set_own(ExitCode.TIMEOUT), ExitCode.TIMEOUT, "#7"),
    "nothing that checks": (require_nothing, ExitCode.PROTECTED, "nothing checks"),
    "a missing approval": (approve_nothing, ExitCode.PROTECTED, "Does not have enough approvals"),
    "a closed request": (close_request, ExitCode.PROTECTED, "was closed"),
    "a draft": (be_a_draft, ExitCode.PROTECTED, "is a draft"),
    "a moved head": (move_head, ExitCode.REFUSED, "branch was moved"),
    "a forge that is down": (break_forge, ExitCode.UNREACHABLE, "connection refused"),
}


@pytest.mark.parametrize("name", UNHAPPY)
def test_nothing_lands(world: ProtectedWorld, name: str) -> None:
    prepare, exit_, text = UNHAPPY[name]
    prepare(world)
    before = world.pulls.target
    verdict = world.land()
    assert (verdict.exit, verdict.landed) == (exit_, False), verdict
    assert text in verdict.reason
    assert verdict.hint
    assert verdict.url == "https://git.example.test/acme/app/pulls/1"
    assert world.pulls.target == before
    if land_run.pending_landing(world.dependencies().git):
        assert exit_ in {ExitCode.UNREACHABLE, ExitCode.TIMEOUT}
        assert land_run.abort_landing(world.dependencies()).exit is ExitCode.OK


def test_a_check_that_is_pending_after_slow_pipelines_is_waited_for(world: ProtectedWorld) -> None:
    """Our own pipelines took the whole timeout; the required check is reported a little later."""
    world.state = "pending"

    def take_long() -> None:
        world.clock.time += TIMEOUT_S
        green = SimulatedStatus(9, world.pulls.head, "ci/test", "success", world.clock.now() + 300.0)
        world.repo.reports.statuses.append(green)

    world.on_watch = take_long
    verdict = world.land()
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True), verdict
    assert any(isinstance(event, Waiting) and "ci/test" in event.reason for event in world.events.events)


def test_again_after_the_cause_is_gone_the_open_request_is_merged(world: ProtectedWorld) -> None:
    world.state = "failure"
    assert world.land().exit is ExitCode.VERIFY_FAILED
    world.state = "success"
    verdict = world.land()
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True), verdict
    assert len(world.repo.pulls) == 1


def test_a_moved_target_is_merged_and_checked_again(world: ProtectedWorld) -> None:
    world.repo.before_merge = lambda: world.pulls.move_behind("main", "other")
    first = world.pulls.head
    verdict = world.land()
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict
    assert len(world.watched) == 2
    assert world.watched[0] == first
    assert verdict.tree == ""


@pytest.mark.parametrize("status", [500, 502])
def test_an_error_of_the_forge_is_not_taken_for_a_moved_target(world: ProtectedWorld, status: int) -> None:
    """Found by the soak: an empty 500 to a fast-forward, which Gitea also answers if the target has moved."""
    world.pulls.replies["/merge"] = HttpResponse(status, {}, b"", 0.1)
    verdict = world.land()
    assert (verdict.exit, verdict.landed) == (ExitCode.UNREACHABLE, False), verdict
    assert not any("merging it again" in text for text in world.texts)
    assert sum(one.path.endswith("/merge") for one in world.pulls.requests) == 1
    world.pulls.replies.clear()
    verdict = land_run.continue_landing(world.dependencies())
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True), verdict


def test_a_change_that_came_between_is_reported(world: ProtectedWorld) -> None:
    """A merge commit on a target that moved after the last look has files that nobody checked."""
    world.on_merge = lambda: world.pulls.move_behind("main", "other")
    verdict = world.land(style=MergeStyle.MERGE)
    assert (verdict.exit, verdict.landed, verdict.tree) == (ExitCode.OK, True, "unverified"), verdict
    assert any("differ from those that were checked" in text for text in world.texts)
    others = world.pulls.clone.git("log", "--max-count=1", "--format=%s", verdict.before)
    assert (verdict.before, others) == (world.pulls.clone.git("rev-parse", f"{verdict.sha}^1"), "add other")


@pytest.mark.parametrize("style", [MergeStyle.FAST_FORWARD, MergeStyle.MERGE, MergeStyle.SQUASH])
def test_the_merge_of_another_person_counts(world: ProtectedWorld, style: MergeStyle) -> None:
    before = world.pulls.target

    def merge() -> None:
        world.pulls.report(world.context, "success")
        assert world.pulls.merge(style, login="alice").next is MergeNext.MERGED

    world.on_watch = merge
    verdict = world.land()
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict
    assert (verdict.before, verdict.tree) == (before, "")
    assert [one.merged_by for one in world.repo.pulls] == ["alice"]


def test_a_merge_by_another_person_that_the_fetch_finds_counts(world: ProtectedWorld) -> None:
    """The landing was cut off before the checks, and the request was merged until it continued."""
    before = world.pulls.target
    interrupt_at(world, "checks", "started")
    world.pulls.report(world.context, "success")
    assert world.pulls.merge(MergeStyle.FAST_FORWARD, login="alice").next is MergeNext.MERGED
    verdict = land_run.continue_landing(world.dependencies())
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict
    assert (verdict.before, len(world.repo.pulls)) == (before, 1)


def test_a_forge_that_goes_down_after_the_refusal_is_asked_again(world: ProtectedWorld) -> None:
    """The first look at the forge shows no protection."""
    rules = world.repo.protections.pop("main")

    def tell(event: Any) -> None:
        world.events(event)
        if isinstance(event, StageChanged) and (event.stage.value, event.progress.value) == ("push", "failed"):
            world.pulls.is_down = True

    verdict = world.land(tell=tell)
    assert (verdict.exit, verdict.landed) == (ExitCode.UNREACHABLE, False), verdict
    world.pulls.is_down = False
    world.repo.protections["main"] = rules
    verdict = land_run.continue_landing(world.dependencies())
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True), verdict


@pytest.mark.parametrize("stage", ["propose", "checks"])
def test_a_forge_that_is_away_for_a_while_is_waited_for_and_that_is_said(world: ProtectedWorld, stage: str) -> None:
    """On change, and once a minute."""

    def tell(event: Any) -> None:
        world.events(event)
        if isinstance(event, StageChanged) and (event.stage.value, event.progress.value) == (stage, "started"):
            world.pulls.is_down = True

    def come_back() -> None:
        world.pulls.is_down &= world.clock.now() < 100.0

    world.clock.while_asleep = come_back
    verdict = world.land(tell=tell)
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True), verdict
    waits = [event for event in world.events.events if isinstance(event, Waiting) and "not respond" in event.reason]
    assert [round(event.elapsed / 60.0) for event in waits] == [0, 1]


def test_a_refusal_of_the_push_leads_to_a_request(world: ProtectedWorld) -> None:
    """The forge shows no protection, and a hook refuses."""
    rules = world.repo.protections.pop("main")
    world.pulls.before_send["/pulls/main/topic"] = lambda: world.repo.protections.setdefault("main", rules)
    verdict = world.land()
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True), verdict
    assert ("push", "failed") in world.events.stages()
    assert ("submit", "done") in world.events.stages()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda repo: setattr(repo, "archived", True), "archived"),
        (lambda repo: setattr(repo, "styles", frozenset({"squash"})), "neither a fast-forward nor a merge commit"),
        (lambda repo: setattr(repo.protections["main"], "merge_users", frozenset({"alice"})), "may not merge"),
    ],
)
def test_what_the_forge_would_refuse_is_refused_before_the_push(
    world: ProtectedWorld, change: Callable[[SimulatedForgeRepo], None], text: str
) -> None:
    change(world.repo)
    verdict = world.land()
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False), verdict
    assert text in verdict.reason
    assert world.repo.pulls == []


def test_a_token_that_only_reads_is_refused_before_the_push(world: ProtectedWorld) -> None:
    """The forge shows what bob may do, not what the token may."""
    world.pulls.store.users = [ForgeUser("bob", tokens={"bob-token": frozenset({"read:repository"})})]
    before, commit = world.pulls.git.branches(), world.pulls.clone.commit("later")
    verdict = world.land()
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False), verdict
    assert "write:repository" in verdict.hint
    assert (world.pulls.git.branches(), world.repo.pulls, world.pulls.clone.head) == (before, [], commit)


def test_an_unprotected_target_is_pushed_to(world: ProtectedWorld) -> None:
    world.repo.protections.clear()
    (world.pulls.git.path / "hooks" / "pre-receive").unlink()
    verdict = world.land()
    assert (verdict.exit, verdict.landed, verdict.proposed) == (ExitCode.OK, True, ""), verdict
    assert world.repo.pulls == []


def test_a_dry_run_names_the_request_and_pushes_nothing(world: ProtectedWorld) -> None:
    request = LandRequest(verify=VerifyCommand("true", "the test"), dry_run=True)
    verdict = land_run.land_branch(request, world.dependencies())
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, False), verdict
    assert "would open or find the pull request of topic into main, and merge it once it is green" in world.texts
    assert world.repo.pulls == []


INTERRUPTED = ("propose", "checks", "submit", "confirm")


def interrupt_at(world: ProtectedWorld, stage: str, progress: str) -> None:
    """Land until a stage begins or ends, and raise KeyboardInterrupt there."""

    def tell(event: Any) -> None:
        world.events(event)
        if isinstance(event, StageChanged) and (event.stage.value, event.progress.value) == (stage, progress):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.land(tell=tell)


@pytest.mark.parametrize("progress", ["started", "done"])
@pytest.mark.parametrize("stage", INTERRUPTED)
def test_continue_after_an_interrupt_lands(world: ProtectedWorld, stage: str, progress: str) -> None:
    interrupt_at(world, stage, progress)
    verdict = land_run.continue_landing(world.dependencies())
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict
    assert verdict.proposed == world.pulls.head
    merges = [one for one in world.pulls.requests if one.path.endswith("/merge")]
    assert (len(world.repo.pulls), len(merges)) == (1, 1)


@pytest.mark.parametrize("stage", INTERRUPTED)
def test_abort_after_an_interrupt_reports_what_landed(world: ProtectedWorld, stage: str) -> None:
    interrupt_at(world, stage, "started")
    verdict = land_run.abort_landing(world.dependencies())
    has_landed = world.pulls.target == world.pulls.head
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, has_landed), verdict
    assert has_landed == (stage == "confirm")


@pytest.mark.parametrize("style", [MergeStyle.FAST_FORWARD, MergeStyle.MERGE, MergeStyle.SQUASH])
def test_a_kill_during_the_merge_is_settled_by_the_target(world: ProtectedWorld, style: MergeStyle) -> None:
    def die() -> None:
        world.pulls.merge(style)
        raise KeyboardInterrupt

    world.on_merge = die
    with pytest.raises(KeyboardInterrupt):
        world.land(style=style)
    state = land_run.pending_landing(world.dependencies().git)
    assert state is not None
    assert state.landed is None
    git = world.dependencies().git
    cut = interrupt.interrupt_verdict(
        git, ask=lambda one: interrupt.check_arrived(one, git=git, asking=git.remotes, clock=world.clock)
    )
    assert cut.landed is (True if style is MergeStyle.FAST_FORWARD else None)  # the rest needs a fetch
    assert "git land --continue" in cut.hint
    verdict = land_run.continue_landing(world.dependencies(style=style))
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict


@pytest.mark.parametrize("style", [None, MergeStyle.MERGE, MergeStyle.SQUASH])
def test_two_clones_that_merge_at_once_both_land(world: ProtectedWorld, style: MergeStyle | None) -> None:
    """Carol lands her own branch in the middle of bob's merge."""
    clone = world.workshop.clone("carol", branch="carols")
    clone.commit("c")
    carols: list[Verdict] = []

    def land_carols() -> None:
        proposals = ProposalParts(
            connect=lambda _: ForgeRepository(world.pulls.connect("alice"), REPO), watch=world.watch, merge_style=style
        )
        request = LandRequest(verify=VerifyCommand("true", "the test"))
        carols.append(land_run.land_branch(request, world.parts(clone, proposals=proposals)))

    world.repo.before_merge = land_carols
    verdict = world.land(style=style)
    for one in (verdict, *carols):
        assert (one.exit, one.landed, one.tree) == (ExitCode.OK, True, ""), one
        assert world.pulls.git.is_ancestor(one.sha, world.pulls.target)
    assert len(carols) == 1
    world.pulls.clone.git("fetch", "--quiet", "origin")
    assert {"a", "c"} <= set(world.pulls.clone.git("ls-tree", "--name-only", "origin/main").split())


def test_a_squash_with_other_files_is_not_called_landed(world: ProtectedWorld) -> None:
    world.on_merge = lambda: world.pulls.move_behind("main", "other")
    verdict = world.land(style=MergeStyle.SQUASH)
    assert (verdict.exit, verdict.landed) == (ExitCode.UNREACHABLE, None), verdict
    assert "neither the commit nor its files" in verdict.reason
    assert land_run.pending_landing(world.dependencies().git) is None


def test_a_target_that_moved_during_the_checks_is_verified_again(world: ProtectedWorld) -> None:
    moves = [lambda: world.pulls.move_behind("main", "other")]
    world.on_watch = lambda: moves and moves.pop()()
    verdict = world.land(style=MergeStyle.MERGE)
    assert (verdict.exit, verdict.landed, verdict.tree) == (ExitCode.OK, True, ""), verdict
    assert len(world.watched) == 2


def test_a_forge_that_is_still_checking_is_asked_again(world: ProtectedWorld) -> None:
    world.repo.check_seconds = 5.0
    world.on_watch = lambda: setattr(world.repo.pulls[0], "checking_until", world.clock.now() + 5.0)
    verdict = world.land()
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True), verdict
    assert any("Please try again later" in text for text in world.texts)


@pytest.mark.parametrize(("stage", "exit_"), [("preflight", ExitCode.REFUSED), ("queue", ExitCode.PROTECTED)])
def test_a_token_that_is_missing_or_refused(world: ProtectedWorld, stage: str, exit_: ExitCode) -> None:
    """Before the push nothing has happened; afterwards a person has to act."""

    def forget() -> None:
        world.pulls.store.users.clear()

    if stage == "preflight":
        forget()
    world.on_watch = forget
    before = world.pulls.git.branches()["topic"]
    commit = world.pulls.clone.commit("later")
    verdict = world.land()
    assert (verdict.exit, verdict.landed) == (exit_, False), verdict
    assert world.pulls.git.branches()["topic"] == (before if stage == "preflight" else commit)
    assert len(world.repo.pulls) == (stage != "preflight")
