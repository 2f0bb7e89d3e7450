"""A remote with several push URLs: the first one is landed on, and what the others refuse is reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab_hooks.events import Log, LogLevel
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow  # many processes of git each


@pytest.mark.parametrize("refused_by", ["none", "the copy", "the first"])
def test_a_refusal_of_another_push_url_is_a_warning(
    workshop: ScratchRepositories, ann: Clone, git_land: Callable[..., Verdict], events: Any, refused_by: str
) -> None:
    """Git pushes to the other URLs whatever the first one answered."""
    copy = workshop.folder / "copy.git"
    ann.git("clone", "--quiet", "--bare", str(workshop.bare_path), str(copy))
    for url in (workshop.bare_path, copy):
        ann.git("remote", "set-url", "--add", "--push", "origin", str(url))
    where = {"the copy": copy / "hooks", "the first": workshop.bare_path / "hooks"}.get(refused_by)
    if where:
        workshop.write_hook("pre-receive", "exit 1", where=where)
    verdict = git_land(ann)
    warned = [event.text for event in events.events if isinstance(event, Log) and event.level is LogLevel.WARNING]
    refusal = "[remote rejected] (pre-receive hook declined)"
    expected = [f"the remote's other push URL did not take the commit: {copy}: {refusal}"]
    assert warned == (expected if refused_by == "the copy" else [])
    landed = refused_by != "the first"
    assert (verdict.exit, verdict.landed) == (ExitCode.OK if landed else ExitCode.PUSH_FAILED, landed)
