"""A web page in place of a git server's answer, as from a captive portal, is named, and nothing is inferred from it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.gitpython import GitPythonRunner
from homelab_hooks.git.repository import Repository
from homelab_hooks.git.runner import DirectRunner
from homelab_hooks.land.task_worktree import start_worktree
from homelab_hooks.polling.outcome import NotFound, Unavailable
from homelab_hooks.simulators.git_http import GitFault, GitServer, GitService, PushedRef
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow  # a server and many processes of git each

PAGE = {GitService.FETCH_REFS: GitFault.WEB_PAGE}


@pytest.fixture
def ann(server: GitServer, workshop: ScratchRepositories) -> Clone:
    clone = workshop.clone("ann", at=f"{server.url}/acme/app.git", branch="topic")
    clone.commit("a")
    return clone


@pytest.mark.parametrize("knows_target", [True, False])
@pytest.mark.parametrize("service", [GitService.FETCH_REFS, GitService.FETCH])
def test_a_page_at_the_fetch_is_not_a_missing_branch(
    server: GitServer, ann: Clone, *, git_land: Callable[..., Verdict], knows_target: bool, service: GitService
) -> None:
    if not knows_target:
        ann.git("remote", "set-head", "origin", "--delete")
    server.plan.faults = {service: GitFault.WEB_PAGE}
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert "no branch" not in verdict.reason
    assert "the response is not from a git server" in verdict.reason + verdict.hint


def test_a_page_at_the_start_of_a_task_is_named(server: GitServer, ann: Clone, parts: Any) -> None:
    server.plan.faults = PAGE
    with pytest.raises(CommandError, match="the response is not from a git server"):
        start_worktree("task", git=parts(ann).git, user="ann")


def test_a_page_does_not_show_that_a_push_was_lost(
    server: GitServer, ann: Clone, git_land: Callable[..., Verdict], workshop: ScratchRepositories
) -> None:
    """The network's login is needed again just when the server is queried about the push."""

    def log_out(_: PushedRef) -> None:
        server.plan.faults = PAGE

    server.plan.faults, server.plan.on_push = {GitService.PUSH: GitFault.LOSE_ANSWER}, log_out
    verdict = git_land(ann)
    assert workshop.server_commit() == ann.head
    assert (verdict.exit, verdict.landed) == (ExitCode.UNREACHABLE, None)
    _forget(ann)


def _forget(clone: Clone) -> None:
    """Remove the state of a landing whose result is unknown."""
    for path in (clone.path / ".git/homelab").iterdir():
        path.unlink()


@pytest.mark.parametrize("runner", ["direct", "gitpython"])
@pytest.mark.parametrize("over_http", [True, False])
def test_an_empty_repository_and_a_missing_branch_are_not_pages(
    server: GitServer, ann: Clone, workshop: ScratchRepositories, *, over_http: bool, runner: str
) -> None:
    environ = workshop.environ
    git = Repository(
        DirectRunner(environ, ann.path)
        if runner == "direct"
        else GitPythonRunner(environ, ann.path, inherited=os.environ, interactive=False)
    )
    Clone(workshop.folder, environ).git("init", "--quiet", "--bare", "srv/acme/empty.git")
    base = server.url if over_http else str(workshop.folder / "srv")
    for name in ("empty", "app"):
        assert isinstance(git.remotes.ls_remote_branch(f"{base}/acme/{name}.git", "none"), NotFound)
    if over_http:
        server.plan.faults = PAGE
        answer = git.remotes.ls_remote_branch(f"{base}/acme/app.git", "main")
        assert isinstance(answer, Unavailable)
        assert answer.reason == "the response is not from a git server"
