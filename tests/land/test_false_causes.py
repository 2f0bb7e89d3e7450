"""A landing that fails has the true cause, and ends at once where a repetition would fail too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.request import Strategy
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow  # many processes of git each


def test_a_refusal_of_the_servers_reference_transaction_hook_is_final(
    workshop: ScratchRepositories, ann: Clone, git_land: Callable[..., Verdict], events: Any
) -> None:
    """One push, and the words of the hook."""
    workshop.write_hook("reference-transaction", "echo no changes on Fridays >&2; exit 1")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.PUSH_FAILED, False)
    assert verdict.reason == "the push was rejected: no changes on Fridays"
    assert [name for name, _ in events.stages()].count("push") == 1


def test_a_format_of_the_to_do_list_does_not_stop_a_rebase(
    workshop: ScratchRepositories, ann: Clone, git_land: Callable[..., Verdict]
) -> None:
    bob = workshop.clone("bob")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    ann.git("config", "rebase.instructionFormat", "%s%n%s")
    assert git_land(ann, strategy=Strategy.REBASE).landed is True
