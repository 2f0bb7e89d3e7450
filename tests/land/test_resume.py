"""A landing that was cut short: going on, going back, and being the only one."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.config.schema import Strategy
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Log, Stage, StageChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import interrupt, run as land_run
from homelab_hooks.land.ownership import made_by_landing
from homelab_hooks.land.push_decision import Fail, Retry, retry_or_fail
from homelab_hooks.land.request import DetectVerification, LandRequest, SkipVerification, VerifyCommand
from homelab_hooks.land.state import LandingState, StateFile, landing_lock
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.verdict import Verdict
from tests.waiting import FOREVER

pytestmark = pytest.mark.slow  # many processes of git each; together they would keep `make check` waiting

GitLand = Callable[..., Verdict]


@pytest.fixture
def conflicting(workshop: ScratchRepositories) -> Clone:
    """Ann's branch and the target change the same line."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    ann.commit("same", "mine\n")
    bob.commit("same", "theirs\n")
    bob.git("push", "--quiet", "origin", "main")
    return ann


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
def test_a_conflict_is_left_to_be_resolved_and_then_landed(
    conflicting: Clone, workshop: ScratchRepositories, git_land: GitLand, parts: Any, strategy: Strategy
) -> None:
    """No editor is opened: this one would fail."""
    conflicting.git("config", "core.editor", "false")
    before = workshop.server_commit()
    verdict = git_land(conflicting, strategy=strategy, verify="grep both same")
    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.CONFLICT, False, before)
    assert "in: same" in verdict.reason

    again = git_land(conflicting)
    assert (again.exit, "git land --continue" in again.hint) == (ExitCode.REFUSED, True)
    unresolved = land_run.continue_landing(parts(conflicting))
    assert (unresolved.exit, unresolved.landed) == (ExitCode.CONFLICT, False)

    conflicting.write("same", "both\n")
    conflicting.git("add", "same")
    done = land_run.continue_landing(parts(conflicting))
    assert (done.exit, done.landed) == (ExitCode.OK, True)
    assert workshop.server_commit() == conflicting.head
    assert conflicting.git("branch", "--show-current") == "topic"
    assert conflicting.git("merge-base", before, "HEAD") == before


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
def test_a_conflict_can_be_taken_back(conflicting: Clone, git_land: GitLand, parts: Any, strategy: Strategy) -> None:
    start = conflicting.head
    assert git_land(conflicting, strategy=strategy).exit is ExitCode.CONFLICT
    verdict = land_run.abort_landing(parts(conflicting))
    assert (verdict.exit, verdict.landed, conflicting.head) == (ExitCode.OK, False, start)
    assert conflicting.git("branch", "--show-current") == "topic"


def test_the_files_of_a_conflict_are_named_as_they_would_be_typed_from_there(
    conflicting: Clone, workshop: ScratchRepositories, git_land: GitLand, parts: Any
) -> None:
    deep = Clone(conflicting.path / "sub/dir", workshop.environ)
    deep.path.mkdir(parents=True)
    verdict = git_land(deep)
    assert (verdict.exit, verdict.reason.endswith("in: ../../same")) == (ExitCode.CONFLICT, True)
    assert land_run.continue_landing(parts(deep)).reason.endswith(": ../../same")
    conflicting.write("same", "both\n")
    deep.git("add", "../../same")
    assert land_run.continue_landing(parts(deep)).landed


def test_a_resolution_that_a_hook_refuses_to_commit_is_kept(
    conflicting: Clone, workshop: ScratchRepositories, git_land: GitLand, parts: Any
) -> None:
    """An hour of work may be in it: only --abort throws it away."""
    assert git_land(conflicting).exit is ExitCode.CONFLICT
    conflicting.write("same", "both\n")
    conflicting.git("add", "same")
    hook = workshop.write_hook("commit-msg", "echo ticket missing >&2; exit 1", where=conflicting.path / ".git/hooks")
    verdict = land_run.continue_landing(parts(conflicting))
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert verdict.reason.endswith("ticket missing")
    assert (conflicting.path / "same").read_text() == "both\n"
    hook.unlink()
    assert land_run.continue_landing(parts(conflicting)).landed


def test_going_on_keeps_the_options_it_began_with(
    conflicting: Clone, git_land: GitLand, parts: Any, events: Any
) -> None:
    git_land(conflicting, verify="echo the-first-command", caller_state={"deploy": ["web/app"]})
    state = land_run.pending_landing(parts(conflicting).git)
    assert state is not None
    assert state.request.caller_state == {"deploy": ["web/app"]}
    conflicting.write("same", "both\n")
    conflicting.git("add", "same")
    assert land_run.continue_landing(parts(conflicting)).landed
    assert "the-first-command" in events.lines("verify")


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
@pytest.mark.parametrize(
    ("cleanup", "comment"),
    [("default", "#"), ("strip", "#"), ("whitespace", "#"), ("verbatim", ";"), ("scissors", "auto"), ("scissors", "#")],
)
def test_the_commit_of_a_resolved_conflict_has_none_of_gits_comments(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any, *, strategy: Strategy, comment: str, cleanup: str
) -> None:
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    ann.git("config", "commit.cleanup", cleanup)
    ann.git("config", "core.commentChar", comment)
    ann.commit("same", "mine\n")
    ann.git(
        "commit", "--quiet", "--amend", "--cleanup=verbatim", "--author=Cid <cid@example.test>", "-m", "#12 and\n\n#13"
    )
    bob.commit("same", "theirs\n")
    bob.git("push", "--quiet", "origin", "main")
    assert git_land(ann, strategy=strategy).exit is ExitCode.CONFLICT
    ann.write("same", "both\n")
    ann.git("add", "same")
    assert land_run.continue_landing(parts(ann)).landed
    author, _, message = ann.git("log", "-1", "--format=%an%x00%B").partition("\0")
    expected = {
        Strategy.MERGE: ("Ann Example", "Merge remote-tracking branch 'origin/main' into topic"),
        Strategy.REBASE: ("Cid", "#12 and\n\n#13"),
    }
    assert (author, message.strip()) == expected[strategy]


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
def test_a_merge_message_that_the_user_edited_is_kept(
    conflicting: Clone, git_land: GitLand, parts: Any, *, strategy: Strategy
) -> None:
    assert git_land(conflicting, strategy=strategy).exit is ExitCode.CONFLICT
    conflicting.write("same", "both\n")
    conflicting.git("add", "same")
    if strategy is Strategy.REBASE:
        conflicting.git("commit", "--quiet", "-m", "because of both")
    else:
        (conflicting.path / ".git/MERGE_MSG").write_text("because of both\n\n# Conflicts:\n#\tsame\n")
    assert land_run.continue_landing(parts(conflicting)).landed
    assert conflicting.git("log", "-1", "--format=%B").strip() == "because of both"


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
@pytest.mark.parametrize("backend", ["merge", "apply"])
def test_a_conflict_that_rerere_resolves_does_not_end_the_landing(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any, *, begun: bool, strategy: Strategy, backend: str
) -> None:
    """At the merge, or at a later commit of a rebase that is continued."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    for setting in ("rerere.enabled=true", "rerere.autoUpdate=true", f"rebase.backend={backend}"):
        ann.git("config", *setting.split("="))
    files = ["first", "second", "third"]
    for file in files:
        ann.commit(file, f"mine: {file}\n")
        bob.commit(file, f"theirs: {file}\n")
    bob.git("push", "--quiet", "origin", "main")
    ann.git("fetch", "--quiet")
    learn_resolutions(ann, files[begun:])
    done = git_land(ann, strategy=strategy)
    if begun:
        assert done.exit is ExitCode.CONFLICT
        assert done.reason.endswith("in: first")
        ann.write("first", "both\n")
        ann.git("add", "first")
        done = land_run.continue_landing(parts(ann))
    assert (done.exit, done.landed) == (ExitCode.OK, True)
    assert [ann.git("show", f"origin/main:{file}") for file in files] == ["both"] * 3


def learn_resolutions(clone: Clone, files: Sequence[str]) -> None:
    """Teach rerere what the two versions of each file become; it knows them by their text, whichever side is ours."""
    with contextlib.suppress(RuntimeError):
        clone.git("merge", "--quiet", "--no-commit", "origin/main")
    for file in files:
        clone.write(file, "both\n")
    clone.git("rerere")
    clone.git("merge", "--abort")


def test_with_nothing_begun_there_is_nothing_to_continue_or_abort(workshop: ScratchRepositories, parts: Any) -> None:
    ann = workshop.clone("ann", branch="topic")
    for verdict in (land_run.continue_landing(parts(ann)), land_run.abort_landing(parts(ann))):
        assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
        assert "no landing to" in verdict.reason


def test_going_on_from_another_branch_is_refused(conflicting: Clone, git_land: GitLand, parts: Any) -> None:
    git_land(conflicting)
    conflicting.git("merge", "--abort")
    conflicting.git("switch", "--quiet", "main")
    verdict = land_run.continue_landing(parts(conflicting))
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert "git switch topic" in verdict.hint
    conflicting.git("switch", "--quiet", "topic")
    assert land_run.abort_landing(parts(conflicting)).exit is ExitCode.OK


def test_the_branch_to_resume_from_is_named_whatever_it_is_called(
    conflicting: Clone, git_land: GitLand, parts: Any
) -> None:
    """In a command that can be pasted into a shell."""
    conflicting.git("branch", "--move", "t;touch'x'")
    git_land(conflicting)
    conflicting.git("merge", "--abort")
    conflicting.git("switch", "--quiet", "main")
    quoted = shlex.quote("t;touch'x'")
    assert f"git switch {quoted}, then" in land_run.continue_landing(parts(conflicting)).hint
    conflicting.git("switch", "--quiet", "t;touch'x'")
    assert land_run.abort_landing(parts(conflicting)).exit is ExitCode.OK


def test_what_the_user_staged_is_never_thrown_away(conflicting: Clone, git_land: GitLand, parts: Any) -> None:
    assert git_land(conflicting).exit is ExitCode.CONFLICT
    conflicting.git("merge", "--abort")
    conflicting.write("mine", "precious\n")
    conflicting.git("add", "mine")
    assert land_run.continue_landing(parts(conflicting)).exit is ExitCode.REFUSED
    assert land_run.abort_landing(parts(conflicting)).exit is ExitCode.OK
    assert conflicting.git("status", "--porcelain") == "A  mine"
    conflicting.git("rm", "--quiet", "--force", "mine")


# Preflight, fetch, merge, verify, push and confirm start and end; the verification says two lines; two at the end.
POINTS = 16


FAST = {5, 11}
CASES = [
    pytest.param((point, then), marks=[] if point in FAST else pytest.mark.slow)
    for point in range(1, POINTS)
    for then in (land_run.continue_landing, land_run.abort_landing)
]


@pytest.mark.parametrize("case", CASES)
def test_interrupted_at_any_point_the_verdict_about_the_target_is_true(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any, events: Any, case: tuple[int, Callable[..., Verdict]]
) -> None:
    point, then = case
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    start = ann.commit("a")
    theirs = bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    events.interrupt_at = point

    with pytest.raises(KeyboardInterrupt):
        git_land(ann, verify="echo good")

    word = interrupt.interrupt_verdict(parts(ann).git)
    there = workshop.server_commit() != theirs
    assert word.landed in {there, None}
    assert word.exit is ExitCode.INTERRUPTED
    if land_run.pending_landing(parts(ann).git) is None:
        assert point == 1, "only preflight writes nothing down"
        return
    verdict = then(parts(ann))
    if there or then is land_run.continue_landing:
        assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.OK, True, verdict.sha)
        assert verdict.label == "landed", "`ok` means that nothing was landed"
    else:
        assert (verdict.exit, verdict.landed, ann.head) == (ExitCode.OK, False, start)
        assert workshop.server_commit() == theirs


def test_after_an_interrupted_landing_the_next_one_says_how_to_resume(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any, events: Any
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    events.interrupt_at = 6
    with pytest.raises(KeyboardInterrupt):
        git_land(ann, verify="echo good")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert "topic was interrupted at" in verdict.reason
    assert "git land --continue" in verdict.hint
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK


def test_a_watch_that_is_interrupted_is_taken_up_again_for_the_landed_commit(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any
) -> None:
    ann = workshop.clone("ann", branch="topic")
    sha = ann.commit("a")

    def interrupted(_: object) -> Verdict:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        git_land(ann, follow_up=interrupted)
    word = interrupt.interrupt_verdict(parts(ann).git)
    assert (word.landed, word.sha, word.hint) == (True, sha, f"to resume, run: homelab-watch {sha}")
    verdict = land_run.continue_landing(
        parts(ann, follow_up=lambda there: Verdict(exit=ExitCode.BLOCKED, reason=there.sha))
    )
    assert (verdict.exit, verdict.landed, verdict.reason) == (ExitCode.BLOCKED, True, sha)


def cut_at(events: Any, git_land: GitLand, clone: Clone, word: tuple[str, str], **request: Any) -> None:
    """A landing with a Ctrl-C when a stage has come so far."""

    def hear(event: object) -> None:
        events(event)
        if isinstance(event, StageChanged) and (event.stage.value, event.progress.value) == word:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        git_land(clone, tell=hear, **request)


@pytest.mark.parametrize("point", [("fetch", "started"), ("fetch", "done")])
def test_a_landing_that_had_changed_nothing_simply_starts_again(
    workshop: ScratchRepositories, git_land: GitLand, events: Any, point: tuple[str, str]
) -> None:
    """Also from another branch, and with another commit."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    cut_at(events, git_land, ann, point)
    ann.git("switch", "--quiet", "-c", "other")
    ann.commit("b")
    assert git_land(ann).landed
    assert workshop.server_commit() == ann.head


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
def test_going_back_from_under_ones_own_commits_keeps_them(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any, events: Any, strategy: Strategy
) -> None:
    """The record alone goes; what the landing had made is named, and a new landing can begin."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    start, _ = ann.commit("a"), bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    cut_at(events, git_land, ann, ("verify", "started"), strategy=strategy)
    made, mine = ann.head, ann.commit("c")
    assert git_land(ann).exit is ExitCode.REFUSED

    verdict = land_run.abort_landing(parts(ann))

    assert (verdict.exit, verdict.landed, verdict.sha, ann.head) == (ExitCode.OK, False, mine, mine)
    assert made[:10] in verdict.reason
    if strategy is Strategy.MERGE:
        ann.git("branch", "without")
        command = verdict.hint.partition(": ")[2]
        assert command == f"git rebase --onto {start} {made}"
        ann.git(*command.split()[1:], "without")
        assert (ann.git("rev-parse", "HEAD~1"), (ann.path / "b").exists()) == (start, False)
        ann.git("switch", "--quiet", "topic")
    assert land_run.pending_landing(parts(ann).git) is None
    assert git_land(ann).landed
    assert workshop.server_commit() == ann.head


def test_a_landing_that_had_made_nothing_goes_from_under_ones_own_commit(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any, events: Any
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    cut_at(events, git_land, ann, ("verify", "started"))
    mine = ann.commit("c")
    verdict = land_run.abort_landing(parts(ann))
    assert (verdict.exit, verdict.landed, ann.head, verdict.hint) == (ExitCode.OK, False, mine, "")


def test_the_record_of_a_branch_that_is_gone_can_be_forgotten(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any, events: Any
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    cut_at(events, git_land, ann, ("verify", "started"))
    ann.git("switch", "--quiet", "-c", "other")
    other = git_land(ann)
    assert (other.exit, other.hint.split(";")[0]) == (ExitCode.REFUSED, "run git switch topic")
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.REFUSED
    ann.git("branch", "-D", "topic")
    verdict = land_run.abort_landing(parts(ann))
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, False)
    assert git_land(ann).landed


def test_going_back_leaves_a_merge_on_another_branch_alone(
    conflicting: Clone, workshop: ScratchRepositories, git_land: GitLand, parts: Any, events: Any
) -> None:
    """It is the user's file, and a resolution may be in it."""
    cut_at(events, git_land, conflicting, ("merge", "started"))
    conflicting.git("switch", "--quiet", "-c", "other")
    ProcessRunner(workshop.environ).run(["git", "merge", "origin/main"], cwd=conflicting.path)
    assert land_run.abort_landing(parts(conflicting)).exit is ExitCode.REFUSED
    assert (conflicting.path / ".git/MERGE_HEAD").exists()
    conflicting.git("merge", "--abort")
    conflicting.git("switch", "--quiet", "topic")
    assert land_run.abort_landing(parts(conflicting)).exit is ExitCode.OK


def test_a_resumed_landing_verifies_as_configured_now(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any, events: Any
) -> None:
    """What was verified otherwise before is verified again."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    cut_at(events, git_land, ann, ("push", "started"), verify="echo before")
    assert land_run.continue_landing(parts(ann), verify=VerifyCommand("echo now", "told again")).landed
    assert events.lines("verify") == [
        "verifying with `echo before` (from told)", "before", "verifying with `echo now` (from told again)", "now"
    ]  # fmt: skip


def test_a_landing_cut_short_before_it_began_is_not_reported_as_the_one_before(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any
) -> None:
    """The one before was cut short in its watch, so that what it landed is still written down."""
    ann = workshop.clone("ann", branch="topic")
    first = ann.commit("a")

    def interrupted(_: object) -> Verdict:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        git_land(ann, follow_up=interrupted)
    git = parts(ann).git
    earlier = land_run.pending_landing(git)
    assert interrupt.interrupt_verdict(git, previous=earlier).landed, "the same commit is landed"
    second = ann.commit("b")
    with pytest.raises(KeyboardInterrupt):
        git_land(ann, check_ci=lambda: interrupted(None))
    word = interrupt.interrupt_verdict(git, previous=earlier)
    assert (word.landed, word.sha) == (False, second)
    assert workshop.server_commit() == first
    assert git_land(ann).landed


def test_an_interrupted_verification_ends_with_all_it_started(
    workshop: ScratchRepositories, parts: Any, events: Any
) -> None:
    """Whatever still runs would hold the pipe open, and at last leave a file behind."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    pipe = workshop.folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    def hear(event: object) -> None:
        events(event)
        if isinstance(event, Log) and event.text == "begun":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        land_run.land_branch(
            LandRequest(verify=VerifyCommand(f"exec 9>../pipe; ({FOREVER}; touch ../late) & echo begun; wait", "told")),
            parts(ann, tell=hear),
        )
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""
    os.close(reader)
    assert not (workshop.folder / "late").exists()
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK


def test_a_push_that_arrived_is_reported_although_ci_cannot_be_reached(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any, events: Any
) -> None:
    """The server is asked first: the check of CI cannot change where the commit is."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    cut_at(events, git_land, ann, ("confirm", "started"))
    assert workshop.server_commit() == ann.head

    def away() -> None:
        raise CommandError("no answer from CI", exit=ExitCode.UNREACHABLE)

    verdict = land_run.continue_landing(parts(ann, check_ci=away))
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, ann.head)


def test_a_landing_that_cannot_be_continued_says_that_it_has_landed(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any
) -> None:
    """Its watch was cut short, and another landing holds the lock."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")

    def interrupted(_: object) -> Verdict:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        git_land(ann, follow_up=interrupted)
    with landing_lock(parts(ann).git.location.homelab_dir(), who="another"):
        verdict = land_run.continue_landing(parts(ann))
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, True)
    assert land_run.continue_landing(parts(ann)).landed


def test_a_second_landing_learns_who_holds_the_lock(workshop: ScratchRepositories, git_land: GitLand) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    ann.git("worktree", "add", "--quiet", "-b", "other", "../other")
    other = Clone(workshop.folder / "other", workshop.environ)
    other.commit("o")
    second: list[Verdict] = []

    def meanwhile() -> None:
        second.append(git_land(other))

    assert git_land(ann, check_ci=meanwhile).landed
    assert (second[0].exit, second[0].landed) == (ExitCode.REFUSED, False)
    assert "landing topic in" in second[0].reason
    assert git_land(other).landed


def test_a_stale_lock_file_stops_no_landing(workshop: ScratchRepositories, git_land: GitLand) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    ann.write(".git/homelab/land.lock", "process 1 on elsewhere, landing topic")
    assert git_land(ann).landed


def test_a_lock_goes_with_its_holder(tmp_path: Path) -> None:
    with landing_lock(tmp_path, who="one"), pytest.raises(CommandError, match="one"), landing_lock(tmp_path, who="two"):
        pass
    with landing_lock(tmp_path, who="three"):
        pass


STATE = LandingState(
    request=LandRequest(
        verify=SkipVerification(), strategy=Strategy.REBASE, push_options=("a", "b"), caller_state={"x": [1]}
    ),
    branch="tópic",
    target="main",
    remote="origin",
    push_url="/srv/\udce9",
    original_commit="1" * 40,
    stage=Stage.PUSH,
    push_unconfirmed=True,
)


@pytest.mark.parametrize("verify", [DetectVerification(), SkipVerification(), VerifyCommand("a", "b")])
def test_a_state_comes_back_as_it_was_written(tmp_path: Path, verify: Any) -> None:
    state = STATE._replace(request=replace(STATE.request, verify=verify))
    store = StateFile(tmp_path / "homelab")
    assert store.load() is None
    store.save(state)
    assert store.load() == state
    assert [path.name for path in (tmp_path / "homelab").iterdir()] == ["land.json"]
    store.clear()
    assert not (tmp_path / "homelab").exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": 99}', '{"schema": 1}', json.dumps({"schema": 1, "request": 1})]
)
def test_a_state_that_cannot_be_read_is_said_and_never_guessed_at(tmp_path: Path, text: str) -> None:
    (tmp_path / "land.json").write_text(text)
    with pytest.raises(CommandError) as caught:
        StateFile(tmp_path).load()
    assert caught.value.exit is ExitCode.REFUSED


def test_only_commits_that_the_landing_made_are_taken_back() -> None:
    state = STATE._replace(original_commit="a", target_commit="t", merged_commit="m")
    merging = state._replace(merge_began_at="m")
    none = ("", "")
    assert made_by_landing(state, "a", (), none)
    assert made_by_landing(state, "m", (), none)
    assert made_by_landing(merging, "n", ("m", "t"), none)
    assert not made_by_landing(state, "n", ("m", "t"), none), "our merge had ended: it is the user's own"
    assert not made_by_landing(merging, "n", ("m", "other"), none)
    assert not made_by_landing(merging, "n", ("m",), none)
    assert made_by_landing(merging, "n", ("t",), ("m", "t"))
    assert not made_by_landing(merging, "n", ("t",), ("m", "other"))
    assert not made_by_landing(state, "n", ("t",), ("m", "t"))


def test_waits_grow_are_jittered_and_end() -> None:
    first, last = retry_or_fail(1, 5, 0.0, "x"), retry_or_fail(5, 5, 1.0, "x")
    assert isinstance(first, Retry)
    assert isinstance(last, Retry)
    assert (first.delay, last.delay) == (0.25, 12.0)
    assert isinstance(retry_or_fail(6, 5, 0.5, "x"), Fail)


POST_PUSH = 'echo "$1 $2"; cat; echo "in land: $HOMELAB_IN_LAND"; exit {code}'


@pytest.mark.parametrize(
    ("code", "ends"),
    [(0, ExitCode.OK), (6, ExitCode.SUPERSEDED), (124, ExitCode.TIMEOUT), (2, ExitCode.FAILED), (77, ExitCode.FAILED)],
)
def test_the_repositorys_own_post_push_hook_runs_instead_of_the_watch(
    workshop: ScratchRepositories, git_land: GitLand, events: Any, code: int, ends: ExitCode
) -> None:
    ann = workshop.clone("ann", branch="topic")
    before, sha = ann.head, ann.commit("a")
    workshop.write_hook("post-push", POST_PUSH.format(code=code), where=ann.path / ".git/hooks")

    def never(_: object) -> Verdict:
        raise AssertionError

    verdict = git_land(ann, follow_up=never)

    assert (verdict.exit, verdict.landed) == (ends, True)
    assert events.lines("post-push") == [
        f"origin {workshop.bare_path}",
        f"{sha} {sha} refs/heads/main {before}",
        "in land: 1",
    ]


def test_the_post_push_hook_is_found_where_the_hooks_are_configured_to_be(
    workshop: ScratchRepositories, git_land: GitLand, events: Any
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    workshop.write_hook("post-push", "echo found", where=workshop.folder / "hooks")
    ann.git("config", "core.hooksPath", str(workshop.folder / "hooks"))
    assert git_land(ann, follow_up=lambda _: Verdict(exit=ExitCode.FAILED)).exit is ExitCode.OK
    assert events.lines("post-push") == ["found"]


def test_with_an_empty_hooks_path_a_landing_is_followed(workshop: ScratchRepositories, git_land: GitLand) -> None:
    """It was an error after the push, "not a git repository": git names no path for the hooks then."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    ann.git("config", "core.hooksPath", "")
    verdict = git_land(ann, follow_up=lambda there: Verdict(exit=ExitCode.OK, reason=there.sha))
    assert (verdict.exit, verdict.reason) == (ExitCode.OK, ann.head)


def test_without_watching_the_post_push_hook_does_not_run_either(
    workshop: ScratchRepositories, git_land: GitLand, events: Any
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    workshop.write_hook("post-push", "echo no", where=ann.path / ".git/hooks")
    assert git_land(ann).landed
    assert events.lines("post-push") == []
