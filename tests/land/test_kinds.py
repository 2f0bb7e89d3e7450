"""Every kind of repository lands."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.git_http import GitServer
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow  # many processes of git each; together they would keep `make check` waiting

GitLand = Callable[..., Verdict]


def test_a_repository_of_sha_256_lands(workshop: ScratchRepositories, git_land: GitLand) -> None:
    folder = Clone(workshop.folder, workshop.environ)
    folder.git("init", "--quiet", "--bare", "--object-format=sha256", "wide.git")
    folder.git("init", "--quiet", "--object-format=sha256", "wide")
    wide = Clone(workshop.folder / "wide", workshop.environ)
    wide.git("remote", "add", "origin", "../wide.git")
    wide.commit("a")
    wide.git("push", "--quiet", "origin", "main")
    wide.git("switch", "--quiet", "-c", "topic")
    sha = wide.commit("b")
    assert len(sha) == 64
    assert git_land(wide).landed
    assert wide.git("ls-remote", "origin", "refs/heads/main").split()[0] == sha


def test_a_shallow_clone_lands_also_when_the_target_has_moved(workshop: ScratchRepositories, git_land: GitLand) -> None:
    bob = workshop.clone("bob")
    for name in "cdefg":
        bob.commit(name)
    bob.git("push", "--quiet", "origin", "main")
    bob.git("clone", "--quiet", "--depth=1", f"file://{workshop.bare_path}", "../ann")
    ann = Clone(workshop.folder / "ann", workshop.environ)
    ann.git("switch", "--quiet", "-c", "topic")
    ann.commit("a")
    bob.commit("h")
    bob.git("push", "--quiet", "origin", "main")
    assert git_land(ann).landed
    assert workshop.server_commit() == ann.head


def test_a_clone_of_another_branch_alone_lands(workshop: ScratchRepositories, git_land: GitLand) -> None:
    bob = workshop.clone("bob")
    bob.git("push", "--quiet", "origin", "HEAD:refs/heads/topic")
    bob.git("clone", "--quiet", "--single-branch", "--branch=topic", str(workshop.bare_path), "../ann")
    ann = Clone(workshop.folder / "ann", workshop.environ)
    ann.commit("a")
    assert git_land(ann).landed
    assert workshop.server_commit() == ann.head


@pytest.mark.parametrize("target", ["release/1.0", "ümlaut", "a'b;c", "HEAD2", "refs/heads/x"])
def test_a_target_may_be_named_anything_that_git_takes(
    workshop: ScratchRepositories, git_land: GitLand, target: str
) -> None:
    workshop.origin.git("branch", target, "main")
    ann = workshop.clone("ann", branch="topic")
    sha = ann.commit("a")
    assert git_land(ann, onto=target).landed
    assert workshop.server_commit(target) == sha


def test_a_target_that_is_not_there_is_refused_and_not_created(
    workshop: ScratchRepositories, git_land: GitLand
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    verdict = git_land(ann, onto="mian")
    assert (verdict.exit, verdict.landed, workshop.server_commit("mian")) == (ExitCode.REFUSED, False, "")
    assert "no branch origin/mian" in verdict.reason
    assert git_land(ann, onto="-x").exit is ExitCode.USAGE


def test_file_names_of_every_kind_are_landed_and_shown_without_harm(
    workshop: ScratchRepositories, git_land: GitLand
) -> None:
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    names = ["-dash", "with space", "new\nline", "esc\x1b[2J"]
    for name in names:
        ann.commit(name, "mine\n")
    odd = os.fsdecode(b"latin-\xe9")
    ann.write(odd, "x")
    ann.git("add", "-A")
    ann.git("commit", "--quiet", "-m", "odd")
    bob.commit("esc\x1b[2J", "theirs\n")
    bob.git("push", "--quiet", "origin", "main")
    verdict = git_land(ann)
    assert verdict.exit is ExitCode.CONFLICT
    assert verdict.reason.endswith("in: esc")
    ann.git("merge", "--abort")
    bob.git("push", "--quiet", "origin", "+HEAD^:refs/heads/main")
    (ann.path / ".git/homelab/land.json").unlink()
    assert git_land(ann).landed
    assert workshop.origin.git("ls-tree", "-z", "--name-only", "main").count("\0") == 6


def test_two_push_urls_land_on_both_and_the_first_is_asked(workshop: ScratchRepositories, git_land: GitLand) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.git("clone", "--quiet", "--bare", str(workshop.bare_path), "../second.git")
    for url in (str(workshop.bare_path), "../second.git"):
        ann.git("remote", "set-url", "--add", "--push", "origin", url)
    sha = ann.commit("a")
    assert git_land(ann).landed
    assert workshop.server_commit() == sha
    assert ann.git("ls-remote", "../second.git", "refs/heads/main").split()[0] == sha


def test_where_the_second_push_url_fails_the_first_still_decides(
    workshop: ScratchRepositories, git_land: GitLand, events: Any
) -> None:
    ann = workshop.clone("ann", branch="topic")
    for url in (str(workshop.bare_path), "../gone.git"):
        ann.git("remote", "set-url", "--add", "--push", "origin", url)
    sha = ann.commit("a")
    assert git_land(ann).landed
    assert workshop.server_commit() == sha
    assert any("gone.git" in line for line in events.lines("push"))


def test_a_push_option_reaches_the_server(workshop: ScratchRepositories, git_land: GitLand) -> None:
    workshop.origin.git("config", "receive.advertisePushOptions", "true")
    workshop.write_hook("post-receive", 'echo "$GIT_PUSH_OPTION_0" >option')
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    assert git_land(ann, push_options=("ci.skip",)).landed
    assert (workshop.bare_path / "option").read_text() == "ci.skip\n"


def test_a_server_that_takes_no_push_options_is_a_failed_push(workshop: ScratchRepositories, git_land: GitLand) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    verdict = git_land(ann, push_options=("ci.skip",))
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert "does not support push options" in verdict.reason


def test_the_users_hooks_see_none_of_our_tokens(
    workshop: ScratchRepositories, git_land: GitLand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitPython passes this process's environment to git; variables that are not meant for git are removed."""
    monkeypatch.setenv("WOODPECKER_TOKEN", "t0ken")
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    out = workshop.folder / "env"
    workshop.write_hook("pre-push", f'env >"{out}"', where=ann.path / ".git/hooks")
    assert git_land(ann).landed
    text = out.read_text()
    assert "t0ken" not in text
    assert "HOMELAB_IN_LAND=1" in text


def test_credentials_in_a_url_are_never_shown(
    workshop: ScratchRepositories, server: GitServer, git_land: GitLand, events: Any
) -> None:
    server.plan.credentials = "ann:other"
    url = server.url.replace("http://", "http://ann:s3cret@") + "/acme/app.git"
    ann = workshop.clone("ann", branch="topic")
    ann.git("remote", "set-url", "origin", url)
    ann.commit("a")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert verdict.reason.startswith("access was denied")
    assert "s3cret" not in f"{events.events} {verdict}"


def test_a_hooks_folder_that_is_not_a_folder_is_not_a_hook(workshop: ScratchRepositories, git_land: GitLand) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.commit("a")
    ann.git("config", "core.hooksPath", "/dev/null")
    assert git_land(ann, follow_up=lambda _: Verdict(exit=ExitCode.OK, label="passed")).label == "passed"
    assert Path("/dev/null").exists()
