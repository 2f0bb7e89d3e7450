"""Landings that read like a terminal: set-up lines, one call, the expected graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.demo.githttp import Fault, GitServer, Service
from homelab_hooks.demo.workshop import Checkout, Workshop
from homelab_hooks.errors import Problem
from homelab_hooks.exits import Exit
from homelab_hooks.land import land
from homelab_hooks.land.request import Detect, Landed, Skip, Strategy
from homelab_hooks.verdict import Verdict

GitLand = Callable[..., Verdict]

GITEA_PROTECTS = """
while read old new ref; do
  case $ref in
    refs/heads/main)
      printf '\\nerror:\\nerror: Not allowed to push to protected branch main\\nerror:\\n' >&2
      exit 1;;
  esac
done"""
GITEA_LINK = """
echo >&2
echo "Create a new pull request for 'topic':" >&2
echo "  https://git.example.test/acme/app/pulls/new/topic" >&2
echo >&2"""


def test_a_branch_is_merged_with_the_target_verified_and_pushed(
    workshop: Workshop, git_land: GitLand, told: Any
) -> None:
    ann = workshop.clone("ann", topic="topic")
    mine = ann.commit("a")
    bob = workshop.clone("bob")
    theirs = bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")

    verdict = git_land(ann, verify="test -e a && test -e b && echo good")

    assert (verdict.exit, verdict.landed, verdict.sha) == (Exit.OK, True, ann.head)
    assert workshop.on_server() == ann.head
    assert (
        ann.git("show", "-s", "--format=%P %s")
        == f"{mine} {theirs} Merge remote-tracking branch 'origin/main' into topic"
    )
    assert ann.git("branch", "--show-current") == "topic"
    assert told.lines("verify")[-1] == "good"
    assert told.stages() == [(stage, "done") for stage in ("preflight", "fetch", "merge", "verify", "push", "confirm")]


def test_landed_and_the_resume_command_come_before_anything_else(
    workshop: Workshop, git_land: GitLand, told: Any
) -> None:
    ann = workshop.clone("ann", topic="topic")
    sha = ann.commit("a")
    before: list[list[str]] = []

    def after(there: Landed) -> Verdict:
        before.append(told.lines("homelab"))
        assert (there.sha, there.branch, there.remote, there.push_url) == (sha, "main", "origin", str(workshop.bare))
        return Verdict(exit=Exit.FAILED, reason="red", sha="other")

    verdict = git_land(ann, after=after)

    assert (verdict.exit, verdict.landed, verdict.sha, verdict.reason) == (Exit.FAILED, True, sha, "red")
    assert before[0][-2] == f"landed {sha} on main"
    assert f"homelab-watch {sha}" in before[0][-1]


def test_no_trouble_after_the_landing_takes_it_back(workshop: Workshop, git_land: GitLand) -> None:
    """2 and 20 to 24 mean that nothing was landed, so they may not end a landing that was."""
    ann = workshop.clone("ann", topic="topic")
    ann.commit("a")

    def after(_: Landed) -> Verdict:
        raise Problem("kubectl is missing", hint="install it", exit=Exit.USAGE)

    verdict = git_land(ann, after=after)
    assert (verdict.exit, verdict.landed, verdict.reason) == (Exit.UNREACHABLE, True, "kubectl is missing")


def test_defect_1_after_a_lost_race_the_new_tree_is_verified_too(
    workshop: Workshop, git_land: GitLand, told: Any
) -> None:
    ann, bob = workshop.clone("ann", topic="topic"), workshop.clone("bob")
    ann.commit("a")
    bob.commit("b")

    verdict = git_land(ann, verify="git rev-parse HEAD^{tree}; git -C ../bob push --quiet origin main")

    assert verdict.landed
    assert workshop.on_server() == ann.head
    trees = [line for line in told.lines("verify") if len(line) == 40]
    assert len(trees) == 2
    assert trees[-1] == workshop.origin.sha("main^{tree}")


def test_a_race_lost_after_the_servers_advertisement_is_run_again(workshop: Workshop, git_land: GitLand) -> None:
    """The other push lands while our own pre-push hook runs."""
    ann, bob = workshop.clone("ann", topic="topic"), workshop.clone("bob")
    ann.commit("a")
    theirs = bob.commit("b")
    workshop.hook("pre-push", "env -u GIT_DIR git -C ../bob push --quiet origin main", where=ann.path / ".git/hooks")

    assert git_land(ann).landed
    assert workshop.on_server() == ann.head
    assert ann.git("merge-base", theirs, "HEAD") == theirs


def test_a_lost_race_is_tried_again_five_times_and_each_wait_is_jittered(
    workshop: Workshop, git_land: GitLand, clock: Any
) -> None:
    ann = workshop.clone("ann", topic="topic")
    workshop.clone("bob")
    ann.commit("a")
    always = "cd ../bob && date +%N >n && git add n && git commit --quiet -m n && git push --quiet origin main"

    verdict = git_land(ann, verify=always)

    assert (verdict.exit, verdict.landed) == (Exit.PUSH_FAILED, False)
    assert "after 6 tries: somebody else pushed first" in verdict.reason
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_the_same_tree_is_not_verified_twice(workshop: Workshop, git_land: GitLand, clock: Any, told: Any) -> None:
    """The server's ref is locked by another update for a moment."""
    ann = workshop.clone("ann", topic="topic")
    sha = ann.commit("a")
    lock = workshop.bare / "refs/heads/main.lock"
    lock.touch()
    clock.while_asleep = lock.unlink

    assert git_land(ann, verify="echo once").landed
    assert workshop.on_server() == sha
    assert told.lines("verify").count("once") == 1
    assert ("verify", "skipped") in told.stages()


@pytest.mark.parametrize("name", ["pre-receive", "update"])
def test_defect_2_a_servers_hook_is_not_branch_protection(workshop: Workshop, git_land: GitLand, name: str) -> None:
    ann = workshop.clone("ann", topic="topic")
    ann.commit("a")
    workshop.hook(name, "echo tickets must be referenced >&2; exit 1")

    verdict = git_land(ann)

    assert (verdict.exit, verdict.landed) == (Exit.PUSH_FAILED, False)
    assert "tickets must be referenced" in verdict.reason
    assert workshop.on_server("topic") == ""


def test_defect_2_the_users_own_pre_push_hook_is_named_as_such(
    workshop: Workshop, git_land: GitLand, told: Any
) -> None:
    ann = workshop.clone("ann", topic="topic")
    ann.commit("a")
    workshop.hook("pre-push", "echo no secrets please; exit 1", where=ann.path / ".git/hooks")

    verdict = git_land(ann)

    assert (verdict.exit, verdict.landed) == (Exit.PUSH_FAILED, False)
    assert verdict.reason.startswith("the pre-push hook of this repository refused the push")
    assert "no secrets please" in told.lines("push")
    assert workshop.on_server("topic") == ""


def test_defect_2_a_conflict_in_a_later_round_is_a_conflict(workshop: Workshop, git_land: GitLand, parts: Any) -> None:
    ann, bob = workshop.clone("ann", topic="topic"), workshop.clone("bob")
    start = ann.commit("same", "mine\n")
    bob.commit("same", "theirs\n")

    verdict = git_land(ann, verify="git -C ../bob push --quiet origin main")

    assert (verdict.exit, verdict.landed) == (Exit.CONFLICT, False)
    assert "in: same" in verdict.reason
    assert workshop.on_server("topic") == ""
    assert land.abort(parts(ann)).exit is Exit.OK
    assert ann.head == start


def test_defect_3_a_refusal_is_not_tried_again(workshop: Workshop, git_land: GitLand, clock: Any) -> None:
    ann = workshop.clone("ann", topic="topic")
    ann.commit("a")
    workshop.hook("pre-receive", "echo asked >>asked; exit 1")

    assert git_land(ann).exit is Exit.PUSH_FAILED
    assert (workshop.bare / "asked").read_text() == "asked\n"
    assert clock.slept == []


def test_defect_4_a_dirty_work_tree_is_refused_and_untracked_files_are_not_dirt(
    workshop: Workshop, git_land: GitLand
) -> None:
    ann = workshop.clone("ann", topic="topic")
    ann.commit("a")
    ann.write("a", "changed\n")
    ann.write("new", "untracked\n")

    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (Exit.REFUSED, False)
    assert verdict.reason.endswith("would not be landed: a")

    ann.git("checkout", "--", "a")
    assert git_land(ann).landed


def test_defect_5_what_is_pushed_is_what_was_verified_not_what_head_became(
    workshop: Workshop, git_land: GitLand, parts: Any
) -> None:
    ann = workshop.clone("ann", topic="topic")
    sha, before = ann.commit("a"), workshop.on_server()

    verdict = git_land(ann, verify="git commit --quiet --allow-empty -m sneaked")

    assert (verdict.exit, verdict.landed) == (Exit.VERIFY_FAILED, False)
    assert "moved HEAD" in verdict.reason
    assert workshop.on_server() == before
    refused = land.abort(parts(ann))
    assert refused.exit is Exit.REFUSED
    ann.git("reset", "--quiet", "--keep", sha)
    assert land.abort(parts(ann)).exit is Exit.OK


def test_defect_6_a_detached_head_is_refused(workshop: Workshop, git_land: GitLand) -> None:
    ann = workshop.clone("ann")
    ann.commit("a")
    ann.git("switch", "--quiet", "--detach")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (Exit.REFUSED, False)
    assert "detached" in verdict.reason


def test_defect_7_a_merge_in_progress_is_refused(workshop: Workshop, git_land: GitLand) -> None:
    ann = workshop.clone("ann", topic="topic")
    ann.commit("same", "mine\n")
    ann.git("switch", "--quiet", "-c", "other", "main")
    ann.commit("same", "theirs\n")
    ann.git("switch", "--quiet", "topic")
    with pytest.raises(RuntimeError, match="CONFLICT"):
        ann.git("merge", "other")

    verdict = git_land(ann)
    assert (verdict.exit, verdict.reason) == (Exit.REFUSED, "a merge is in progress")
    ann.git("merge", "--abort")


def test_defect_8_a_branch_that_is_contained_already_is_nothing_to_land(
    workshop: Workshop, git_land: GitLand, told: Any
) -> None:
    ann, bob = workshop.clone("ann", topic="topic"), workshop.clone("bob")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")

    verdict = git_land(ann)

    assert (verdict.exit, verdict.word, verdict.landed) == (Exit.OK, "nothing", False)
    assert not [line for line in told.lines("homelab") if line.startswith("landed")]


def test_defect_9_the_target_is_what_the_remote_calls_its_default(workshop: Workshop, git_land: GitLand) -> None:
    workshop.origin.git("branch", "trunk", "main")
    workshop.origin.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    ann = workshop.clone("ann")
    main = workshop.on_server("main")
    ann.commit("a")
    assert "trunk is the target itself" in git_land(ann).reason
    ann.git("switch", "--quiet", "-c", "topic")
    assert git_land(ann).landed
    assert workshop.on_server("trunk") == ann.head
    assert workshop.on_server("main") == main


def test_defect_10_the_branchs_push_remote_is_landed_on(workshop: Workshop, git_land: GitLand) -> None:
    ann = workshop.clone("ann", topic="topic")
    sha, main = ann.commit("a"), workshop.on_server()
    ann.git("clone", "--quiet", "--bare", str(workshop.bare), "../backup.git")
    ann.git("remote", "add", "backup", "../backup.git")
    ann.git("config", "branch.topic.pushRemote", "backup")
    assert git_land(ann).landed
    assert ann.git("ls-remote", "backup", "refs/heads/main").split()[0] == sha
    assert workshop.on_server() == main


def test_defect_11_a_remote_that_cannot_be_read_is_said_not_swallowed(workshop: Workshop, git_land: GitLand) -> None:
    ann = workshop.clone("ann", topic="topic")
    ann.commit("a")
    ann.git("remote", "set-url", "origin", str(workshop.folder / "gone.git"))
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (Exit.PUSH_FAILED, False)
    assert "gone.git" in verdict.reason
    ann.git("remote", "remove", "origin")
    assert "no remote" in git_land(ann).reason


def test_defect_12_ci_is_asked_before_anything_is_changed(workshop: Workshop, git_land: GitLand) -> None:
    ann = workshop.clone("ann", topic="topic")
    sha, before = ann.commit("a"), workshop.on_server()
    asked = []

    def expired(commit: str) -> None:
        asked.append(commit)
        raise Problem("CI refused the token from WOODPECKER_TOKEN", hint="make a new one", exit=Exit.DENIED)

    verdict = git_land(ann, check_ci=expired)
    assert (verdict.exit, verdict.landed, verdict.hint) == (Exit.REFUSED, False, "make a new one")
    assert asked == [sha]
    assert (workshop.on_server(), ann.sha("FETCH_HEAD")) == (before, "")


def test_a_protected_target_gets_the_branch_and_the_link(workshop: Workshop, git_land: GitLand) -> None:
    ann = workshop.clone("ann", topic="topic")
    sha, before = ann.commit("a"), workshop.on_server()
    workshop.hook("pre-receive", GITEA_PROTECTS)
    workshop.hook("post-receive", GITEA_LINK)

    verdict = git_land(ann, after=lambda _: Verdict(exit=Exit.OK))

    assert (verdict.exit, verdict.landed) == (Exit.PROTECTED, False)
    assert verdict.url == "https://git.example.test/acme/app/pulls/new/topic"
    assert (workshop.on_server("topic"), workshop.on_server()) == (sha, before)
    with pytest.raises(RuntimeError):
        ann.git("rev-parse", "topic@{upstream}")  # defect 14: no upstream is set on the way


def test_a_protected_target_whose_branch_cannot_be_pushed_is_a_failed_push(
    workshop: Workshop, git_land: GitLand
) -> None:
    ann = workshop.clone("ann", topic="topic")
    ann.commit("a")
    workshop.hook("pre-receive", f"{GITEA_PROTECTS}\nexit 1")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (Exit.PUSH_FAILED, False)
    assert "takes no direct pushes" in verdict.reason


def test_a_verification_that_fails_leaves_the_target_alone_and_says_its_last_lines(
    workshop: Workshop, git_land: GitLand, told: Any, parts: Any
) -> None:
    ann, bob = workshop.clone("ann", topic="topic"), workshop.clone("bob")
    start = ann.commit("a")
    theirs = bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")

    verdict = git_land(ann, verify="echo one; echo broken >&2; exit 3")

    assert (verdict.exit, verdict.landed) == (Exit.VERIFY_FAILED, False)
    assert "exit code 3" in verdict.reason
    assert "git land --abort" in verdict.hint
    assert told.lines("verify")[-2:] == ["one", "broken"]
    assert workshop.on_server() == theirs
    back = land.abort(parts(ann))
    assert (back.exit, back.landed, ann.head) == (Exit.OK, False, start)


def test_a_verification_that_changes_tracked_files_is_a_failed_one(workshop: Workshop, git_land: GitLand) -> None:
    ann = workshop.clone("ann", topic="topic")
    ann.commit("a")
    verdict = git_land(ann, verify="echo formatted >a")
    assert (verdict.exit, verdict.reason) == (Exit.VERIFY_FAILED, "the verification changed tracked files: a")
    ann.git("checkout", "--", "a")
    assert git_land(ann).landed


def test_the_verification_sees_no_variable_that_git_set_for_another_call(
    workshop: Workshop, git_land: GitLand, told: Any
) -> None:
    ann = workshop.clone("ann", topic="topic")
    ann.commit("a")
    assert git_land(ann, verify="env | grep -E '^GIT_(DIR|WORK_TREE|INDEX_FILE|EDITOR)=' || echo none").landed
    assert told.lines("verify")[-1] == "none"


def test_without_anything_to_verify_with_a_landing_is_refused_unless_told(
    workshop: Workshop, git_land: GitLand, told: Any
) -> None:
    ann = workshop.clone("ann", topic="topic")
    ann.commit("a")
    verdict = git_land(ann, how=Detect())
    assert (verdict.exit, verdict.reason) == (Exit.REFUSED, "there is nothing to verify with")
    assert git_land(ann, how=Skip()).landed
    assert ("verify", "skipped") in told.stages()


def test_the_verification_is_found_in_the_repository(workshop: Workshop, git_land: GitLand, told: Any) -> None:
    ann = workshop.clone("ann", topic="topic")
    ann.commit("Makefile", "test:\n\t@echo tested\n")
    assert git_land(ann, how=Detect()).landed
    assert "tested" in told.lines("verify")
    assert "there is a Makefile with a target test" in told.lines("verify")[0]


def test_a_rebase_puts_the_branch_on_top_of_the_target(workshop: Workshop, git_land: GitLand) -> None:
    ann, bob = workshop.clone("ann", topic="topic"), workshop.clone("bob")
    ann.commit("a")
    theirs = bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    assert git_land(ann, strategy=Strategy.REBASE).landed
    assert ann.git("rev-parse", "HEAD^") == theirs
    assert workshop.on_server() == ann.head


def test_a_fast_forward_only_landing_on_a_moved_target_is_a_conflict(workshop: Workshop, git_land: GitLand) -> None:
    ann, bob = workshop.clone("ann", topic="topic"), workshop.clone("bob")
    start = ann.commit("a")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    verdict = git_land(ann, strategy=Strategy.FF_ONLY)
    assert (verdict.exit, verdict.landed, ann.head) == (Exit.CONFLICT, False, start)


def test_a_merge_that_a_hook_refuses_is_undone(workshop: Workshop, git_land: GitLand) -> None:
    ann, bob = workshop.clone("ann", topic="topic"), workshop.clone("bob")
    start = ann.commit("a")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    workshop.hook("commit-msg", "echo ticket missing >&2; exit 1", where=ann.path / ".git/hooks")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed, ann.head) == (Exit.PUSH_FAILED, False, start)
    assert "ticket missing" in verdict.reason


def test_an_answer_that_was_lost_is_settled_by_asking_the_server(
    workshop: Workshop, server: GitServer, git_land: GitLand, told: Any
) -> None:
    ann = workshop.clone("ann", at=f"{server.url}/acme/app.git", topic="topic")
    sha = ann.commit("a")
    server.plan.faults[Service.PUSH] = Fault.LOSE_ANSWER
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed, workshop.on_server()) == (Exit.OK, True, sha)
    assert ("push", "failed") in told.stages()
    assert ("confirm", "done") in told.stages()


def test_a_lost_answer_whose_commit_was_built_upon_is_landed(
    workshop: Workshop, server: GitServer, git_land: GitLand
) -> None:
    ann = workshop.clone("ann", at=f"{server.url}/acme/app.git", topic="topic")
    bob = workshop.clone("bob")
    sha = ann.commit("a")
    server.plan.faults[Service.PUSH] = Fault.LOSE_ANSWER

    def build_upon(_: object) -> None:
        bob.git("pull", "--quiet")
        bob.commit("b")
        bob.git("push", "--quiet", "origin", "main")

    server.plan.on_push = build_upon
    verdict = git_land(ann)
    assert (verdict.landed, verdict.sha) == (True, sha)
    assert workshop.on_server() == bob.head


def test_a_push_that_did_not_arrive_is_sent_again(workshop: Workshop, server: GitServer, git_land: GitLand) -> None:
    ann = workshop.clone("ann", at=f"{server.url}/acme/app.git", topic="topic")
    sha = ann.commit("a")
    server.plan.faults[Service.PUSH] = Fault.DROP
    server.plan.times = 1
    assert git_land(ann).landed
    assert workshop.on_server() == sha


def test_what_nobody_can_tell_is_called_unknown_until_the_server_is_back(
    workshop: Workshop, server: GitServer, git_land: GitLand, parts: Any
) -> None:
    ann = workshop.clone("ann", at=f"{server.url}/acme/app.git", topic="topic")
    sha = ann.commit("a")
    server.plan.faults[Service.PUSH] = Fault.LOSE_ANSWER
    server.plan.on_push = lambda _: server.plan.faults.update({Service.FETCH_REFS: Fault.UNAVAILABLE})

    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (Exit.UNREACHABLE, None)
    assert "unknown" in verdict.reason
    assert git_land(ann).exit is Exit.REFUSED
    assert land.abort(parts(ann)).exit is Exit.UNREACHABLE

    server.plan.faults.clear()
    verdict = land.proceed(parts(ann))
    assert (verdict.exit, verdict.landed, verdict.sha) == (Exit.OK, True, sha)


def test_a_push_over_ssh_lands(workshop: Workshop, git_land: GitLand) -> None:
    """The stand-in for ssh runs the command on this machine."""
    stand_in = workshop.hook("ssh", 'for last; do :; done; exec sh -c "$last"', where=workshop.folder / "bin")
    ann = workshop.clone("ann", topic="topic")
    ann.git("config", "core.sshCommand", str(stand_in))
    ann.git("remote", "set-url", "origin", f"ssh://git@git.example.test{workshop.bare}")
    sha = ann.commit("a")
    assert git_land(ann).landed
    assert workshop.on_server() == sha


def test_the_target_is_read_from_where_it_is_pushed_to(workshop: Workshop, git_land: GitLand) -> None:
    """The URL to fetch from is a mirror that is behind."""
    ann, bob = workshop.clone("ann", topic="topic"), workshop.clone("bob")
    ann.git("clone", "--quiet", "--bare", str(workshop.bare), "../mirror.git")
    ann.git("remote", "set-url", "origin", "../mirror.git")
    ann.git("remote", "set-url", "--push", "origin", str(workshop.bare))
    ann.commit("a")
    theirs = bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    assert git_land(ann).landed
    assert workshop.on_server() == ann.head
    assert ann.git("merge-base", theirs, "HEAD") == theirs


def test_a_linked_work_tree_lands_and_the_target_is_never_checked_out(workshop: Workshop, git_land: GitLand) -> None:
    ann = workshop.clone("ann")
    ann.git("worktree", "add", "--quiet", "-b", "topic", "../linked")
    linked = Checkout(workshop.folder / "linked", workshop.environ)
    main = ann.head
    sha = linked.commit("a")
    assert git_land(linked).landed
    assert workshop.on_server() == sha
    assert (ann.git("branch", "--show-current"), ann.head) == ("main", main)


def test_a_rehearsal_says_what_would_happen_and_changes_nothing(
    workshop: Workshop, git_land: GitLand, told: Any
) -> None:
    ann = workshop.clone("ann", topic="topic")
    ann.commit("a")
    before = (ann.git("for-each-ref"), workshop.on_server())
    verdict = git_land(ann, dry_run=True, verify="make test")
    assert (verdict.exit, verdict.landed) == (Exit.OK, False)
    text = "\n".join(told.lines("homelab"))
    for part in ("land 1 commits by merge", "would verify with `make test`", "would push to main on origin"):
        assert part in text
    assert (ann.git("for-each-ref"), workshop.on_server()) == before


def test_a_rehearsal_names_every_refusal_at_once(workshop: Workshop, git_land: GitLand, told: Any) -> None:
    ann = workshop.clone("ann")
    ann.write("README", "changed")

    def silent(_: str) -> None:
        raise Problem("CI does not answer", exit=Exit.UNREACHABLE)

    verdict = git_land(ann, dry_run=True, how=Detect(), check_ci=silent)
    assert verdict.exit is Exit.REFUSED
    refusals = [line for line in told.lines("homelab") if line.startswith("would be refused")]
    assert len(refusals) == 4
    ann.git("checkout", "--", "README")
