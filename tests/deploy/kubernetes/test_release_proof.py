"""Which releases prove a commit: the git tag that the image's tag names, wherever it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.kubernetes.commit_match import find_questions, match_commit
from homelab_hooks.deploy.kubernetes.evidence import Evidence, FindRelease
from homelab_hooks.deploy.kubernetes.match import (
    CommitMatch,
    EvidencePending,
    NewerCommit,
    NoCommit,
    OtherCommit,
    SameCommit,
)
from homelab_hooks.deploy.kubernetes.snapshot import Snapshot
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.git.containment import Containment
from homelab_hooks.git.release_tags import ReleaseTag, TagPlace
from tests.deploy.conftest import SHA, pod

OLDER, NEWER, FOREIGN = "0aa11bb2" + "0" * 32, "3c5d7e9f" + "0" * 32, "deadbeef" * 5
KNOWN = {OLDER: Containment.NOT_CONTAINED, NEWER: Containment.CONTAINS}
ASKED = Expectation(sha=SHA, proof=ImageProof(ProofKind.RELEASE))


def release(here: str = "", there: str = "", *, silence: str = "", name: str = "v1.4.2") -> ReleaseTag:
    """A tag with its commits here and at the remote."""
    places = [TagPlace(name, "here", here)] if here else []
    places += [TagPlace(name, "at origin", there)] if there else []
    return ReleaseTag(tuple(places), silence)


def matched(snapshot: Snapshot, found: ReleaseTag, expectation: Expectation = ASKED) -> CommitMatch:
    """The match with one answer about every tag."""
    tags = dict.fromkeys(("v1.4.2", "1.4.2", "1.4"), found)
    return match_commit(replace(snapshot, evidence=Evidence(releases=tags, containment=KNOWN)), expectation)


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        (SHA, "", SameCommit),
        ("", SHA, SameCommit),
        (SHA, SHA, SameCommit),
        (NEWER, "", NewerCommit),
        (NEWER, NEWER, NewerCommit),
        (SHA, NEWER, NewerCommit),
        (OLDER, OLDER, OtherCommit),
        ("", FOREIGN, OtherCommit),
        ("", "", EvidencePending),
    ],
)
def test_a_release_proves_what_its_commit_contains(
    snapshot: Callable[..., Snapshot], here: str, there: str, expected: type
) -> None:
    for tag in ("v1.4.2", "1.4.2"):
        assert isinstance(matched(snapshot(tag), release(here, there)), expected)


def test_the_release_is_named(snapshot: Callable[..., Snapshot]) -> None:
    found = matched(snapshot("1.4.2"), release(SHA))
    assert found == SameCommit("registry.example.test/app:1.4.2", ("app",), "release v1.4.2")
    waited_on = matched(snapshot("1.4.2"), release(OLDER))
    assert waited_on == OtherCommit("registry.example.test/app:1.4.2", "release v1.4.2")


@pytest.mark.parametrize(("here", "there"), [(SHA, OLDER), (OLDER, SHA), (NEWER, OLDER), (OLDER, NEWER)])
def test_a_moved_tag_proves_nothing_and_both_commits_are_named(
    snapshot: Callable[..., Snapshot], here: str, there: str
) -> None:
    """The image may have been built from either."""
    found = matched(snapshot("v1.4.2"), release(here, there))
    assert isinstance(found, NoCommit)
    assert found.final
    assert f"it is {here[:8]} here and {there[:8]} at origin" in found.reason


def test_a_moved_tag_of_which_one_commit_is_unknown_is_waited_on(snapshot: Callable[..., Snapshot]) -> None:
    """It may become known with the next fetch."""
    found = matched(snapshot("v1.4.2"), release(SHA, FOREIGN))
    assert found == OtherCommit("registry.example.test/app:v1.4.2", "release v1.4.2", unknown=True)


def test_a_tag_here_is_not_believed_while_the_remote_does_not_answer(snapshot: Callable[..., Snapshot]) -> None:
    """It may have been moved there."""
    found = matched(snapshot("v1.4.2"), release(SHA, silence="origin cannot be queried: no response in time"))
    assert isinstance(found, EvidencePending)
    assert found.is_outage
    assert "origin cannot be queried" in found.unproven


def test_with_exact_a_newer_release_does_not_count(snapshot: Callable[..., Snapshot]) -> None:
    exact = replace(ASKED, exact=True)
    assert isinstance(matched(snapshot("v1.4.2"), release(NEWER), exact), OtherCommit)
    assert isinstance(matched(snapshot("v1.4.2"), release(SHA), exact), SameCommit)
    assert isinstance(matched(snapshot("v1.4.2"), release(SHA, NEWER), exact), NoCommit)


@pytest.mark.parametrize("tag", ["latest", "stable", "v1", "1", "v1.4.2-dirty", "a" * 129, ""])
def test_a_tag_that_moves_by_design_is_no_release(snapshot: Callable[..., Snapshot], tag: str) -> None:
    """The git tag may have been moved to our commit before the image of that name was built again."""
    assert find_questions(snapshot(tag), ASKED) == ()
    assert isinstance(match_commit(snapshot(tag), ASKED), NoCommit)


def test_only_what_runs_is_asked(snapshot: Callable[..., Snapshot]) -> None:
    assert find_questions(snapshot("v1.4.2", pods=(pod("web-new-0"),)), ASKED) == (FindRelease("v1.4.2"),)
