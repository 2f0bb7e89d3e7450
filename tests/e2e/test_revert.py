"""`git land --revert` and `--on-failure revert` as they are started from a shell."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from tests.cli.shell import CommandResult, Shell
from tests.waiting import HANG_S

pytestmark = pytest.mark.slow


@pytest.fixture
def shell(seal: dict[str, str], ann: Clone) -> Shell:
    """In Ann's clone, without CI."""
    return Shell(seal, ann.path)


def land(shell: Shell, *options: str, **environ: str) -> CommandResult:
    return shell("git-land", "--output", "json", "--verify-cmd", "true", *options, **environ)


def failing_hook(clone: Clone, *, code: int, when: str) -> None:
    """A post-push hook of the repository that ends with a code where the tree has a file, else with 0."""
    hook = clone.path / ".git/hooks/post-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nif [ -e {when} ]; then exit {code}; fi\n")
    hook.chmod(0o755)


def test_a_failed_rollout_is_taken_back_and_the_exit_code_stays(
    shell: Shell, ann: Clone, workshop: ScratchRepositories
) -> None:
    ann.commit("broken")
    failing_hook(ann, code=9, when="broken")
    landed = ann.head

    done = land(shell, "--on-failure", "revert", "--follow", "run:true")

    print(done)
    assert done.code == ExitCode.ROLLOUT_FAILED
