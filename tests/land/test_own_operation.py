"""Only a merge or rebase that the landing began is continued or undone; the user's own is named and left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.config.schema import Strategy
from homelab_hooks.events import Progress, Stage, StageChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow  # many processes of git each

GitLand = Callable[..., Verdict]
RESOLVED = "an hour of resolving\n"


@pytest.fixture
def ann(workshop: ScratchRepositories) -> Clone:
    """On `topic`; `other` and the target each change the same line as it does, in several commits."""
    clone, bob = workshop.clone("ann"), workshop.clone("bob")
    bob.commit("same", "theirs\n")
    bob.git("push", "--quiet", "origin", "main")
    clone.git("switch", "--quiet", "-c", "other")
    clone.commit("free", "other\n")
    clone.commit("same", "other\n")
    clone.commit("same", "other again\n")
    clone.git("switch", "--quiet", "-c", "topic", "main")
    clone.commit("same", "mine\n")
    clone.commit("same", "mine too\n")
    return clone


def shell(workshop: ScratchRepositories, clone: Clone, script: str) -> None:
    """A user's commands, whatever they end with."""
    ProcessRunner({**workshop.environ, "GIT_EDITOR": ":"}).run(["sh", "-c", script], cwd=clone.path)


OPERATIONS = {
    "merge": "git merge other",
    "merge of the same target": "git merge origin/main",
    "merge without a conflict": "git merge --no-commit --no-ff other~2",
    "rebase": "git rebase other",
    "rebase with the apply backend": "git rebase --apply other",
    "rebase onto the target": "git rebase origin/main",
    "interactive rebase": "GIT_SEQUENCE_EDITOR='sed -i s/pick/edit/' git rebase --interactive HEAD~1",
    "cherry-pick": "git cherry-pick other",
    "cherry-pick series": "git cherry-pick other~1 other",
    "cherry-pick series between two picks":
        "git cherry-pick other~1 other; echo resolved >same; git add same; git commit --quiet -m picked",
    "revert": "git commit --quiet --allow-empty -m x; git revert other~1",
    "revert series between two": (
        "git revert HEAD~2 HEAD; echo resolved >same; git add same; git commit --quiet -m reverted --allow-empty"
    ),
    "am": "git format-patch --quiet --stdout other~1..other | git am",
    "bisect": "git bisect start HEAD HEAD~1",
}  # fmt: skip
ABORT = {"am": "git am --abort", "bisect": "git bisect reset"}


def files_of_git(clone: Clone) -> dict[str, bytes]:
    """What git keeps of an operation, and the files that are worked on."""
    own = clone.path / ".git"
    kept = [own / "MERGE_HEAD", own / "CHERRY_PICK_HEAD", own / "REVERT_HEAD", own / "BISECT_LOG", own / "HEAD"]
    kept += [path for name in ("rebase-merge", "rebase-apply", "sequencer") for path in (own / name).rglob("*")]
    kept.append(clone.path / "same")
    return {str(path): path.read_bytes() for path in sorted(kept) if path.is_file()}


def end(workshop: ScratchRepositories, clone: Clone, name: str) -> None:
    """The user ends it himself."""
    word = name.split(maxsplit=1)[0].replace("interactive", "rebase")
    shell(workshop, clone, f"git {word} --abort || git {word} --quit || git bisect reset")
    shell(workshop, clone, "rm -rf .git/sequencer; git reset --quiet --hard; git switch --quiet topic")


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("then", ["--abort", "--continue", ""])
def test_an_operation_of_the_users_own_is_named_and_left_alone(
    workshop: ScratchRepositories, ann: Clone, *, git_land: GitLand, parts: Any, name: str, then: str
) -> None:
    """After a landing that failed, whose record is still there."""
    assert git_land(ann).exit is ExitCode.CONFLICT
    ann.git("merge", "--abort")
    ann.commit("more")
    shell(workshop, ann, OPERATIONS[name])
    before, on_server = files_of_git(ann), workshop.server_commit()
    word = next(word for word in ("cherry-pick", "rebase", "revert", "bisect", "merge", "am") if word in name)

    calls = {"--abort": land_run.abort_landing, "--continue": land_run.continue_landing}
    verdict = calls[then](parts(ann)) if then else git_land(ann)

    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False), verdict
    assert f" {word} that you started is in progress" in verdict.reason
    assert ABORT.get(word, f"git {word} --abort") in verdict.hint
    assert files_of_git(ann) == before
    assert workshop.server_commit() == on_server
    end(workshop, ann, name)
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK


def test_a_merge_of_the_users_own_after_a_failed_verification_survives_abort(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, parts: Any
) -> None:
    ann.git("fetch", "--quiet")
    ann.git("merge", "--quiet", "-s", "ours", "-m", "resolved", "origin/main")
    assert git_land(ann, verify="false").exit is ExitCode.VERIFY_FAILED
    shell(workshop, ann, "git merge other")
    ann.write("same", RESOLVED)
    ann.git("add", "same")

    verdict = land_run.abort_landing(parts(ann))

    assert verdict.exit is ExitCode.REFUSED
    assert (ann.path / "same").read_text() == RESOLVED
    assert (ann.path / ".git/MERGE_HEAD").exists()
    end(workshop, ann, "merge")
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
def test_what_the_user_merged_or_rebased_himself_is_not_taken_back(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, parts: Any, strategy: Strategy
) -> None:
    """The landing's own merge had ended: the one on the branch is the user's."""
    assert git_land(ann, strategy=strategy).exit is ExitCode.CONFLICT
    shell(workshop, ann, f"git {'rebase' if strategy is Strategy.REBASE else 'merge'} --abort")
    ann.write("same", "settled\n")
    ann.git("commit", "--quiet", "--all", "-m", "settle")
    ann.git("merge", "--quiet", "-s", "ours", "-m", "by hand", "origin/main")
    mine = ann.head

    verdict = land_run.abort_landing(parts(ann))

    assert (verdict.exit, verdict.landed, ann.head) == (ExitCode.OK, False, mine)
    assert "topic is unchanged and keeps your commits" in verdict.reason


def test_a_merge_that_the_user_begins_while_the_target_is_fetched_is_left_alone(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, events: Any
) -> None:
    before = workshop.server_commit()

    def meanwhile(event: object) -> None:
        events(event)
        if isinstance(event, StageChanged) and (event.stage, event.progress) == (Stage.FETCH, Progress.DONE):
            shell(workshop, ann, "git merge other")

    verdict = git_land(ann, tell=meanwhile)

    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.REFUSED, False, before)
    assert "a merge that you started is in progress" in verdict.reason
    assert Path(ann.path / ".git/MERGE_HEAD").read_text().strip() == ann.sha("other")
    end(workshop, ann, "merge")


def test_a_merge_that_the_user_begins_while_the_merge_of_the_landing_is_resolved_is_left_alone(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, parts: Any
) -> None:
    """The landing's own was given up with git; the record says that it may still be there."""
    assert git_land(ann).exit is ExitCode.CONFLICT
    shell(workshop, ann, "git merge --abort; git merge other")
    for verdict in (land_run.abort_landing(parts(ann)), land_run.continue_landing(parts(ann))):
        assert verdict.exit is ExitCode.REFUSED
        assert "a merge that you started is in progress" in verdict.reason
    assert Path(ann.path / ".git/MERGE_HEAD").read_text().strip() == ann.sha("other")
    end(workshop, ann, "merge")
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK


@pytest.mark.parametrize("backend", ["merge", "apply"])
def test_a_conflict_of_our_own_rebase_is_continued_with_either_backend(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, parts: Any, backend: str
) -> None:
    ann.git("config", "rebase.backend", backend)
    assert git_land(ann, strategy=Strategy.REBASE).exit is ExitCode.CONFLICT
    for more in (ExitCode.CONFLICT, ExitCode.OK):  # each of two commits has one
        ann.write("same", f"{RESOLVED}{more}\n")
        ann.git("add", "same")
        assert land_run.continue_landing(parts(ann)).exit is more
    assert workshop.origin.git("show", "main:same") == f"{RESOLVED}0"


@pytest.mark.parametrize("then", ["--abort", "--continue"])
def test_the_users_edits_after_a_landing_has_ended_are_kept(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any, then: str
) -> None:
    """A deleted and an emptied file after a failed verification were taken for those of a killed merge."""
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    ann.commit("removed")
    ann.commit("emptied")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    assert git_land(ann, verify="false").exit is ExitCode.VERIFY_FAILED
    (ann.path / "removed").unlink()
    ann.write("emptied", "")
    before = workshop.server_commit()

    verdict = (land_run.abort_landing if then == "--abort" else land_run.continue_landing)(parts(ann))

    expected = ExitCode.OK if then == "--abort" else ExitCode.REFUSED
    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (expected, False, before)
    assert not (ann.path / "removed").exists()
    assert (ann.path / "emptied").read_text() == ""
    ann.git("reset", "--quiet", "--hard")
    land_run.abort_landing(parts(ann))


def test_an_untracked_file_made_after_the_merge_was_given_up_is_kept(
    ann: Clone, git_land: GitLand, parts: Any, workshop: ScratchRepositories
) -> None:
    """It is what the target has, and not the landing's."""
    bob = Clone(workshop.folder / "bob", workshop.environ)
    bob.commit("new", "the target's\n")
    bob.git("push", "--quiet", "origin", "main")
    assert git_land(ann).exit is ExitCode.CONFLICT
    ann.git("merge", "--abort")
    ann.write("new", "the target's\n")
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK
    assert (ann.path / "new").read_text() == "the target's\n"


@pytest.mark.parametrize("cause", ["conflict", "hook"])
def test_a_directory_of_the_target_in_place_of_a_file_is_undone(
    workshop: ScratchRepositories, git_land: GitLand, parts: Any, cause: str
) -> None:
    """`path` is a file here, and `path/deep` is the target's: it was an internal error, again at every --abort."""
    ann, bob = workshop.clone("ann"), workshop.clone("bob")
    ann.commit("path", "a file\n")
    ann.git("push", "--quiet", "origin", "main")
    ann.git("switch", "--quiet", "-c", "topic")
    ann.commit("same" if cause == "conflict" else "mine", "mine\n")
    bob.git("pull", "--quiet")
    bob.git("rm", "--quiet", "path")
    bob.commit("path/deep", "theirs\n")
    bob.commit("same", "theirs\n")
    bob.git("push", "--quiet", "origin", "main")
    start = ann.head
    script = workshop.write_hook("pre-merge-commit", "exit 1", where=ann.path / ".git/hooks")
    if cause == "conflict":
        script.unlink()
    verdict = git_land(ann)
    assert verdict.exit is (ExitCode.CONFLICT if cause == "conflict" else ExitCode.PUSH_FAILED)
    if cause == "conflict":
        assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK
    assert (ann.head, (ann.path / "path").read_text()) == (start, "a file\n")


def test_conflicts_that_are_left_without_a_merge_are_named_by_an_abort(
    ann: Clone, git_land: GitLand, parts: Any, workshop: ScratchRepositories
) -> None:
    """After `git merge --quit` it is not known whose they are: they stay, and the end does not hide them."""
    bob = Clone(workshop.folder / "bob", workshop.environ)
    bob.commit("same", "changed by bob\n")
    bob.git("push", "--quiet", "origin", "main")
    ann.commit("same", "changed by ann\n")
    assert git_land(ann).exit is ExitCode.CONFLICT
    ann.git("merge", "--quit")
    verdict = land_run.abort_landing(parts(ann))
    assert verdict.reason.endswith("; unresolved conflicts remain in: same")
    assert "git checkout HEAD -- FILE" in verdict.hint
    ann.git("checkout", "HEAD", "--", "same")
