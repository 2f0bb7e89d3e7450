"""What is pushed is what was verified: the working tree is compared with the commit before and after each stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from homelab_hooks.events import Log, Progress, Stage, StageChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.land.request import SkipVerification
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow  # many processes of git each

GitLand = Callable[..., Verdict]
CHANGES = {
    "edits": "echo changed >README",
    "stages": "echo changed >README && git add README",
    "deletes": "rm README",
    "makes executable": "chmod +x README",
    "replaces by a link": "ln -sf nowhere README",
    "edits and marks assume-unchanged": "echo changed >README; git update-index --assume-unchanged README",
    "edits and marks skip-worktree": "echo changed >README; git update-index --skip-worktree README",
    "deletes and marks skip-worktree": "rm README; git update-index --skip-worktree README",
    "stages a new file": "echo new >other; git add other",
}
CLEAN_ENVIRON = 'unset GIT_DIR GIT_INDEX_FILE; cd "$(dirname "$0")/../.." && '


@pytest.fixture
def ann(workshop: ScratchRepositories) -> Clone:
    """On `topic`; the target has moved."""
    clone, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    clone.commit("a")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    return clone


def undo(clone: Clone) -> None:
    """Remove the marks and the changes, so that the working tree is clean again."""
    clone.git("update-index", "--no-assume-unchanged", "README")
    clone.git("update-index", "--no-skip-worktree", "README")
    clone.git("reset", "--quiet", "--hard")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("hook", ["post-merge", "verification"])
def test_a_change_after_the_merge_ends_with_22_and_names_the_file(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, hook: str, change: str
) -> None:
    before, command = workshop.server_commit(), CHANGES[change]
    if hook == "post-merge":
        script = workshop.write_hook(hook, CLEAN_ENVIRON + f"{{ {command}; }}", where=ann.path / ".git/hooks")
        verdict = git_land(ann, verify="echo fine")
        script.unlink()
    else:
        verdict = git_land(ann, verify=command)
    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.VERIFY_FAILED, False, before)
    assert "other" in verdict.reason if "new file" in change else "README" in verdict.reason
    undo(ann)
    assert git_land(ann).landed


@pytest.mark.parametrize("change", CHANGES)
def test_an_unverified_landing_is_held_to_it_too(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, change: str
) -> None:
    before = workshop.server_commit()
    script = workshop.write_hook(
        "post-merge", CLEAN_ENVIRON + f"{{ {CHANGES[change]}; }}", where=ann.path / ".git/hooks"
    )
    verdict = git_land(ann, how=SkipVerification())
    script.unlink()
    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.VERIFY_FAILED, False, before)
    undo(ann)
    assert git_land(ann, how=SkipVerification()).landed


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_while_the_target_is_fetched_is_a_refusal_and_nothing_was_done(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, parts: Any, change: str
) -> None:
    before, start = workshop.server_commit(), ann.head
    once = '[ "$1" = committed ] && grep -q refs/homelab/ && [ ! -e ../done ] && touch ../done'
    hook = f"{CLEAN_ENVIRON}{once} && {{ {CHANGES[change]}; }}; exit 0"
    script = workshop.write_hook("reference-transaction", hook, where=ann.path / ".git/hooks")
    verdict = git_land(ann)
    script.unlink()
    assert (verdict.exit, verdict.landed, workshop.server_commit(), ann.head) == (
        ExitCode.REFUSED,
        False,
        before,
        start,
    )
    assert land_run.pending_landing(parts(ann).git) is None
    undo(ann)


@pytest.mark.parametrize("change", [name for name in CHANGES if "marks" in name])
def test_a_marked_file_that_differs_is_refused_at_once(ann: Clone, git_land: GitLand, change: str) -> None:
    ann.git("-c", f"alias.change=!{CHANGES[change]}", "change")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert verdict.reason.endswith(": README")
    undo(ann)


@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_a_marked_file_that_does_not_differ_is_landed(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, mark: str
) -> None:
    """Also from a folder below, and with a name that git would quote or take for a pattern."""
    names = ["README", "t\u00fcr", "*.txt", "-x", "sub/deep"]
    for name in names[1:]:
        ann.commit(name)
    ann.git("update-index", mark, "--", *names)
    assert git_land(Clone(ann.path / "sub", workshop.environ)).landed
    assert ann.git("ls-files", "-v", "README")[0] != "H", "the marks are the user's and stay"
    ann.write("*.txt", "changed\n")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.reason.endswith(": *.txt")) == (ExitCode.REFUSED, True)
    ann.git("update-index", "--no-assume-unchanged", "--no-skip-worktree", "--", *names)
    ann.git("update-index", "--no-skip-worktree", "--", *names)
    ann.git("reset", "--quiet", "--hard")


def test_files_that_a_sparse_checkout_leaves_out_are_no_difference(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand
) -> None:
    ann.commit("there/x")
    ann.commit("left/out")
    ann.git("sparse-checkout", "set", "--cone", "there")
    assert not (ann.path / "left/out").exists()
    assert git_land(ann).landed
    assert workshop.server_commit() == ann.head


def test_a_commit_made_between_the_verification_and_the_push_is_not_pushed(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, events: Any
) -> None:
    """By an agent that works on in the same worktree."""
    before = workshop.server_commit()

    def meanwhile(event: object) -> None:
        events(event)
        if isinstance(event, StageChanged) and (event.stage, event.progress) == (Stage.PUSH, Progress.STARTED):
            ann.commit("sneaked")

    verdict = git_land(ann, tell=meanwhile)
    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.VERIFY_FAILED, False, before)
    assert git_land(ann).landed


def test_a_file_that_an_editor_saves_while_a_merge_dies_is_kept(ann: Clone, git_land: GitLand) -> None:
    """A filter breaks the merge off. Files that it does not touch are not the merge's to undo."""
    ann.commit(".gitattributes", "b filter=broken\n")
    ann.git("config", "filter.broken.smudge", "echo precious >README; exit 1")
    ann.git("config", "filter.broken.required", "true")
    verdict = git_land(ann)
    ann.git("config", "--unset", "filter.broken.required")
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert (ann.path / "README").read_text() == "precious\n"
    assert not (ann.path / "b").exists()
    ann.git("reset", "--quiet", "--hard")


SWITCHES = {
    "secret was checked out": ("switch", "--quiet", "secret"),
    "a detached HEAD was checked out": ("switch", "--quiet", "--detach", "secret"),
    "HEAD moved from": ("reset", "--quiet", "--hard", "secret"),
}


@pytest.fixture
def secret(ann: Clone, parts: Any) -> Iterator[str]:
    """A commit on a branch that is not to be published."""
    ann.git("switch", "--quiet", "-c", "secret")
    sha = ann.commit("secret")
    ann.git("switch", "--quiet", "topic")
    yield sha
    land_run.abort_landing(parts(ann))
    if land_run.pending_landing(parts(ann).git):
        ann.git("switch", "--quiet", "topic")
        assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK


@pytest.mark.parametrize("reason", SWITCHES)
def test_a_branch_that_is_checked_out_during_the_fetch_is_not_landed(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, events: Any, *, reason: str, secret: str
) -> None:
    """By an agent in the same worktree."""
    before = workshop.server_commit()

    def meanwhile(event: object) -> None:
        events(event)
        if isinstance(event, StageChanged) and (event.stage, event.progress) == (Stage.FETCH, Progress.DONE):
            ann.git(*SWITCHES[reason])

    verdict = git_land(ann, tell=meanwhile)
    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.REFUSED, False, before)
    assert reason in verdict.reason
    assert ann.head == secret, "it is left where the user put it"


@pytest.mark.parametrize("reason", SWITCHES)
def test_a_branch_that_is_checked_out_before_the_next_attempt_is_not_landed(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, events: Any, *, reason: str, secret: str
) -> None:
    """The wait after a lost race can take minutes."""
    bob = Clone(workshop.folder / "bob", workshop.environ)

    def meanwhile(event: object) -> None:
        events(event)
        if isinstance(event, StageChanged) and (event.stage, event.progress) == (Stage.PUSH, Progress.STARTED):
            bob.commit("faster")
            bob.git("push", "--quiet", "origin", "main")
        elif isinstance(event, Log) and "retrying" in event.text:
            ann.git(*SWITCHES[reason])

    verdict = git_land(ann, tell=meanwhile)
    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.VERIFY_FAILED, False, bob.head)
    assert reason in verdict.reason
    assert ann.head == secret
