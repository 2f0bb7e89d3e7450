"""What git knows about a commit without a pipeline; what it does not know is not a cause."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from homelab_hooks.app.watch_setup import CommitContext, commit_facts
from homelab_hooks.ci.woodpecker.traits import WOODPECKER
from homelab_hooks.git.history import Commit
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.runner import DirectRunner
from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.watch.no_pipeline import CommitFacts, explain_no_pipeline

UNKNOWN = ("f" * 40, "e" * 64)


def facts_of(clone: Clone, seal: Mapping[str, str], sha: str, *, remote: str = "origin") -> CommitFacts:
    about = CommitContext(Commit(sha), lambda: remote, ("acme/app",))
    return commit_facts(ReadOnlyRepository(DirectRunner(seal, clone.path)), about, WOODPECKER)()


@pytest.mark.parametrize("sha", UNKNOWN, ids=["SHA-1", "SHA-256"])
@pytest.mark.parametrize("remote", ["origin", "nowhere", ""])
def test_nothing_is_known_about_a_commit_that_is_not_here(
    clone: Clone, seal: Mapping[str, str], sha: str, remote: str
) -> None:
    found = facts_of(clone, seal, sha, remote=remote)
    assert (found.is_branch_tip, found.is_pushed, found.has_ci_config, found.message) == (None, None, None, "")
    reason, _ = explain_no_pipeline(found, WOODPECKER, was_filtered=False)
    assert "tip" not in reason
    assert "not on any known branch" not in reason


def test_a_commit_that_is_here_is_the_tip_or_not(clone: Clone, seal: Mapping[str, str]) -> None:
    older = clone.head
    clone.commit("file", "x\n")
    clone.git("update-ref", "refs/remotes/origin/main", clone.head)
    pushed = clone.head
    clone.commit("file", "y\n")
    facts = [facts_of(clone, seal, sha) for sha in (older, pushed, clone.head)]
    assert [one.is_branch_tip for one in facts] == [False, True, False]
    assert [one.is_pushed for one in facts] == [True, True, False]
    assert (
        "only tips get a pipeline"
        in explain_no_pipeline(facts[0]._replace(has_ci_config=None), WOODPECKER, was_filtered=False)[0]
    )


def test_without_a_remote_the_tip_is_not_known(clone: Clone, seal: Mapping[str, str]) -> None:
    assert facts_of(clone, seal, clone.head, remote="").is_branch_tip is None
