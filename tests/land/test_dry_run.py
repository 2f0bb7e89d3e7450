"""`--dry-run`: what would be done, and every refusal that would come, in one run that changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.config.schema import Strategy
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.request import DetectVerification
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow  # many processes of git each; together they would keep `make check` waiting

GitLand = Callable[..., Verdict]


@pytest.fixture
def ann(workshop: ScratchRepositories) -> Clone:
    clone = workshop.clone("ann", branch="topic")
    clone.commit("same", "mine\n")
    return clone


def moved(workshop: ScratchRepositories, name: str) -> str:
    """Bob pushes a file of that name; the target then."""
    bob = workshop.clone("bob")
    sha = bob.commit(name, "theirs\n")
    bob.git("push", "--quiet", "origin", "main")
    return sha


def everything(clone: Clone) -> tuple[str, list[str]]:
    """Refs, and the files of the git directory."""
    files = sorted(str(path) for path in (clone.path / ".git").rglob("*") if path.name != "index")
    return clone.git("for-each-ref"), files


def test_a_rehearsal_leaves_no_trace(workshop: ScratchRepositories, ann: Clone, git_land: GitLand) -> None:
    moved(workshop, "b")
    before = everything(ann)
    verdict = git_land(ann, dry_run=True)
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, False)
    assert everything(ann) == before


def test_a_remote_that_cannot_be_asked_for_its_target_is_no_remote_without_one(
    ann: Clone, git_land: GitLand, tmp_path: Path
) -> None:
    """Whose network is down is not told to change a setting."""
    ann.git("remote", "set-head", "origin", "--delete")
    ann.git("remote", "set-url", "origin", str(tmp_path / "gone.git"))
    for dry_run in (True, False):
        verdict = git_land(ann, dry_run=dry_run)
        assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
        assert verdict.reason.startswith("could not determine the target branch: cannot reach origin: ")
        assert "does not appear to be a git repository" in verdict.reason


def test_conflicts_that_would_come_are_named(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, events: Any
) -> None:
    tip = moved(workshop, "same")
    git_land(ann, dry_run=True)
    assert f"origin/main is at {tip[:10]}, not fetched yet" in events.lines("homelab")[0]
    ann.git("fetch", "--quiet")
    events.events.clear()
    git_land(ann, dry_run=True)
    assert events.lines("homelab")[0].endswith("would land 1 commit by merge, with conflicts in: same (exit code 21)")
    events.events.clear()
    git_land(ann, dry_run=True, strategy=Strategy.FF_ONLY)
    assert events.lines("homelab")[0].endswith("but cannot fast-forward (exit code 21)")


def test_nothing_to_land_is_said(workshop: ScratchRepositories, git_land: GitLand, events: Any) -> None:
    git_land(workshop.clone("carol", branch="topic"), dry_run=True)
    assert events.lines("homelab")[0].endswith("contains topic: nothing to land")


def test_what_comes_after_the_push_is_said(
    ann: Clone, workshop: ScratchRepositories, git_land: GitLand, events: Any
) -> None:
    def never(_: object) -> Verdict:
        raise AssertionError

    git_land(ann, dry_run=True, follow_up=never)
    assert events.lines("homelab")[-1] == "would watch CI"
    hook = workshop.write_hook("post-push", "exit 1", where=ann.path / ".git/hooks")
    git_land(ann, dry_run=True, follow_up=never)
    assert events.lines("homelab")[-1] == f"would run {hook}"


def test_every_refusal_is_said_in_one_run_also_without_a_remote(ann: Clone, git_land: GitLand, events: Any) -> None:
    ann.git("remote", "remove", "origin")
    ann.write("same", "changed\n")

    def silent() -> None:
        raise CommandError("CI does not answer", hint="look", exit=ExitCode.UNREACHABLE)

    verdict = git_land(ann, dry_run=True, how=DetectVerification(), check_ci=silent)

    assert (verdict.exit, verdict.landed) == (ExitCode.USAGE, False)
    refusals = [line.partition(": ")[2] for line in events.lines("homelab") if line.startswith("would be refused")]
    assert [line.split(";")[0] for line in refusals] == [
        "this repository has no remote",
        "uncommitted changes would not be landed: same",
        "no verification command found",
        "CI does not answer",
    ]
    ann.git("checkout", "--", "same")


def test_a_target_or_a_server_that_is_not_there_is_found_out(
    ann: Clone, workshop: ScratchRepositories, git_land: GitLand, events: Any
) -> None:
    verdict = git_land(ann, dry_run=True, onto="mian")
    assert (verdict.exit, verdict.reason) == (ExitCode.REFUSED, "there is no branch origin/mian")
    ann.git("remote", "set-url", "origin", str(workshop.folder / "gone"))
    verdict = git_land(ann, dry_run=True)
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert "could not query origin/main" in verdict.reason
    assert not any(line.startswith("would be refused") for line in events.lines("homelab"))  # the result has it


def test_a_verification_whose_program_is_missing_is_a_refusal(
    ann: Clone, git_land: GitLand, events: Any, tmp_path: Path
) -> None:
    """`git land` would end with 20 after the merge."""
    ann.commit("justfile", "test:\n")
    verdict = git_land(ann, dry_run=True, how=DetectVerification(), commands=ProcessRunner({"PATH": str(tmp_path)}))
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert verdict.reason == "found a justfile with a test recipe, but cannot run just"
    assert "install just" in verdict.hint
    assert not any(verdict.reason in line for line in events.lines("homelab"))


def test_a_landing_that_runs_meanwhile_is_a_refusal(ann: Clone, git_land: GitLand) -> None:
    seen: list[Verdict] = []
    assert git_land(ann, check_ci=lambda: seen.append(git_land(ann, dry_run=True))).landed
    assert (seen[0].exit, seen[0].landed) == (ExitCode.REFUSED, False)
    assert "another landing is running in this repository: process" in seen[0].reason


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_needs_no_network_is_reported_before_a_remote_that_cannot_be_asked(
    ann: Clone, git_land: GitLand, tmp_path: Path, *, dry_run: bool
) -> None:
    ann.git("remote", "set-head", "origin", "--delete")
    ann.git("remote", "set-url", "origin", str(tmp_path / "gone.git"))
    ann.write("same", "changed\n")
    verdict = git_land(ann, dry_run=dry_run)
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert "changes would not be landed: same" in verdict.reason
    ann.git("restore", "same")


def test_during_a_conflict_no_second_remedy_contradicts_the_first(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, events: Any
) -> None:
    moved(workshop, "same")
    assert git_land(ann).exit is ExitCode.CONFLICT
    verdict = git_land(ann, dry_run=True)
    assert not any(line.startswith("would be refused") for line in events.lines("homelab"))
    assert "the merge of an earlier landing is in progress" in verdict.reason
    ann.git("merge", "--abort")
    (ann.path / ".git/homelab/land.json").unlink()
