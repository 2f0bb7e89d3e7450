"""Names that git takes and that hold what Python takes for the end of a line, or for a blank."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from homelab_hooks.git.push_result import PushStatus
from homelab_hooks.git.repository import Repository
from homelab_hooks.hooks.pre_push.input import RefUpdate, parse_git_input
from homelab_hooks.polling.outcome import Found
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories

Opened = Callable[[Path], Repository]
ODD = ["zeile\u2028zwei", "next\x85line", "no\u00a0break"]

odd = pytest.mark.parametrize("name", ODD, ids=ascii)


@pytest.fixture
def ann(workshop: ScratchRepositories) -> Clone:
    """A clone with a commit that the server has not."""
    clone = workshop.clone("ann")
    clone.commit("hers")
    return clone


@odd
def test_a_branch_of_such_a_name_is_found_on_the_server(ann: Clone, opened: Opened, name: str) -> None:
    ann.git("push", "--quiet", "origin", f"HEAD:refs/heads/{name}")
    git = opened(ann.path)
    assert git.remotes.tracking_branches_at("origin", ann.head) == (name,)
    assert git.remotes.ls_remote_branch("origin", name) == Found(ann.head)


def test_the_remotes_own_branch_may_have_such_a_name(workshop: ScratchRepositories, ann: Clone, opened: Opened) -> None:
    ann.git("push", "--quiet", "origin", f"HEAD:refs/heads/{ODD[0]}")
    workshop.origin.git("symbolic-ref", "HEAD", f"refs/heads/{ODD[0]}")
    ann.git("remote", "set-head", "origin", "--delete")
    assert opened(ann.path).remotes.head_branch("origin") == Found(ODD[0])


def test_a_remote_may_have_such_a_name_and_urls_too(ann: Clone, opened: Opened) -> None:
    ann.git("remote", "rename", "origin", ODD[0])
    ann.git("config", f"remote.{ODD[0]}.pushUrl", f"/srv/{ODD[0]}")
    git = opened(ann.path)
    assert git.remotes.remote_names() == (ODD[0],)
    assert git.remotes.push_urls(ODD[0]) == (f"/srv/{ODD[0]}",)


@odd
def test_a_push_to_such_a_branch_is_sure_and_a_lost_race_is_one(
    workshop: ScratchRepositories, ann: Clone, opened: Opened, name: str
) -> None:
    first = opened(ann.path).transfer.push_commit(ann.head, to=name, remote="origin")
    assert (first.status, first.confirmed) == (PushStatus.ACCEPTED, True)
    bob = workshop.clone("bob")
    bob.commit("his")
    assert opened(bob.path).transfer.push_commit(bob.head, to=name, remote="origin").status is PushStatus.LOST_RACE


@odd
def test_a_secret_of_such_a_name_is_found_in_plaintext(ann: Clone, opened: Opened, name: str) -> None:
    ann.commit(".gitattributes", "*.key filter=git-crypt diff=git-crypt\n")
    ann.commit(f"{name}.key", "plain\n")
    assert opened(ann.path).gitcrypt.plaintext_files(ann.head, since="") == (f"{name}.key",)


@odd
def test_a_gate_hears_of_a_push_to_such_a_branch(name: str) -> None:
    told = f"refs/heads/mine 1f2e refs/heads/{name} 0000\n"
    assert parse_git_input("origin", "u", told).updates == (RefUpdate("1f2e", f"refs/heads/{name}"),)
