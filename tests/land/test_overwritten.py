"""A landing overwrites no file of the user that git does not track, ignored ones included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from homelab_hooks.config.schema import Strategy
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow  # many processes of git each

GitLand = Callable[..., Verdict]
KEPT = ("file", "folder/with", "deep/file", "place", "link")


@pytest.fixture
def bob(workshop: ScratchRepositories) -> Clone:
    """Another user's clone."""
    return workshop.clone("bob")


def push(bob: Clone, *names: str) -> None:
    """Push a commit with these files."""
    bob.git("pull", "--quiet", "origin", "main")
    for name in names:
        bob.write(name, "theirs\n")
    bob.git("add", "--force", "--", *names)
    bob.git("commit", "--quiet", "-m", "theirs")
    bob.git("push", "--quiet", "origin", "main")


def ignore(ann: Clone, *names: str) -> None:
    """Ignore everything with these names."""
    ann.write(".git/info/exclude", "".join(f"{name}\n" for name in names))


def keeps(ann: Clone) -> Iterator[tuple[str, bool]]:
    for name in KEPT:
        path = ann.path / name
        yield name, path.is_symlink() if name == "link" else path.is_file() and path.read_text("utf-8") == "mine\n"


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
def test_ignored_files_in_the_way_of_the_target_are_named_and_kept(
    bob: Clone, ann: Clone, git_land: GitLand, strategy: Strategy
) -> None:
    """The same name, a directory in place of a file, and a file or a link in place of a directory."""
    push(bob, "file", "folder", "deep/file", "place/in", "link/in", "free/in")
    ignore(ann, "file", "folder/", "place", "link", "free")
    for name in KEPT[:-1]:
        ann.write(name, "mine\n")
    (ann.path / "link").symlink_to("nowhere")
    start = ann.head

    verdict = git_land(ann, strategy=strategy)

    assert (verdict.exit, verdict.landed, ann.head) == (ExitCode.REFUSED, False, start)
    assert verdict.reason.partition(": ")[2].split(", ") == sorted(KEPT)
    assert dict(keeps(ann)) == dict.fromkeys(KEPT, True)


def test_a_file_that_the_branch_no_longer_tracks(bob: Clone, ann: Clone, git_land: GitLand) -> None:
    """It is ignored since. A merge leaves it alone; a rebase would write it once more."""
    for name in ("config", "once"):
        ann.commit(name, "tracked\n")
    ann.git("push", "--quiet", "origin", "topic:main")
    ann.git("rm", "--quiet", "--cached", "config", "once")
    ann.git("commit", "--quiet", "-m", "no longer tracked")
    ignore(ann, "config", "once")
    ann.write("config", "mine\n")
    push(bob, "b")
    refused = git_land(ann, strategy=Strategy.REBASE)
    assert (refused.exit, refused.landed) == (ExitCode.REFUSED, False)
    assert "config" in refused.reason
    assert git_land(ann).landed is True
    assert (ann.path / "config").read_text("utf-8") == "mine\n"


def test_a_file_that_only_a_rebased_commit_has(bob: Clone, ann: Clone, git_land: GitLand) -> None:
    ann.commit("draft", "tracked\n")
    ann.git("rm", "--quiet", "--cached", "draft")
    ann.git("commit", "--quiet", "-m", "no longer tracked")
    ignore(ann, "draft")
    ann.write("draft", "mine\n")
    push(bob, "b")
    verdict = git_land(ann, strategy=Strategy.REBASE)
    assert (verdict.exit, (ann.path / "draft").read_text("utf-8")) == (ExitCode.REFUSED, "mine\n")


def test_the_second_round_looks_again(bob: Clone, ann: Clone, git_land: GitLand, parts: Any) -> None:
    """The verification of the first round creates the file, and another landing comes first."""
    push(bob, "b")
    ignore(ann, "made")
    script = (
        "test -e made || { echo mine >made; cd ../bob; echo x >made; git add made; git commit -qm m; git push -q; }"
    )
    first = git_land(ann, verify=f"unset GIT_DIR; {script}")
    assert (first.exit, first.landed) == (ExitCode.REFUSED, False)
    assert "made" in first.reason
    assert (ann.path / "made").read_text("utf-8") == "mine\n"
    (ann.path / "made").unlink()
    assert land_run.continue_landing(parts(ann)).landed is True


def test_undoing_a_landing_overwrites_no_ignored_file(bob: Clone, ann: Clone, git_land: GitLand, parts: Any) -> None:
    """The target deletes and ignores a file; after the merge the user has one of that name."""
    ann.commit("cache", "tracked\n")
    ann.git("push", "--quiet", "origin", "topic:main")
    start = ann.commit("more")
    bob.git("pull", "--quiet", "origin", "main")
    bob.git("rm", "--quiet", "cache")
    bob.git("commit", "--quiet", "-m", "remove cache")
    bob.git("push", "--quiet", "origin", "main")
    ignore(ann, "cache")
    assert git_land(ann, verify="false").exit is ExitCode.VERIFY_FAILED
    ann.write("cache", "mine\n")
    refused = land_run.abort_landing(parts(ann))
    assert (refused.exit, (ann.path / "cache").read_text("utf-8")) == (ExitCode.REFUSED, "mine\n")
    assert "cache" in refused.reason
    (ann.path / "cache").unlink()
    assert (land_run.abort_landing(parts(ann)).exit, ann.head) == (ExitCode.OK, start)
