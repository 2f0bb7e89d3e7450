"""More kinds of repositories and settings: what lands, and what is refused with nothing changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.gitpython import GitPythonRunner
from homelab_hooks.git.repository import Repository
from homelab_hooks.land import run as land_run
from homelab_hooks.land.request import LandRequest, SkipVerification
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict
from tests.inherited import inherited_by_git

pytestmark = pytest.mark.slow

GitLand = Callable[..., Verdict]


@pytest.fixture
def ann(workshop: ScratchRepositories) -> Clone:
    """On `topic` with a commit; the target has moved."""
    clone, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    clone.commit("a")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    return clone


def test_signing_that_is_on_without_a_key_is_said_and_nothing_is_changed(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand
) -> None:
    """The merge cannot be signed, so it is not made; the branch is where it was."""
    start, before = ann.head, workshop.server_commit()
    ann.git("config", "commit.gpgSign", "true")
    ann.git("config", "gpg.format", "ssh")
    ann.git("config", "user.signingKey", str(workshop.folder / "no-such-key"))

    verdict = git_land(ann)

    assert (verdict.exit, verdict.landed, ann.head, workshop.server_commit()) == (
        ExitCode.PUSH_FAILED,
        False,
        start,
        before,
    )
    assert "could not commit the merge" in verdict.reason
    assert "signing" in verdict.hint


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_a_merge_is_signed_where_the_user_signs(workshop: ScratchRepositories, ann: Clone, git_land: GitLand) -> None:
    key = workshop.folder / "key"
    workshop.write_hook("make-key", f'ssh-keygen -q -t ed25519 -N "" -f "{key}"', where=workshop.folder / "bin")
    ann.git("-c", f"alias.k=!{workshop.folder / 'bin/make-key'}", "k")
    ann.git("config", "commit.gpgSign", "true")
    ann.git("config", "gpg.format", "ssh")
    ann.git("config", "user.signingKey", str(key))
    assert git_land(ann).landed
    assert "gpgsig -----BEGIN SSH SIGNATURE-----" in ann.git("cat-file", "commit", "HEAD")


def test_settings_by_folder_are_heeded(workshop: ScratchRepositories, ann: Clone, git_land: GitLand) -> None:
    """The identity comes from an included file that holds for this folder only."""
    work = workshop.folder / "work.config"
    work.write_text("[user]\n\tname = Ann At Work\n")
    ann.git("config", "--global", f"includeIf.gitdir:{workshop.folder}/.path", str(work))
    assert git_land(ann).landed
    assert ann.git("show", "-s", "--format=%an") == "Ann At Work"


def test_objects_that_are_borrowed_from_another_repository_are_no_hindrance(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand
) -> None:
    assert ann.path.exists()
    ann.git("clone", "--quiet", "--shared", str(workshop.folder / "bob"), "../carol")
    carol = Clone(workshop.folder / "carol", workshop.environ)
    carol.git("remote", "set-url", "origin", str(workshop.bare_path))
    carol.git("switch", "--quiet", "-c", "topic", "HEAD^")
    carol.commit("c")
    assert git_land(carol).landed
    assert workshop.server_commit() == carol.head


def test_a_repository_of_another_user_is_refused_with_gits_own_remedy(
    workshop: ScratchRepositories, ann: Clone, parts: Any
) -> None:
    """Git has a variable to make it think so, for its own tests."""
    environ = {**workshop.environ, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    git = Repository(GitPythonRunner(environ, ann.path, inherited=inherited_by_git(), interactive=False))
    verdict = land_run.land_branch(LandRequest(verify=SkipVerification()), parts(ann, git=git))
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert "safe.directory" in verdict.hint


def test_hooks_in_a_folder_of_their_own_run(workshop: ScratchRepositories, ann: Clone, git_land: GitLand) -> None:
    hooks = workshop.folder / "shared-hooks"
    for name in ("commit-msg", "pre-push"):
        workshop.write_hook(name, f"cat >/dev/null; echo {name} >>{workshop.folder}/ran", where=hooks)
    ann.git("config", "core.hooksPath", str(hooks))
    assert git_land(ann).landed
    assert (workshop.folder / "ran").read_text().split() == ["commit-msg", "pre-push"]


LFS = """
while read -r local sha remote old; do
  for object in $(git rev-list --objects "$sha" "^$old" | sed -n 's/.* \\(.*\\.bin\\)$/\\1/p'); do
    echo "$object" >>{0}/asked
    test -e {0}/store/"$object" || {{ echo "LFS objects are missing: $object" >&2; exit 2; }}
  done
done"""


def test_a_pre_push_hook_that_uploads_large_files_reads_its_lines_and_can_refuse(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, events: Any
) -> None:
    """As git-lfs does it: it is never bypassed, for the server would lack the objects."""
    ann.commit("large.bin", "oid sha256:1\n")
    workshop.write_hook("pre-push", LFS.format(workshop.folder), where=ann.path / ".git/hooks")
    before = workshop.server_commit()
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.PUSH_FAILED, False, before)
    assert verdict.reason.startswith("the pre-push hook rejected")
    assert "LFS objects are missing: large.bin" in events.lines("push")
    (workshop.folder / "store").mkdir()
    (workshop.folder / "store/large.bin").touch()
    assert git_land(ann).landed
    assert (workshop.folder / "asked").read_text().split() == ["large.bin", "large.bin"]


@pytest.mark.parametrize(
    "setting",
    [
        ("merge.ff", "only"), ("merge.ff", "false"), ("branch.topic.mergeOptions", "--no-commit"),
        ("branch.topic.mergeOptions", "--squash"), ("pull.rebase", "true"), ("push.default", "nothing"),
        ("push.followTags", "true"), ("fetch.prune", "true"), ("remote.origin.push", "refs/heads/*:refs/heads/x/*"),
        ("push.recurseSubmodules", "only"), ("merge.conflictStyle", "diff3"), ("status.showUntrackedFiles", "all"),
        ("core.quotePath", "false"), ("log.showSignature", "true"), ("commit.verbose", "true"),
        ("rebase.autoStash", "true"), ("color.ui", "always"), ("core.pager", "false"), ("fetch.all", "true"),
        ("status.branch", "true"), ("status.short", "true"), ("diff.noprefix", "true"), ("commit.template", "/none"),
    ],
    ids="=".join,
)  # fmt: skip
def test_a_setting_of_the_users_leads_nothing_astray(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, setting: tuple[str, str]
) -> None:
    ann.git("config", *setting)
    ann.git("tag", "-a", "-m", "mine", "mine")
    assert git_land(ann, verify="test -e a && test -e b").landed
    assert workshop.server_commit() == ann.head
    assert len(ann.git("show", "-s", "--format=%P").split()) == 2
    assert workshop.origin.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"


@pytest.mark.parametrize("lock", ["index.lock", "HEAD.lock", "refs/heads/topic.lock"])
def test_a_lock_of_another_git_is_named_with_its_remedy(
    workshop: ScratchRepositories, ann: Clone, git_land: GitLand, lock: str
) -> None:
    path = ann.path / ".git" / lock
    path.touch()
    before = workshop.server_commit()
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed, workshop.server_commit()) == (ExitCode.REFUSED, False, before)
    assert str(path) in verdict.reason
    assert "remove the lock file" in verdict.hint
    path.unlink()
    assert git_land(ann).landed


def test_a_branch_named_like_a_file_or_with_odd_letters_lands(workshop: ScratchRepositories, git_land: GitLand) -> None:
    for name in ("README", "ünï/cödé", "a'b", "HEAD2", "x@y", "deep/er/est"):
        carol = workshop.clone(f"clone-{len(name)}-{ord(name[0])}", branch=name)
        carol.commit(f"file-of-{name.replace('/', '-')}")
        assert git_land(carol).landed, name
        assert workshop.server_commit() == carol.head
