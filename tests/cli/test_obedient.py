"""A caller that obeys every hint ends: it runs the `resume` of each result, and needs few calls and no clock."""

from __future__ import annotations

import pytest

from homelab_hooks.app.options import RESUMED_TIMEOUTS, as_arguments, follow_command
from homelab_hooks.cli.commands.manifest import manifest_document
from homelab_hooks.cli.option_tiers import tier_of_option
from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.cli.shell import Shell
from tests.views.schema import objects

MAX_CALLS = 2
DIRECTING = ("--server", "--dial", "--ca-file", "--forge-url", "--kubeconfig", "--context", "--verify-cmd")
"""options that name a server, an address, a CA, a forge, a kubeconfig, or a command"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("homelab-watch", "--timeout", "1s"),
        ("homelab-watch", "--timeout", "1s", "--unreachable-timeout", "1s", "--fail-fast"),
        ("homelab", "follow", "--onto", "main", "--timeout", "1s"),
    ],
    ids=" ".join,
)
def test_a_caller_that_obeys_ends(
    shell: Shell, clone: Clone, woodpecker: WoodpeckerSimulator, command: tuple[str, ...]
) -> None:
    """The first call is a slice that the caller chose; the command that it names waits for the end."""
    endless = woodpecker.push("acme/app", "main", clone.head, timelines.make_stuck())
    assert endless is not None
    codes: list[int] = []
    while len(codes) < MAX_CALLS:
        ended = shell(*command, "--output", "json")
        result = objects(ended.lines)[-1]
        codes.append(ended.code)
        if len(codes) == 1:  # the pipeline ends after the first slice, however long that took to start
            with woodpecker.lock:
                woodpecker.store.delete(endless)
            woodpecker.push("acme/app", "main", clone.head, timelines.make_green(200.0))
        if "resume" not in result:
            break
        command = tuple(result["resume"])
        assert " ".join(command) in result["hint"]
    assert codes == [124, 0]


@pytest.mark.parametrize("name", RESUMED_TIMEOUTS)
def test_no_resume_command_repeats_a_short_timeout(name: str) -> None:
    for text, kept in (("0", False), ("59s", False), ("60s", True), ("2h", True)):
        assert (text in as_arguments({name: text}, name)) is kept
        assert (text in follow_command({name: text}, "9f2c").split()) is kept


def test_an_option_that_can_direct_a_request_or_run_a_program_is_write() -> None:
    options = [option for verb in manifest_document()["verbs"] for option in verb["options"]]
    tiers = {name: option["tier"] for option in options for name in option["names"] if option["value"]}
    assert {tiers[name] for name in (*DIRECTING, "--follow", "--image-proof")} == {"write"}
    assert {tiers[name] for name in ("--timeout", "--output", "--repo", "--onto")} == {"read"}
    assert tier_of_option(["--a-new-one"], takes_value=True) == tier_of_option(["-x"], takes_value=False) == "write"
    output = next(option for option in options if "--output" in option["names"])
    assert output["choices"] == ["auto", "live", "plain", "json"]
