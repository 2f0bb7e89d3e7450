"""Taking a landing back: the revert is made in a worktree of its own, and lands like any branch."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.land.preflight import state_file
from homelab_hooks.land.request import LandingDependencies, LandRequest, SkipVerification, VerifyCommand
from homelab_hooks.land.revert_landing import (
    RevertOrder,
    conclude_continued,
    hold_continued,
    land_revert,
    report_dry_revert,
)
from homelab_hooks.land.state import landing_lock
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict
from tests.land.conftest import RecordedEvents

pytestmark = pytest.mark.slow  # many processes of git each; together they would keep `make check` waiting

GitLand = Callable[..., Verdict]
Revert = Callable[..., Verdict]
Parts = Callable[..., LandingDependencies]


@pytest.fixture
def revert(parts: Parts, seal: dict[str, str]) -> Revert:
    """`git land --revert COMMIT` in a clone: keywords of RevertOrder, `verify`, and parts."""

    def call(clone: Clone, commit: str, *, verify: str = "true", before: str = "", **others: Any) -> Verdict:
        def land(path: Path, plan: Any, target: Any) -> Verdict:
            request = LandRequest(
                verify=VerifyCommand(verify, "told"),
                remote=target.remote,
                onto=target.branch,
                revert=plan.commit,
                revert_parent=plan.parent,
            )
            return land_run.land_branch(request, parts(Clone(path, seal), **others))

        return land_revert(RevertOrder(commit, before=before), parts(clone, **others), land)

    return call


@pytest.fixture
def end_revert(parts: Parts) -> Callable[..., Verdict]:
    """`git land --continue` or `--abort` in the worktree of a revert."""

    def call(worktree: Clone, act: Callable[[LandingDependencies], Verdict]) -> Verdict:
        there = parts(worktree)
        state = land_run.pending_landing(there.git)
        assert state is not None
        with hold_continued(state, there.git) as is_revert:
            assert is_revert
            return conclude_continued(act(there), state, there)

    return call


def landed_by_merge(workshop: ScratchRepositories, git_land: GitLand) -> tuple[Clone, str, str]:
    """A clone whose topic of two commits was landed by a merge of the target; the merge, and the target before."""
    ann, bob = workshop.clone("ann"), workshop.clone("bob")
    ann.git("switch", "--quiet", "-c", "topic")
    ann.commit("a1")
    ann.commit("a2")
    theirs = bob.commit("theirs")
    bob.git("push", "--quiet", "origin", "main")
    assert git_land(ann).landed
    return ann, ann.head, theirs


def files_on_target(workshop: ScratchRepositories) -> set[str]:
    return set(workshop.origin.git("ls-tree", "-r", "--name-only", workshop.server_commit()).split())


def no_worktree_is_left(clone: Clone) -> bool:
    return (
        len(clone.git("worktree", "list").splitlines()) == 1
        and clone.git("branch", "--list", "homelab/*") == ""
        and not (clone.path / ".worktrees").exists()
    )


def test_a_landed_merge_is_taken_back_to_the_target_before_it(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert
) -> None:
    """The target is the second parent of such a merge: -m 1 would take back the work of the others."""
    ann, merge, theirs = landed_by_merge(workshop, git_land)
    (ann.path / "README").write_text("unfinished")
    ann.git("add", "README")
    (ann.path / "untracked").write_text("x")
    before = ann.git("status", "--porcelain")

    verdict = revert(ann, merge)

    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True)
    assert verdict.revert is not None
    assert (verdict.revert.commit, verdict.revert.sha) == (merge, workshop.server_commit())
    assert {"a1", "a2"}.isdisjoint(files_on_target(workshop))
    assert "theirs" in files_on_target(workshop)
    assert f"This reverts commit {merge}, reversing\nchanges made to {theirs}." in workshop.origin.git(
        "log", "-1", "--format=%B", "main"
    )
    assert (ann.head, ann.git("status", "--porcelain")) == (merge, before)
    assert no_worktree_is_left(ann)
    ann.git("reset", "--hard", "--quiet")


def land_topic(clone: Clone, git_land: GitLand, *names: str) -> str:
    """Land a topic branch with a commit for each name; its tip."""
    clone.git("switch", "--quiet", "-c", f"topic-{names[0]}", "origin/main")
    for name in names:
        clone.commit(name)
    assert git_land(clone).landed
    return clone.head


def worktree_of(clone: Clone, commit: str, seal: dict[str, str]) -> Clone:
    return Clone(clone.path / ".worktrees" / f"revert-{commit[:12]}", seal)


def test_all_commits_of_a_landing_are_taken_back_from_a_detached_head(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert
) -> None:
    ann = workshop.clone("ann")
    start = workshop.server_commit()
    tip = land_topic(ann, git_land, "a1", "a2", "a3")
    ann.git("switch", "--quiet", "--detach", start)
    ann.git("config", "revert.reference", "true")
    verdict = revert(ann, tip)
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True)
    assert files_on_target(workshop) == {"README"}
    assert workshop.origin.git("rev-list", "--count", f"{tip}..main") == "1"
    assert f"This reverts commit {tip}, reversing\nchanges made to {start}." in workshop.origin.git(
        "log", "-1", "--format=%B", "main"
    )
    assert ann.head == start
    assert no_worktree_is_left(ann)


def test_a_commit_within_a_landing_is_taken_back_alone_and_newer_work_stays(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert
) -> None:
    ann, bob = workshop.clone("ann"), workshop.clone("bob")
    land_topic(ann, git_land, "a1", "a2")
    bob.git("pull", "--quiet", "--ff-only")
    bob.commit("newer")
    bob.git("push", "--quiet", "origin", "main")
    assert revert(ann, "HEAD~1").landed
    assert files_on_target(workshop) == {"README", "a2", "newer"}
    assert workshop.origin.git("log", "-1", "--format=%B", "main").startswith('Revert "add a1"')


def test_merges_that_others_made_are_taken_back_to_the_right_parent(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert
) -> None:
    """Here nothing records the push: the message tells of git land's merge, and the first parent is that of a forge."""
    _, merge, _ = landed_by_merge(workshop, git_land)
    forge = workshop.clone("forge")
    forge.git("switch", "--quiet", "-c", "feature", "HEAD~1")
    forge.commit("feature")
    forge.git("switch", "--quiet", "main")
    forge.git("merge", "--quiet", "--no-ff", "-m", "Merge pull request #3 from acme/feature", "feature")
    forge.git("push", "--quiet", "origin", "main")
    carl = workshop.clone("carl")
    assert revert(carl, "origin/main").landed
    assert files_on_target(workshop) == {"README", "a1", "a2", "theirs"}
    assert revert(carl, merge).landed
    assert files_on_target(workshop) == {"README", "theirs"}


def test_the_reflog_tells_the_mainline_of_a_merge_with_its_own_message(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert
) -> None:
    ann, bob, carl = workshop.clone("ann"), workshop.clone("bob"), workshop.clone("carl")
    ann.git("switch", "--quiet", "-c", "topic")
    ann.commit("a")
    bob.commit("theirs")
    bob.git("push", "--quiet", "origin", "main")
    carl.git("fetch", "--quiet")
    assert git_land(ann, message="release the thing").landed
    assert revert(carl, ann.head).landed
    assert files_on_target(workshop) == {"README", "theirs"}


def test_a_reverted_commit_is_not_reverted_again_unless_it_was_reapplied(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert
) -> None:
    ann = workshop.clone("ann")
    tip = land_topic(ann, git_land, "a")
    first = revert(ann, tip)
    again = revert(ann, tip)
    assert (again.exit, again.label, again.landed) == (ExitCode.OK, "nothing", False)
    assert again.revert is not None
    assert again.revert.sha == first.sha
    assert revert(ann, first.sha).landed
    assert "a" in files_on_target(workshop)
    assert revert(ann, tip).landed
    assert "a" not in files_on_target(workshop)
    assert no_worktree_is_left(ann)


def test_a_commit_whose_changes_are_gone_is_nothing_to_revert(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert
) -> None:
    ann = workshop.clone("ann")
    tip = land_topic(ann, git_land, "a")
    ann.git("rm", "--quiet", "a")
    ann.git("commit", "--quiet", "-m", "take a away")
    assert git_land(ann).landed
    verdict = revert(ann, tip)
    assert (verdict.exit, verdict.label, verdict.landed) == (ExitCode.OK, "nothing", False)
    assert no_worktree_is_left(ann)


def test_a_commit_that_is_not_on_the_target_is_refused_and_its_squash_is_named(
    workshop: ScratchRepositories, revert: Revert
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a1")
    mine = ann.commit("a2")
    with pytest.raises(CommandError) as caught:
        revert(ann, mine)
    assert (caught.value.exit, "is not on origin/main" in caught.value.message) == (ExitCode.REFUSED, True)
    squash = ann.git("commit-tree", f"{mine}^{{tree}}", "-p", "origin/main", "-m", "squashed (#4)")
    ann.git("push", "--quiet", str(workshop.bare_path), f"{squash}:main")
    with pytest.raises(CommandError) as caught:
        revert(ann, mine)
    assert f"git land --revert {squash[:10]}" in caught.value.hint
    assert revert(ann, squash).landed
    assert files_on_target(workshop) == {"README"}


def conflicting(workshop: ScratchRepositories, git_land: GitLand) -> tuple[Clone, str]:
    """A clone with a landed commit whose file has been changed again since."""
    ann = workshop.clone("ann", branch="topic")
    tip = ann.commit("a", "one\n")
    assert git_land(ann).landed
    ann.commit("a", "two\n")
    assert git_land(ann).landed
    return ann, tip


@pytest.mark.parametrize("how", ["continue", "commit and continue", "abort"])
def test_a_conflict_stays_in_the_worktree_until_it_is_ended(  # noqa: PLR0917 - fixtures
    workshop: ScratchRepositories,
    git_land: GitLand,
    revert: Revert,
    end_revert: Callable[..., Verdict],
    seal: dict[str, str],
    how: str,
) -> None:
    ann, tip = conflicting(workshop, git_land)
    before, head = workshop.server_commit(), ann.head

    stopped = revert(ann, tip)

    place = worktree_of(ann, tip, seal)
    assert (stopped.exit, stopped.landed, ann.head) == (ExitCode.CONFLICT, False, head)
    assert str(place.path) in stopped.hint
    assert ann.git("status", "--porcelain") == ""
    with pytest.raises(CommandError, match="is not finished"):
        revert(ann, tip)
    if how == "abort":
        ended = end_revert(place, land_run.abort_landing)
        assert (ended.exit, ended.landed, workshop.server_commit()) == (ExitCode.OK, False, before)
    else:
        place.git("rm", "--quiet", "a")
        if how != "continue":
            place.git("commit", "--quiet", "--no-edit")
        ended = end_revert(place, land_run.continue_landing)
        assert (ended.exit, ended.landed) == (ExitCode.OK, True)
        assert files_on_target(workshop) == {"README"}
        message = workshop.origin.git("log", "-1", "--format=%B", "main")
        assert f"This reverts commit {tip}" in message
        assert ("#" in message) is (how != "continue")
    assert no_worktree_is_left(ann)


def test_a_failed_verification_keeps_the_worktree_and_hinders_no_other_landing(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert, end_revert: Callable[..., Verdict], seal: Any
) -> None:
    ann = workshop.clone("ann")
    tip = land_topic(ann, git_land, "a")
    failed = revert(ann, tip, verify="false")
    assert (failed.exit, failed.landed) == (ExitCode.VERIFY_FAILED, False)
    ann.commit("b")
    assert git_land(ann).landed
    ended = end_revert(worktree_of(ann, tip, seal), lambda there: land_run.continue_landing(there, SkipVerification()))
    assert ended.landed
    assert files_on_target(workshop) == {"README", "b"}
    assert no_worktree_is_left(ann)


def test_a_continued_revert_that_the_forge_squashed_leaves_no_worktree(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert, end_revert: Callable[..., Verdict], seal: Any
) -> None:
    """The commit on the target does not contain the one that was proposed."""
    ann = workshop.clone("ann")
    tip = land_topic(ann, git_land, "a")
    assert revert(ann, tip, verify="false").exit is ExitCode.VERIFY_FAILED
    place = worktree_of(ann, tip, seal)

    def squash(there: LandingDependencies) -> Verdict:
        sha = place.git("commit-tree", "HEAD^{tree}", "-p", "origin/main", "-m", "squashed")
        place.git("push", "--quiet", "origin", f"{sha}:refs/heads/main")
        state_file(there.git).clear()
        return Verdict(ExitCode.OK, landed=True, sha=sha, proposed=place.head)

    ended = end_revert(place, squash)
    assert ended.revert is not None
    assert ended.revert.sha == workshop.server_commit()
    assert no_worktree_is_left(ann)


def test_another_push_during_the_verification_is_merged_and_the_revert_lands(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert
) -> None:
    ann, bob = workshop.clone("ann"), workshop.clone("bob")
    tip = land_topic(ann, git_land, "a")
    bob.git("pull", "--quiet", "--ff-only")
    bob.commit("late")
    race = f"[ -e ../../../raced ] || {{ touch ../../../raced; git -C {bob.path} push --quiet origin main; }}"
    assert revert(ann, tip, verify=race).landed
    assert files_on_target(workshop) == {"README", "late"}
    assert no_worktree_is_left(ann)


def test_a_commit_hook_that_refuses_can_be_fixed(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert, end_revert: Callable[..., Verdict], seal: Any
) -> None:
    ann = workshop.clone("ann")
    tip = land_topic(ann, git_land, "a")
    hook = ann.path / ".git/hooks/commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no reverts; exit 1\n")
    hook.chmod(0o755)
    failed = revert(ann, tip)
    assert (failed.exit, failed.landed) == (ExitCode.PUSH_FAILED, False)
    hook.unlink()
    assert end_revert(worktree_of(ann, tip, seal), land_run.continue_landing).landed
    assert files_on_target(workshop) == {"README"}


def test_a_linked_worktree_and_one_of_a_bare_repository_stay_as_they_are(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert, seal: dict[str, str]
) -> None:
    ann = workshop.clone("ann")
    tips = [land_topic(ann, git_land, "a"), land_topic(ann, git_land, "b")]
    ann.git("worktree", "add", "--quiet", "../linked", "--detach")
    assert revert(Clone(workshop.folder / "linked", seal), tips[0]).landed
    bare = workshop.folder / "hub"
    ann.git("clone", "--quiet", "--bare", str(workshop.bare_path), str(bare / "app.git"))
    Clone(bare / "app.git", seal).git("worktree", "add", "--quiet", "../main")
    assert revert(Clone(bare / "main", seal), tips[1]).landed
    assert files_on_target(workshop) == {"README"}
    assert sorted(path.name for path in bare.iterdir()) == ["app.git", "main"]
    ann.git("worktree", "remove", "../linked")


def test_what_a_killed_revert_left_is_cleared_away(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert
) -> None:
    """Killed while the worktree was created, and after the push: neither has anything that is worth keeping."""
    ann = workshop.clone("ann")
    tip = land_topic(ann, git_land, "a")
    name = f"revert-{tip[:12]}"
    ann.git("worktree", "add", "--quiet", "--no-checkout", "-b", f"homelab/{name}", f".worktrees/{name}", "origin/main")
    (ann.path / ".worktrees" / name / "half").write_text("x")
    assert revert(ann, tip).landed
    assert no_worktree_is_left(ann)


def test_a_worktree_whose_lock_cannot_be_written_is_removed_and_said(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert
) -> None:
    """Found by the soak, on a full disk; here a filter puts a directory where the lock is to be."""
    ann = workshop.clone("ann", branch="topic")
    landed = ann.commit("a")
    assert git_land(ann).landed
    ann.write(".git/info/attributes", "a filter=trap\n")
    ann.git("config", "filter.trap.smudge", 'mkdir "$(git rev-parse --git-dir)/homelab-revert.lock"; cat')
    with pytest.raises(CommandError) as refused:
        revert(ann, landed)
    assert (refused.value.exit, "homelab-revert.lock" in refused.value.message) == (ExitCode.REFUSED, True)
    assert refused.value.hint
    assert not (ann.path / ".worktrees").exists()
    ann.git("config", "filter.trap.smudge", "cat")
    assert revert(ann, landed).landed


@pytest.mark.parametrize("at", [6, 8, 11, 14])
def test_an_interrupted_revert_can_be_continued_or_begun_again(  # noqa: PLR0917 - fixtures
    workshop: ScratchRepositories,
    git_land: GitLand,
    revert: Revert,
    end_revert: Callable[..., Verdict],
    seal: dict[str, str],
    at: int,
) -> None:
    """An exception at any event leaves what a killed process leaves."""
    ann = workshop.clone("ann")
    tip = land_topic(ann, git_land, "a")
    tell = RecordedEvents(interrupt_at=at)
    with contextlib.suppress(KeyboardInterrupt):
        revert(ann, tip, tell=tell)
    place = worktree_of(ann, tip, seal)
    begun = place.path.exists() and (ann.path / f".git/worktrees/{place.path.name}/homelab/land.json").exists()
    verdict = Verdict(ExitCode.REFUSED)
    with contextlib.suppress(CommandError):
        verdict = revert(ann, tip)
    if verdict.exit is ExitCode.REFUSED:
        assert begun
        verdict = end_revert(place, land_run.continue_landing)
    assert verdict.landed or verdict.label == "nothing"
    assert files_on_target(workshop) == {"README"}
    ann.commit("b")
    assert git_land(ann).landed
    if verdict.landed:
        assert no_worktree_is_left(ann)


def test_a_dry_run_shows_what_would_be_reverted_and_changes_nothing(
    workshop: ScratchRepositories, git_land: GitLand, parts: Parts, events: RecordedEvents
) -> None:
    ann, tip = conflicting(workshop, git_land)
    before = ann.git("for-each-ref"), workshop.server_commit()
    verdict = report_dry_revert(RevertOrder(tip), LandRequest(verify=VerifyCommand("make", "told")), parts(ann))
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, False)
    lines = events.lines("homelab")
    assert f'would revert {tip[:10]} "add a" on origin/main' in lines
    assert "would conflict in: a (exit code 21)" in lines
    assert "would verify with `make` (from told)" in lines
    assert (ann.git("for-each-ref"), workshop.server_commit()) == before
    assert no_worktree_is_left(ann)


def test_a_revert_after_a_failure_waits_for_another_landing(
    workshop: ScratchRepositories, git_land: GitLand, parts: Parts, events: RecordedEvents
) -> None:
    """Its end is that of the landing if the other one takes longer than the timeout."""
    ann = workshop.clone("ann")
    tip = land_topic(ann, git_land, "a")
    here = parts(ann)
    with landing_lock(here.git.location.homelab_dir(), who="landing other"), pytest.raises(CommandError) as caught:
        land_revert(RevertOrder(tip, max_wait_s=60.0), here, lambda *_: Verdict(ExitCode.OK))
    assert "another landing is running" in caught.value.message
    assert here.clock.now() >= 60
    assert len([line for line in events.lines("homelab") if "waiting for another landing" in line]) == 1


@pytest.mark.parametrize("seed", range(2))
def test_random_histories_are_taken_back_exactly(
    workshop: ScratchRepositories, git_land: GitLand, revert: Revert, seed: int
) -> None:
    """Of landings by two people, each with files of its own, one is taken back: only its files go."""
    draw = random.Random(seed)  # noqa: S311 - a choice of histories, guards nothing
    clones = [workshop.clone("ann"), workshop.clone("bob")]
    landings: list[tuple[Clone, str, set[str]]] = []
    for number in range(4):
        clone = draw.choice(clones)
        names = [f"f{number}-{part}" for part in range(draw.randint(1, 3))]
        clone.git("switch", "--quiet", "-c", f"t{number}", draw.choice(["origin/main", "origin/main~0"]))
        for name in names:
            clone.commit(name)
        assert git_land(clone).landed
        landings.append((clone, clone.head, set(names)))
    everything = files_on_target(workshop)
    clone, tip, names_of_it = draw.choice(landings)
    assert revert(clone, tip).landed
    assert files_on_target(workshop) == everything - names_of_it
    assert no_worktree_is_left(clone)
