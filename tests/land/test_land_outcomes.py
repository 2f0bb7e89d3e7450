"""Results of a push, and the next step after each, against real servers over a path, http and ssh."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.config.schema import Strategy
from homelab_hooks.events import Event, Progress, Stage, StageChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.simulators.git_http import GitFault, GitServer, GitService
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow  # many processes of git each; together they would keep `make check` waiting

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


def test_a_race_lost_after_the_servers_advertisement_is_run_again(
    workshop: ScratchRepositories, git_land: GitLand
) -> None:
    """The other push lands while our own pre-push hook runs."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    ann.commit("a")
    theirs = bob.commit("b")
    workshop.write_hook(
        "pre-push", "env -u GIT_DIR git -C ../bob push --quiet origin main", where=ann.path / ".git/hooks"
    )

    assert git_land(ann).landed
    assert workshop.server_commit() == ann.head
    assert ann.git("merge-base", theirs, "HEAD") == theirs


def test_a_lost_race_is_tried_again_five_times_after_some_quiet_rounds(
    workshop: ScratchRepositories, git_land: GitLand, *, clock: Any, events: Any, parts: Any
) -> None:
    """A round takes four seconds here, and loses the race to a push that is made only during it."""
    ann = workshop.clone("ann", branch="topic")
    workshop.clone("bob")
    start = ann.commit("a")
    always = "cd ../bob && date +%N >n && git add n && git commit --quiet -m n && git push --quiet origin main"

    def tell(event: Event) -> None:
        events(event)
        if event == StageChanged(stage=Stage.VERIFY, progress=Progress.STARTED):
            clock.time += 4.0

    verdict = git_land(ann, verify=always, tell=tell)

    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert "after 6 attempts: another push came first" in verdict.reason
    assert clock.slept == [1.0] * (10 + 4 * 16)
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK
    assert ann.head == start


def test_the_same_tree_is_not_verified_twice(
    workshop: ScratchRepositories, git_land: GitLand, clock: Any, events: Any
) -> None:
    """The server's ref is locked by another update for a moment."""
    ann = workshop.clone("ann", branch="topic")
    sha = ann.commit("a")
    lock = workshop.bare_path / "refs/heads/main.lock"
    lock.touch()
    clock.while_asleep = lock.unlink

    assert git_land(ann, verify="echo once").landed
    assert workshop.server_commit() == sha
    assert events.lines("verify").count("once") == 1
    assert ("verify", "skipped") in events.stages()


def test_a_protected_target_gets_the_branch_and_the_link(workshop: ScratchRepositories, git_land: GitLand) -> None:
    ann = workshop.clone("ann", branch="topic")
    sha, before = ann.commit("a"), workshop.server_commit()
    workshop.write_hook("pre-receive", GITEA_PROTECTS)
    workshop.write_hook("post-receive", GITEA_LINK)

    verdict = git_land(ann, follow_up=lambda _: Verdict(exit=ExitCode.OK))

    assert (verdict.exit, verdict.landed) == (ExitCode.PROTECTED, False)
    assert verdict.url == "https://git.example.test/acme/app/pulls/new/topic"
    assert (workshop.server_commit("topic"), workshop.server_commit()) == (sha, before)
    with pytest.raises(RuntimeError):
        ann.git("rev-parse", "topic@{upstream}")  # defect 14: no upstream is set on the way


def test_a_protected_target_whose_branch_cannot_be_pushed_is_a_failed_push(
    workshop: ScratchRepositories, git_land: GitLand
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    workshop.write_hook("pre-receive", f"{GITEA_PROTECTS}\nexit 1")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert "is protected" in verdict.reason


@pytest.mark.parametrize("change", ["rebase", "amend", "others"])
def test_a_branch_that_is_not_a_fast_forward_has_a_remedy_that_helps(
    workshop: ScratchRepositories, git_land: GitLand, change: str
) -> None:
    """The target is protected, and the branch was pushed before."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    ann.commit("a")
    ann.git("push", "--quiet", "origin", "topic")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    if change == "others":
        bob.git("fetch", "--quiet")
        bob.git("switch", "--quiet", "topic")
        bob.commit("c")
        bob.git("push", "--quiet", "origin", "topic")
    elif change == "amend":
        ann.git("commit", "--quiet", "--amend", "-m", "amended")
    workshop.write_hook("pre-receive", GITEA_PROTECTS)

    verdict = git_land(ann, strategy=Strategy.REBASE)

    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    command = verdict.hint.partition("run git ")[2].partition(", then ")[0]
    ann.git(*shlex.split(command))
    assert ("has other commits" in verdict.reason) is (change == "others")
    assert git_land(ann).exit is ExitCode.PROTECTED
    assert workshop.server_commit("topic") == ann.head


@pytest.mark.parametrize(("fault", "pushes"), [(GitFault.TOO_LARGE, 1), (GitFault.FORBIDDEN, 1), (GitFault.DROP, 3)])
def test_a_push_is_repeated_only_where_that_can_help(
    workshop: ScratchRepositories, server: GitServer, git_land: GitLand, events: Any, *, fault: GitFault, pushes: int
) -> None:
    ann = workshop.clone("ann", at=f"{server.url}/acme/app.git", branch="topic")
    ann.commit("a")
    server.plan.faults[GitService.PUSH] = fault
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert events.stages().count(("push", "failed")) == pushes
    assert ("413" in verdict.reason) is (fault is GitFault.TOO_LARGE)


def test_a_refusal_after_the_server_took_the_commit_is_settled_by_asking(
    workshop: ScratchRepositories, server: GitServer, git_land: GitLand
) -> None:
    """A proxy may refuse the answer on its way back."""
    ann = workshop.clone("ann", at=f"{server.url}/acme/app.git", branch="topic")
    sha = ann.commit("a")
    server.plan.faults[GitService.PUSH] = GitFault.REFUSE_LATE
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.OK, True, sha)


def test_an_expired_login_is_not_tried_again(
    workshop: ScratchRepositories, server: GitServer, git_land: GitLand, events: Any
) -> None:
    ann = workshop.clone("ann", at=f"{server.url}/acme/app.git", branch="topic")
    ann.commit("a")
    server.plan.faults[GitService.PUSH] = GitFault.UNAUTHORIZED
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert events.stages().count(("push", "failed")) == 1
    assert "access" in verdict.hint


def test_a_branch_named_like_a_forges_error_is_not_taken_for_a_protected_one(
    workshop: ScratchRepositories, git_land: GitLand
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.git("push", "--quiet", "origin", "main:GH006")
    ann.commit("a")
    script = "while read old new ref; do case $ref in */GH006) echo rejecting $ref by lint >&2; exit 1;; esac; done"
    workshop.write_hook("pre-receive", script)
    verdict = git_land(ann, onto="GH006")
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert workshop.origin.git("branch", "--list", "topic") == "", "nothing else was pushed"


def test_the_reason_of_ssh_is_reported_when_the_fetch_fails(workshop: ScratchRepositories, git_land: GitLand) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    script = "echo 'config: line 3: Bad configuration option: x' >&2; echo 'terminating, 1 bad' >&2; exit 255"
    ssh = workshop.write_hook("ssh", script, where=workshop.folder / "bin")
    ann.git("config", "core.sshCommand", str(ssh))
    ann.git("remote", "set-url", "origin", "ssh://git@host.test/acme/app.git")
    verdict = git_land(ann, onto="main")
    assert verdict.exit is ExitCode.PUSH_FAILED
    assert "Bad configuration option: x" in verdict.reason
    assert "ssh configuration" in verdict.hint


def test_a_merge_that_a_hook_refuses_is_undone(workshop: ScratchRepositories, git_land: GitLand) -> None:
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    start = ann.commit("a")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    workshop.write_hook("commit-msg", "echo ticket missing >&2; exit 1", where=ann.path / ".git/hooks")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed, ann.head) == (ExitCode.PUSH_FAILED, False, start)
    assert "ticket missing" in verdict.reason


def test_an_answer_that_was_lost_is_settled_by_asking_the_server(
    workshop: ScratchRepositories, server: GitServer, git_land: GitLand, events: Any
) -> None:
    ann = workshop.clone("ann", at=f"{server.url}/acme/app.git", branch="topic")
    sha = ann.commit("a")
    server.plan.faults[GitService.PUSH] = GitFault.LOSE_ANSWER
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.OK, True, sha)
    assert ("push", "failed") in events.stages()
    assert ("confirm", "done") in events.stages()


def test_a_lost_answer_whose_commit_was_built_upon_is_landed(
    workshop: ScratchRepositories, server: GitServer, git_land: GitLand
) -> None:
    ann = workshop.clone("ann", at=f"{server.url}/acme/app.git", branch="topic")
    bob = workshop.clone("bob")
    sha = ann.commit("a")
    server.plan.faults[GitService.PUSH] = GitFault.LOSE_ANSWER

    def build_upon(_: object) -> None:
        bob.git("pull", "--quiet")
        bob.commit("b")
        bob.git("push", "--quiet", "origin", "main")

    server.plan.on_push = build_upon
    verdict = git_land(ann)
    assert (verdict.landed, verdict.sha) == (True, sha)
    assert workshop.server_commit() == bob.head


def test_a_push_that_did_not_arrive_is_sent_again(
    workshop: ScratchRepositories, server: GitServer, git_land: GitLand
) -> None:
    ann = workshop.clone("ann", at=f"{server.url}/acme/app.git", branch="topic")
    sha = ann.commit("a")
    server.plan.faults[GitService.PUSH] = GitFault.DROP
    server.plan.remaining = 1
    assert git_land(ann).landed
    assert workshop.server_commit() == sha


def test_what_cannot_be_known_is_called_unknown_until_the_server_is_back(
    workshop: ScratchRepositories, server: GitServer, git_land: GitLand, parts: Any
) -> None:
    ann = workshop.clone("ann", at=f"{server.url}/acme/app.git", branch="topic")
    sha = ann.commit("a")
    server.plan.faults[GitService.PUSH] = GitFault.LOSE_ANSWER
    server.plan.on_push = lambda _: server.plan.faults.update({GitService.FETCH_REFS: GitFault.UNAVAILABLE})

    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.UNREACHABLE, None)
    assert "unknown" in verdict.reason
    assert git_land(ann).exit is ExitCode.REFUSED
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.UNREACHABLE

    server.plan.faults.clear()
    verdict = land_run.continue_landing(parts(ann))
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, sha)


def test_a_push_over_ssh_lands(workshop: ScratchRepositories, git_land: GitLand) -> None:
    """The fake ssh runs the command on this machine."""
    stand_in = workshop.write_hook("ssh", 'for last; do :; done; exec sh -c "$last"', where=workshop.folder / "bin")
    ann = workshop.clone("ann", branch="topic")
    ann.git("config", "core.sshCommand", str(stand_in))
    ann.git("remote", "set-url", "origin", f"ssh://git@git.example.test{workshop.bare_path}")
    sha = ann.commit("a")
    assert git_land(ann).landed
    assert workshop.server_commit() == sha


def test_the_target_is_read_from_where_it_is_pushed_to(workshop: ScratchRepositories, git_land: GitLand) -> None:
    """The URL to fetch from is a mirror that is behind."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    ann.git("clone", "--quiet", "--bare", str(workshop.bare_path), "../mirror.git")
    ann.git("remote", "set-url", "origin", "../mirror.git")
    ann.git("remote", "set-url", "--push", "origin", str(workshop.bare_path))
    ann.commit("a")
    theirs = bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    assert git_land(ann).landed
    assert workshop.server_commit() == ann.head
    assert ann.git("merge-base", theirs, "HEAD") == theirs


def test_a_hook_that_prints_what_git_prints_lands_nothing(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any
) -> None:
    """Its standard output arrives among git's own lines, so the server is asked."""
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    before = workshop.server_commit()
    line = "printf ' \\tx:refs/heads/main\\t1..2\\nDone\\n'; exit 1"
    workshop.write_hook("pre-push", line, where=ann.path / ".git/hooks")
    verdict = git_land(ann, max_retries=1)
    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.PUSH_FAILED, False, before)
    assert land_run.pending_landing(parts(ann).git) is None
