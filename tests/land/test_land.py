"""Landings that read like a terminal: set-up lines, one call, the expected graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from homelab_hooks.config.schema import Strategy
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.land.landed import Landed
from homelab_hooks.land.request import DetectVerification, SkipVerification
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict

GitLand = Callable[..., Verdict]


def test_a_branch_is_merged_with_the_target_verified_and_pushed(
    workshop: ScratchRepositories, git_land: GitLand, events: Any
) -> None:
    ann = workshop.clone("ann", branch="topic")
    mine = ann.commit("a")
    bob = workshop.clone("bob")
    theirs = bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")

    verdict = git_land(ann, verify="test -e a && test -e b && echo good")

    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, ann.head)
    assert workshop.server_commit() == ann.head
    assert (
        ann.git("show", "-s", "--format=%P %s")
        == f"{mine} {theirs} Merge remote-tracking branch 'origin/main' into topic"
    )
    assert ann.git("branch", "--show-current") == "topic"
    assert events.lines("verify")[-1] == "good"
    assert events.stages() == [
        (stage, "done") for stage in ("preflight", "fetch", "merge", "verify", "push", "confirm")
    ]


def test_landed_and_the_resume_command_come_before_anything_else(
    workshop: ScratchRepositories, git_land: GitLand, events: Any
) -> None:
    ann = workshop.clone("ann", branch="topic")
    sha = ann.commit("a")
    before: list[list[str]] = []

    def after(there: Landed) -> Verdict:
        before.append(events.lines("homelab"))
        assert (there.sha, there.branch, there.remote, there.push_url) == (
            sha,
            "main",
            "origin",
            str(workshop.bare_path),
        )
        return Verdict(exit=ExitCode.FAILED, reason="red", sha="other")

    verdict = git_land(ann, follow_up=after)

    assert (verdict.exit, verdict.landed, verdict.sha, verdict.reason) == (ExitCode.FAILED, True, sha, "red")
    assert before[0][-2] == f"landed {sha} on main"
    assert f"homelab-watch {sha}" in before[0][-1]


def test_no_trouble_after_the_landing_takes_it_back(workshop: ScratchRepositories, git_land: GitLand) -> None:
    """2 and 20 to 24 mean that nothing was landed, so they may not end a landing that was."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")

    def after(_: Landed) -> Verdict:
        raise CommandError("kubectl is missing", hint="install it", exit=ExitCode.USAGE)

    verdict = git_land(ann, follow_up=after)
    assert (verdict.exit, verdict.landed, verdict.reason) == (ExitCode.UNREACHABLE, True, "kubectl is missing")


def test_a_verification_that_fails_leaves_the_target_alone_and_says_its_last_lines(
    workshop: ScratchRepositories, git_land: GitLand, events: Any, parts: Any
) -> None:
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    start = ann.commit("a")
    theirs = bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")

    verdict = git_land(ann, verify="echo one; echo broken >&2; exit 3")

    assert (verdict.exit, verdict.landed) == (ExitCode.VERIFY_FAILED, False)
    assert verdict.reason.endswith("exit 3` exited with code 3")
    assert "git land --abort" in verdict.hint
    assert events.lines("verify")[-2:] == ["one", "broken"]
    assert workshop.server_commit() == theirs
    back = land_run.abort_landing(parts(ann))
    assert (back.exit, back.landed, ann.head) == (ExitCode.OK, False, start)


def test_a_verification_that_changes_tracked_files_is_a_failed_one(
    workshop: ScratchRepositories, git_land: GitLand
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    verdict = git_land(ann, verify="echo formatted >a")
    assert (verdict.exit, verdict.reason) == (
        ExitCode.VERIFY_FAILED,
        "tracked files changed during the verification: a",
    )
    ann.git("checkout", "--", "a")
    assert git_land(ann).landed


def test_the_verification_sees_no_variable_that_git_set_for_another_call(
    workshop: ScratchRepositories, git_land: GitLand, events: Any
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    assert git_land(ann, verify="env | grep -E '^GIT_(DIR|WORK_TREE|INDEX_FILE|EDITOR)=' || echo none").landed
    assert events.lines("verify")[-1] == "none"


def test_without_anything_to_verify_with_a_landing_is_refused_unless_requested(
    workshop: ScratchRepositories, git_land: GitLand, events: Any
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    verdict = git_land(ann, how=DetectVerification())
    assert (verdict.exit, verdict.reason) == (ExitCode.REFUSED, "no verification command found")
    assert git_land(ann, how=SkipVerification()).landed
    assert ("verify", "skipped") in events.stages()


def test_the_verification_is_found_in_the_repository(
    workshop: ScratchRepositories, git_land: GitLand, events: Any
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("Makefile", "test:\n\t@echo tested\n")
    assert git_land(ann, how=DetectVerification()).landed
    assert "tested" in events.lines("verify")
    assert "from a Makefile with a test target" in events.lines("verify")[0]


def test_a_rebase_puts_the_branch_on_top_of_the_target(workshop: ScratchRepositories, git_land: GitLand) -> None:
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    ann.commit("a")
    theirs = bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    assert git_land(ann, strategy=Strategy.REBASE).landed
    assert ann.git("rev-parse", "HEAD^") == theirs
    assert workshop.server_commit() == ann.head


def test_a_fast_forward_only_landing_on_a_moved_target_is_a_conflict(
    workshop: ScratchRepositories, git_land: GitLand
) -> None:
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    start = ann.commit("a")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    verdict = git_land(ann, strategy=Strategy.FF_ONLY)
    assert (verdict.exit, verdict.landed, ann.head) == (ExitCode.CONFLICT, False, start)


def test_a_linked_work_tree_lands_and_the_target_is_never_checked_out(
    workshop: ScratchRepositories, git_land: GitLand
) -> None:
    ann = workshop.clone("ann")
    ann.git("worktree", "add", "--quiet", "-b", "topic", "../linked")
    linked = Clone(workshop.folder / "linked", workshop.environ)
    main = ann.head
    sha = linked.commit("a")
    assert git_land(linked).landed
    assert workshop.server_commit() == sha
    assert (ann.git("branch", "--show-current"), ann.head) == ("main", main)


def test_a_rehearsal_says_what_would_happen_and_changes_nothing(
    workshop: ScratchRepositories, git_land: GitLand, events: Any
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    before = (ann.git("for-each-ref"), workshop.server_commit())
    verdict = git_land(ann, dry_run=True, verify="make test")
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, False)
    text = "\n".join(events.lines("homelab"))
    for part in ("land 1 commit by merge", "would verify with `make test`", "would push to main on origin"):
        assert part in text
    assert (ann.git("for-each-ref"), workshop.server_commit()) == before


def test_a_rehearsal_names_every_refusal_at_once(workshop: ScratchRepositories, git_land: GitLand, events: Any) -> None:
    ann = workshop.clone("ann")
    ann.write("README", "changed")

    def silent() -> None:
        raise CommandError("CI does not answer", exit=ExitCode.UNREACHABLE)

    verdict = git_land(ann, dry_run=True, how=DetectVerification(), check_ci=silent)
    assert verdict.exit is ExitCode.REFUSED
    refusals = [line for line in events.lines("homelab") if line.startswith("would be refused")]
    assert len(refusals) == 4
    ann.git("checkout", "--", "README")
