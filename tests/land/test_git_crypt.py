"""Repositories with git-crypt land, unlocked and locked, and never put plaintext into a commit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.config.schema import Strategy
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import task_worktree
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.verdict import Verdict

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git-crypt") is None, reason="git-crypt is not installed"),
]

GitLand = Callable[..., Verdict]
ATTRIBUTES = "# not: notes filter=git-crypt\nsecret* filter=git-crypt diff=git-crypt\n"
# What the Go original put before every command.
AS_IS = ("-c", "filter.git-crypt.smudge=cat", "-c", "filter.git-crypt.clean=cat", "-c", "filter.git-crypt.required=0")


def crypt(clone: Clone, workshop: ScratchRepositories, *args: str) -> None:
    """Run git-crypt in a clone."""
    done = ProcessRunner(workshop.environ).run(["git-crypt", *args], cwd=clone.path)
    assert done.ok, done.err


def history(workshop: ScratchRepositories, branch: str = "main") -> list[bytes]:
    """Every file that a branch of the server ever had."""
    named = workshop.origin.git("rev-list", "--objects", branch).splitlines()
    blobs = [line.split(" ")[0] for line in named if line.partition(" ")[2].rpartition("/")[2].startswith("secret")]
    run = ProcessRunner(workshop.environ)
    return [run.run(["git", "cat-file", "blob", blob], cwd=workshop.bare_path).stdout for blob in blobs]


@pytest.fixture
def ann(workshop: ScratchRepositories) -> Clone:
    """Unlocked, on `topic`; the target has a secret since before, and a notes file that only looks like one."""
    clone = workshop.clone("ann")
    crypt(clone, workshop, "init")
    crypt(clone, workshop, "export-key", "../key")
    clone.commit(".gitattributes", ATTRIBUTES)
    clone.commit("notes", "open\n")
    clone.commit("secret", "old s3cret\n")
    clone.git("push", "--quiet", "origin", "main")
    clone.git("switch", "--quiet", "-c", "topic")
    return clone


@pytest.fixture
def bob(workshop: ScratchRepositories, ann: Clone) -> Clone:
    """Unlocked too."""
    assert ann.path.exists()
    clone = workshop.clone("bob")
    crypt(clone, workshop, "unlock", "../key")
    return clone


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
def test_defect_22_an_unlocked_work_tree_takes_in_the_targets_secret(
    workshop: ScratchRepositories, ann: Clone, bob: Clone, git_land: GitLand, strategy: Strategy
) -> None:
    """Defect 22: filters switched off made an unlocked file look changed, and the merge was refused."""
    ann.commit("secret2", "mine\n")
    bob.commit("secret", "new s3cret\n")
    bob.git("push", "--quiet", "origin", "main")

    assert git_land(ann, verify="grep new secret && grep mine secret2", strategy=strategy).landed

    assert workshop.server_commit() == ann.head
    assert all(blob.startswith(b"\0GITCRYPT\0") for blob in history(workshop))
    assert len(history(workshop)) == 3


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
def test_defect_23_a_locked_work_tree_lands_its_files_as_they_are(
    workshop: ScratchRepositories, bob: Clone, git_land: GitLand, strategy: Strategy
) -> None:
    """Defect 23: a clone without the key moves only ciphertext."""
    carol = workshop.clone("carol", branch="topic")
    carol.commit("c")
    bob.commit("secret", "new s3cret\n")
    bob.git("push", "--quiet", "origin", "main")

    assert git_land(carol, verify="head -c 9 secret | grep GITCRYPT", strategy=strategy).landed

    assert workshop.server_commit() == carol.head
    assert all(blob.startswith(b"\0GITCRYPT\0") for blob in history(workshop))


def test_defect_23_a_work_tree_that_was_locked_again_lands_too(
    workshop: ScratchRepositories, ann: Clone, bob: Clone, git_land: GitLand
) -> None:
    """Defect 23: as above, and unlocking it afterwards shows the secret again."""
    ann.commit("a")
    crypt(ann, workshop, "lock")
    bob.commit("secret", "new s3cret\n")
    bob.git("push", "--quiet", "origin", "main")
    assert git_land(ann).landed
    crypt(ann, workshop, "unlock", "../key")
    assert (ann.path / "secret").read_text() == "new s3cret\n"
    assert all(blob.startswith(b"\0GITCRYPT\0") for blob in history(workshop))


def test_defect_23_plaintext_that_a_user_committed_without_a_key_is_not_published(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand
) -> None:
    """Defect 23: also not where a later commit takes it away again; what is ciphertext, or no secret, is landed."""
    assert ann.path.exists()
    before = workshop.server_commit()
    carol = workshop.clone("carol", branch="topic")
    carol.commit("secret-é", "plain\n")
    carol.git("rm", "--quiet", "secret-é")
    carol.git("commit", "--quiet", "-m", "never mind")

    verdict = git_land(carol)

    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.REFUSED, False, before)
    assert verdict.reason.endswith("committed in plaintext: secret-é")
    assert "git-crypt unlock" in verdict.hint
    carol.git("reset", "--quiet", "--hard", "origin/main")
    carol.commit("notes", "still open\n")
    assert git_land(carol).landed


def test_defect_21_a_key_with_a_name_and_attributes_in_a_folder_below_are_understood(
    workshop: ScratchRepositories, parts: Any, git_land: GitLand
) -> None:
    """Defect 21: looking for the words `filter=git-crypt` in the root's .gitattributes saw neither."""
    ann = workshop.clone("ann")
    crypt(ann, workshop, "init", "-k", "ops")
    ann.commit("deep/.gitattributes", "secret filter=git-crypt-ops diff=git-crypt-ops\n")
    ann.commit("deep/secret", "s3cret\n")
    ann.git("push", "--quiet", "origin", "main")
    path = task_worktree.start_worktree("x", git=parts(ann).git, user="ann")
    new = Clone(path, workshop.environ)
    assert (path / "deep/secret").read_text() == "s3cret\n"
    new.commit("deep/secret", "other\n")
    assert git_land(new, verify="grep other deep/secret").landed
    assert [blob[:10] for blob in history(workshop)] == [b"\0GITCRYPT\0"] * 2


def test_defect_24_a_new_work_tree_has_the_keys_and_lands(
    workshop: ScratchRepositories, ann: Clone, bob: Clone, parts: Any, git_land: GitLand
) -> None:
    """Defect 24: git-crypt looks for its keys in the worktree's own git directory, where they never are."""
    path = task_worktree.start_worktree("x", git=parts(ann).git, user="ann")
    new = Clone(path, workshop.environ)
    assert (path / "secret").read_text() == "old s3cret\n"
    assert new.git("status", "--porcelain") == ""
    new.commit("secret2", "other\n")
    bob.commit("secret", "new s3cret\n")
    bob.git("push", "--quiet", "origin", "main")

    assert git_land(new, verify="grep new secret && grep other secret2").landed

    assert all(blob.startswith(b"\0GITCRYPT\0") for blob in history(workshop))
    assert task_worktree.remove_worktree("x", git=parts(ann).git, user="ann").startswith("removed")
    assert (ann.path / ".git/git-crypt/keys/default").is_file(), "the keys themselves stay"


def test_defect_24_a_work_tree_without_the_keys_is_refused_with_a_remedy(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand
) -> None:
    """Defect 24: as the Go original made them: git cannot even tell what has changed there, which is not `nothing`."""
    before = workshop.server_commit()
    ann.git("worktree", "add", "--quiet", "--no-checkout", "-b", "other", "../linked")
    linked = Clone(workshop.folder / "linked", workshop.environ)
    linked.git(*AS_IS, "reset", "--quiet", "--hard")
    Path(linked.path / "secret").touch()

    verdict = git_land(linked)

    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.REFUSED, False, before)
    assert verdict.reason.startswith("git status failed")
    assert "homelab work start" in verdict.hint
    ann.git("worktree", "remove", "--force", "--force", "../linked")
