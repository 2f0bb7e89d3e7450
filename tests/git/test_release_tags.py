"""The commits of a release tag, here and at the remote; no ref of the user's is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from homelab_hooks.git.release_tags import REQUERY_AFTER_S, GitReleaseTags, ReleaseTag, TagPlace
from homelab_hooks.git.repository import Repository
from homelab_hooks.simulators.repositories import ScratchRepositories
from tests.support.clock import FakeClock

pytestmark = pytest.mark.slow  # many processes of git each

Opened = Callable[[Path], Repository]


def test_a_tag_is_found_here_and_at_the_remote_annotated_or_not(workshop: ScratchRepositories, opened: Opened) -> None:
    ann, bob = workshop.clone("ann"), workshop.clone("bob")
    newer = bob.commit("b")
    for name, how in (("v1.4.2", ["-a", "-m", "release"]), ("1.4.3", [])):
        bob.git("tag", *how, name)
    bob.git("tag", "-a", "-m", "a tag of a tag", "v1.4.4", "v1.4.2")
    bob.git("push", "--quiet", "--tags", "origin", "main")
    ann.git("tag", "v1.4.1")
    before = ann.git("for-each-ref")
    git = opened(ann.path)
    tags = GitReleaseTags(git.history, git.remotes, remote="origin", now=FakeClock().now)
    assert tags.find_release("1.4.1") == ReleaseTag((TagPlace("v1.4.1", "here", ann.head),))
    assert tags.find_release("1.4.2") == ReleaseTag((TagPlace("v1.4.2", "at origin", newer),))
    assert tags.find_release("v1.4.3") == ReleaseTag((TagPlace("1.4.3", "at origin", newer),))
    assert tags.find_release("v1.4.4").commits == (newer,)
    assert tags.find_release("v9.9.9") == ReleaseTag()
    assert ann.git("for-each-ref") == before
    assert not (ann.path / ".git" / "FETCH_HEAD").exists()


def test_a_tag_that_was_moved_at_the_remote_has_two_commits(workshop: ScratchRepositories, opened: Opened) -> None:
    ann, bob = workshop.clone("ann"), workshop.clone("bob")
    ann.git("tag", "v1.4.2")
    newer = bob.commit("b")
    bob.git("tag", "v1.4.2")
    bob.git("push", "--quiet", "--tags", "origin", "main")
    git = opened(ann.path)
    found = GitReleaseTags(git.history, git.remotes, remote="origin", now=FakeClock().now).find_release("v1.4.2")
    assert [(place.place, place.sha) for place in found.places] == [("here", ann.head), ("at origin", newer)]


def test_a_tag_that_comes_later_is_found_after_a_pause(workshop: ScratchRepositories, opened: Opened) -> None:
    ann, bob, clock = workshop.clone("ann"), workshop.clone("bob"), FakeClock()
    git = opened(ann.path)
    tags = GitReleaseTags(git.history, git.remotes, remote="origin", now=clock.now)
    assert tags.find_release("v1.4.2").commits == ()
    bob.git("tag", "v1.4.2")
    bob.git("push", "--quiet", "--tags", "origin")
    assert tags.find_release("v1.4.2").commits == ()
    clock.sleep(REQUERY_AFTER_S)
    assert tags.find_release("v1.4.2").commits == (bob.head,)


def test_a_remote_that_does_not_answer_is_named(workshop: ScratchRepositories, opened: Opened, tmp_path: Path) -> None:
    ann = workshop.clone("ann")
    ann.git("tag", "v1.4.2")
    ann.git("remote", "add", "away", str(tmp_path / "away"))
    git = opened(ann.path)
    found = GitReleaseTags(git.history, git.remotes, remote="away", now=FakeClock().now).find_release("v1.4.2")
    assert found.commits == (ann.head,)
    assert found.silence.startswith("away cannot be queried: ")
    alone = GitReleaseTags(git.history, git.remotes, remote="", now=FakeClock().now)
    assert alone.find_release("v1.4.2") == ReleaseTag((TagPlace("v1.4.2", "here", ann.head),))
