"""`git land --message`: the message of the merge commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict
from tests.cli.shell import Shell

pytestmark = pytest.mark.slow  # many processes of git each
TEXT = "Land the topic\n\nBecause it is ready."


def test_a_resolved_merge_keeps_the_message(
    workshop: ScratchRepositories, ann: Clone, git_land: Callable[..., Verdict], parts: Any
) -> None:
    bob = workshop.clone("bob")
    bob.commit("same", "theirs\n")
    bob.git("push", "--quiet", "origin", "main")
    ann.commit("same", "mine\n")
    assert git_land(ann, message=TEXT).exit is ExitCode.CONFLICT
    ann.write("same", "both\n")
    ann.git("add", "same")
    assert land_run.continue_landing(parts(ann)).landed is True
    assert (ann.git("log", "-1", "--format=%B").strip(), len(ann.git("log", "-1", "--format=%P").split())) == (TEXT, 2)


@pytest.mark.parametrize(
    "options",
    ["--strategy rebase -m x", "--strategy ff-only --message=x", "--continue -m x", "--abort -m x", "-m "],
)
def test_a_message_without_a_merge_commit_is_a_usage_error(seal: dict[str, str], ann: Clone, options: str) -> None:
    ended = Shell(seal, ann.path)("git-land", "--output", "plain", *options.split(" "))
    assert (ended.code, ended.result["landed"]) == (2, "no")


def test_the_option_is_the_message(workshop: ScratchRepositories, seal: dict[str, str], ann: Clone) -> None:
    bob = workshop.clone("bob")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    ended = Shell(seal, ann.path)("git-land", "--output", "plain", "--no-ci-watch", "--no-verify", "-m", TEXT)
    assert (ended.code, ann.git("log", "-1", "--format=%B", "origin/main").strip()) == (0, TEXT)
