"""What the Go original got wrong, each named after what is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.config.schema import Strategy
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow  # many processes of git each; together they would keep `make check` waiting

GitLand = Callable[..., Verdict]


def test_defect_1_after_a_lost_race_the_new_tree_is_verified_too(
    workshop: ScratchRepositories, git_land: GitLand, events: Any
) -> None:
    """Defect 1: a retry merged the new target and pushed it unverified."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    ann.commit("a")
    bob.commit("b")

    verdict = git_land(ann, verify="git rev-parse HEAD^{tree}; git -C ../bob push --quiet origin main")

    assert verdict.landed
    assert workshop.server_commit() == ann.head
    trees = [line for line in events.lines("verify") if len(line) == 40]
    assert len(trees) == 2
    assert trees[-1] == workshop.origin.sha("main^{tree}")


@pytest.mark.parametrize("name", ["pre-receive", "update"])
def test_defect_2_a_servers_hook_is_not_branch_protection(
    workshop: ScratchRepositories, git_land: GitLand, name: str
) -> None:
    """Defect 2: any error of a push was called branch protection, and ended with 0."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    workshop.write_hook(name, "echo tickets must be referenced >&2; exit 1")

    verdict = git_land(ann)

    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert "tickets must be referenced" in verdict.reason
    assert workshop.server_commit("topic") == ""


def test_defect_2_the_users_own_pre_push_hook_is_named_as_such(
    workshop: ScratchRepositories, git_land: GitLand, events: Any
) -> None:
    """Defect 2: any error of a push was called branch protection, and ended with 0."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    workshop.write_hook("pre-push", "echo no secrets please; exit 1", where=ann.path / ".git/hooks")

    verdict = git_land(ann)

    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert verdict.reason.startswith("the pre-push hook rejected the push")
    assert "no secrets please" in events.lines("push")
    assert workshop.server_commit("topic") == ""


def test_defect_2_a_conflict_in_a_later_round_is_a_conflict(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any
) -> None:
    """Defect 2: any error of a push was called branch protection, and ended with 0."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    start = ann.commit("same", "mine\n")
    bob.commit("same", "theirs\n")

    verdict = git_land(ann, verify="git -C ../bob push --quiet origin main")

    assert (verdict.exit, verdict.landed) == (ExitCode.CONFLICT, False)
    assert "in: same" in verdict.reason
    assert workshop.server_commit("topic") == ""
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK
    assert ann.head == start


def test_defect_3_a_refusal_is_not_tried_again(workshop: ScratchRepositories, git_land: GitLand, clock: Any) -> None:
    """Defect 3: what can never work was tried three times."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    workshop.write_hook("pre-receive", "echo asked >>asked; exit 1")

    assert git_land(ann).exit is ExitCode.PUSH_FAILED
    assert (workshop.bare_path / "asked").read_text() == "asked\n"
    assert clock.slept == []


def test_defect_4_a_dirty_work_tree_is_refused_and_untracked_files_are_not_dirt(
    workshop: ScratchRepositories, git_land: GitLand
) -> None:
    """Defect 4: unrelated changes were verified along with the commit."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    ann.write("a", "changed\n")
    ann.write("new", "untracked\n")

    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert verdict.reason.endswith("would not be landed: a")

    ann.git("checkout", "--", "a")
    assert git_land(ann).landed


def test_defect_5_what_is_pushed_is_what_was_verified_not_what_head_became(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any
) -> None:
    """Defect 5: `HEAD` was resolved again for the push, and again after it."""
    ann = workshop.clone("ann", branch="topic")
    sha, before = ann.commit("a"), workshop.server_commit()

    verdict = git_land(ann, verify="git commit --quiet --allow-empty -m sneaked")

    assert (verdict.exit, verdict.landed) == (ExitCode.VERIFY_FAILED, False)
    assert "HEAD moved" in verdict.reason
    assert workshop.server_commit() == before
    sneaked = ann.head
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK
    assert (ann.head, ann.git("rev-parse", "HEAD^")) == (sneaked, sha), "a commit that is not ours is kept"


def test_defect_6_a_detached_head_is_refused(workshop: ScratchRepositories, git_land: GitLand) -> None:
    """Defect 6: a detached HEAD passed the guard and died on the way."""
    ann = workshop.clone("ann")
    ann.commit("a")
    ann.git("switch", "--quiet", "--detach")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert "detached" in verdict.reason


def test_defect_7_a_merge_in_progress_is_refused(workshop: ScratchRepositories, git_land: GitLand) -> None:
    """Defect 7: a merge in progress was not noticed."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("same", "mine\n")
    ann.git("switch", "--quiet", "-c", "other", "main")
    ann.commit("same", "theirs\n")
    ann.git("switch", "--quiet", "topic")
    with pytest.raises(RuntimeError, match="CONFLICT"):
        ann.git("merge", "other")

    verdict = git_land(ann)
    assert (verdict.exit, verdict.reason) == (ExitCode.REFUSED, "a merge that you started is in progress")
    ann.git("merge", "--abort")


def test_defect_8_a_branch_that_is_contained_already_is_nothing_to_land(
    workshop: ScratchRepositories, git_land: GitLand, events: Any
) -> None:
    """Defect 8: it said landed, and watched an old commit."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")

    verdict = git_land(ann)

    assert (verdict.exit, verdict.label, verdict.landed) == (ExitCode.OK, "nothing", False)
    assert not [line for line in events.lines("homelab") if line.startswith("landed")]


def test_defect_9_the_target_is_what_the_remote_calls_its_default(
    workshop: ScratchRepositories, git_land: GitLand
) -> None:
    """Defect 9: the target was called master, whatever the remote called it."""
    workshop.origin.git("branch", "trunk", "main")
    workshop.origin.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    ann = workshop.clone("ann")
    main = workshop.server_commit("main")
    ann.commit("a")
    assert "trunk is the target branch" in git_land(ann).reason
    ann.git("switch", "--quiet", "-c", "topic")
    assert git_land(ann).landed
    assert workshop.server_commit("trunk") == ann.head
    assert workshop.server_commit("main") == main


def test_defect_10_the_branchs_push_remote_is_landed_on(workshop: ScratchRepositories, git_land: GitLand) -> None:
    """Defect 10: the remote that git itself would push to was not considered."""
    ann = workshop.clone("ann", branch="topic")
    sha, main = ann.commit("a"), workshop.server_commit()
    ann.git("clone", "--quiet", "--bare", str(workshop.bare_path), "../backup.git")
    ann.git("remote", "add", "backup", "../backup.git")
    ann.git("config", "branch.topic.pushRemote", "backup")
    assert git_land(ann).landed
    assert ann.git("ls-remote", "backup", "refs/heads/main").split()[0] == sha
    assert workshop.server_commit() == main


def test_defect_11_a_remote_that_cannot_be_read_is_said_not_swallowed(
    workshop: ScratchRepositories, git_land: GitLand
) -> None:
    """Defect 11: errors of the remotes were swallowed."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    ann.git("remote", "set-url", "origin", str(workshop.folder / "gone.git"))
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert "gone.git" in verdict.reason
    ann.git("remote", "remove", "origin")
    assert "no remote" in git_land(ann).reason


def test_defect_12_ci_is_asked_before_anything_is_changed(workshop: ScratchRepositories, git_land: GitLand) -> None:
    """Defect 12: CI's token was used for the first time after the push, which cannot be undone."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    before = workshop.server_commit()

    def expired() -> None:
        raise CommandError("CI rejected the token from WOODPECKER_TOKEN", hint="make a new one", exit=ExitCode.DENIED)

    verdict = git_land(ann, check_ci=expired)
    assert (verdict.exit, verdict.landed, verdict.hint) == (ExitCode.REFUSED, False, "make a new one")
    assert (workshop.server_commit(), ann.sha("FETCH_HEAD")) == (before, "")


@pytest.mark.parametrize("strategy", list(Strategy)[:2])
def test_a_merge_that_git_breaks_off_leaves_no_file_of_the_target_behind(
    workshop: ScratchRepositories, git_land: GitLand, strategy: Strategy
) -> None:
    """Found by the soak, on a full disk; here a filter fails after the first files are written."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    start = ann.commit("mine")
    for name in ("README", "before/new", "z"):
        bob.commit(name, "theirs\n")
    bob.git("push", "--quiet", "origin", "main")
    ann.write(".git/info/attributes", "z filter=broken\n")
    ann.git("config", "filter.broken.smudge", "false")
    ann.git("config", "filter.broken.clean", "cat")
    ann.git("config", "filter.broken.required", "true")

    verdict = git_land(ann, strategy=strategy)

    assert verdict.exit is (ExitCode.REFUSED if strategy is Strategy.MERGE else ExitCode.PUSH_FAILED)
    assert (verdict.landed, ann.head) == (False, start)
    assert ann.git("status", "--porcelain") == ""
    ann.git("config", "filter.broken.smudge", "cat")
    assert git_land(ann, strategy=strategy).landed


def test_a_merge_that_git_refuses_leaves_the_users_own_files_alone(
    workshop: ScratchRepositories, git_land: GitLand
) -> None:
    """They were there before, whatever they hold."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    ann.commit("mine")
    bob.commit("same", "theirs\n")
    bob.commit("other", "theirs\n")
    bob.git("push", "--quiet", "origin", "main")
    ann.write("same", "theirs\n")
    ann.write("other", "mine\n")

    verdict = git_land(ann)

    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert (ann.path / "same").read_text() == "theirs\n"
    assert (ann.path / "other").read_text() == "mine\n"
