"""What a running step prints is shown in the live view alone, and gives nothing away there."""

from __future__ import annotations

import pytest

from homelab_hooks.simulators.woodpecker import timelines
from tests.security.canaries import CI
from tests.security.canary_clone import CanarySandbox

PRINTED = (f"Bearer {CI.value}", "\x1b]0;title\x07\x1b[2Jcompiling")


@pytest.mark.slow
@pytest.mark.parametrize("view", ["plain", "live"])
def test_only_the_live_view_asks_for_what_a_step_prints(sandbox: CanarySandbox, view: str) -> None:
    """Each log is a request, which a script does not need."""
    ci = sandbox.woodpecker
    script = timelines.print_while_running(timelines.make_green(10_000.0), {"build": PRINTED * 200})
    ci.push("acme/app", "main", sandbox.clone.head, script)
    ended = sandbox.on_terminal("homelab-watch", "--output", view, "--timeout", "2s")
    assert ended.code == 124, ended
    assert (ci.count("/api/stream/logs/") > 0) == (view == "live")
    assert "\x1b]0;" not in ended.err
    assert sandbox.gave_away(ended) == []
