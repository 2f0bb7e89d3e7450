"""Whether a commit is on a branch of the server."""

from __future__ import annotations

from pathlib import Path

from homelab_hooks.git.containment import Containment
from homelab_hooks.git.landed import BranchQuery, as_landed
from homelab_hooks.git.repository import Repository
from homelab_hooks.polling.outcome import Found, Unavailable
from homelab_hooks.simulators.repositories import ScratchRepositories
from tests.git.conftest import Opened


def query(repository: Repository, *, fetches: bool = True) -> BranchQuery:
    """A query from this repository."""
    return BranchQuery(remotes=repository.remotes, history=repository.history, fetches=fetches)


def test_a_branch_contains_its_tip_and_what_others_pushed_upon(workshop: ScratchRepositories, opened: Opened) -> None:
    ann, bob, url = workshop.clone("ann"), workshop.clone("bob"), str(workshop.bare_path)
    ours = ann.commit("a")
    ann.git("push", "--quiet", "origin", "main")
    asked = query(opened(ann.path))
    assert asked.poll(ours, url=url, branch="main") == Found(Containment.CONTAINS)
    bob.git("pull", "--quiet", "origin", "main")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    unfetched = query(opened(ann.path), fetches=False).poll(ours, url=url, branch="main")
    assert unfetched == Found(Containment.UNKNOWN)
    assert as_landed(unfetched) is None
    before = ann.git("for-each-ref")
    assert asked.poll(ours, url=url, branch="main") == Found(Containment.CONTAINS)
    assert ann.git("for-each-ref") == before


def test_what_was_not_pushed_is_not_contained(workshop: ScratchRepositories, opened: Opened) -> None:
    ann, url = workshop.clone("ann"), str(workshop.bare_path)
    asked, ours = query(opened(ann.path)), ann.commit("a")
    for branch in ("main", "no-such-branch"):
        answer = asked.poll(ours, url=url, branch=branch)
        assert answer == Found(Containment.NOT_CONTAINED)
        assert as_landed(answer) is False


def test_a_server_that_does_not_answer_is_unknown(
    workshop: ScratchRepositories, opened: Opened, tmp_path: Path
) -> None:
    ann = workshop.clone("ann")
    answer = query(opened(ann.path)).poll(ann.head, url=str(tmp_path / "gone"), branch="main")
    assert isinstance(answer, Unavailable)
    assert as_landed(answer) is None
