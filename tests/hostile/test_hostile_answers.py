"""Whole commands whose servers answer what no server should: times, depths, and numbers without an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from homelab_hooks.simulators.faults import BodyFault, FaultPlan, FaultRule, StatusFault
from homelab_hooks.simulators.forge.server import ForgeSimulator
from homelab_hooks.simulators.forge.store import ALL_SCOPES, ForgeStore, ForgeUser, RepoRight, SimulatedForgeRepo
from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.cli.shell import CommandResult, Shell

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

pytestmark = pytest.mark.slow
TOKEN = "forgeCanary7Qx"
PAST = "Tue, 24 Nov 1970 12:00:00 GMT"
BODIES = {
    "100,000 lists": b"[" * 100_000,
    "100,000 closed lists": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects": b'{"a":' * 100_000,
    "a number of 10,000 digits": b'[{"id": %s}]' % (b"9" * 10_000),
    "10^400 as a number": b'[{"id": 1e400, "number": 1e400, "started": 1e400}]',
    "10^400 as an integer": b'[{"id": 1%s, "number": -1%s}]' % (b"0" * 400, b"0" * 400),
    "no numbers": b'[{"id": NaN, "number": Infinity, "started": -Infinity}]',
}
"""bodies of responses, each of which takes a parser that trusts them too long, too deep, or out of its numbers"""
UNREADABLE = tuple(BODIES)[:4]
"""those that no parser of ours reads; of the others, a log takes the lines and leaves the numbers"""


def plain(ended: CommandResult) -> CommandResult:
    """It, if it has one result and no error of ours."""
    assert "internal error" not in ended.err
    assert "Traceback" not in ended.err
    assert ended.result["exit"] == str(ended.code)
    return ended


@pytest.mark.parametrize(
    "value",
    ["9" * 400, "1" + "0" * 400, "999999999", "-1", "-" + "9" * 400, "NaN", "inf", "1e400", "0x7fffffff", "", "\xb2",
     PAST, "Tue, 24 Nov 99999 12:00:00 GMT", "Tue, 24 Nov 9999 23:59:59 -9999", f"{PAST}, {PAST}"],
    ids=lambda value: f"{value[:12]}-{len(value)}",
)  # fmt: skip
def test_a_time_to_wait_that_makes_no_sense_outlasts_no_watch(
    shell: Shell, woodpecker: WoodpeckerSimulator, clone: Clone, value: str
) -> None:
    """The watch ends at its timeouts, whatever a server asks for; and it succeeds as soon as the server does."""
    woodpecker.push("acme/app", "main", clone.head, timelines.make_green(), after=-60.0)
    busy = StatusFault(code=503, headers=(("Retry-After", value),))
    woodpecker.fail(FaultRule(fault=busy))
    ended = plain(shell("homelab-watch", "--unreachable-timeout", "1s"))
    assert (ended.code, ended.result["verdict"]) == (8, "unreachable")


def test_a_watch_succeeds_after_a_time_to_wait_in_the_past(
    shell: Shell, woodpecker: WoodpeckerSimulator, clone: Clone
) -> None:
    woodpecker.push("acme/app", "main", clone.head, timelines.make_green(), after=-60.0)
    woodpecker.fail(FaultRule(fault=StatusFault(code=429, headers=(("Retry-After", PAST),)), last=2))
    assert plain(shell("homelab-watch")).code == 0


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_woodpecker_ends_no_command(shell: Shell, woodpecker: WoodpeckerSimulator, name: str) -> None:
    woodpecker.fail(FaultRule(fault=BodyFault(content=BODIES[name])))
    assert plain(shell("homelab-watch", "--unreachable-timeout", "1s")).code == 8
    examined = plain(shell("homelab", "doctor"))
    assert any(line.startswith("x  ci ") for line in examined.err.splitlines()), examined


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_a_step_log_ends_no_command(
    shell: Shell, woodpecker: WoodpeckerSimulator, clone: Clone, name: str
) -> None:
    woodpecker.push("acme/app", "main", clone.head, timelines.make_red(), after=-60.0)
    woodpecker.fail(FaultRule(fault=BodyFault(content=BODIES[name]), path="/logs/"))
    assert plain(shell("homelab-watch")).code == 1
    assert plain(shell("homelab", "ci", "logs")).code == (8 if name in UNREADABLE else 0)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("path", ["/version$", ""], ids=["kind", "all"])
def test_a_body_of_a_forge_ends_no_command(shell: Shell, clone: Clone, name: str, path: str) -> None:
    repo = SimulatedForgeRepo("acme/app", {"bob": RepoRight.READ}, {"main": clone.head})
    store = ForgeStore([ForgeUser("bob", tokens={TOKEN: ALL_SCOPES})], [repo])
    faults = FaultPlan((FaultRule(fault=BodyFault(content=BODIES[name]), path=path),))
    with ForgeSimulator(store, faults=faults) as forge:
        clone.git("remote", "set-url", "origin", f"{forge.url}/acme/app.git")
        options = ("--appear-timeout", "0", "--unreachable-timeout", "1s")
        ended = plain(shell("homelab", "follow", "--follow", "status:origin:ci/*", *options, GITEA_TOKEN=TOKEN))
    assert ended.code != 0
    assert forge.requests


@pytest.mark.parametrize("name", BODIES)
def test_a_live_answer_ends_no_command(shell: Shell, httpserver: HTTPServer, name: str) -> None:
    httpserver.expect_request("/version").respond_with_data(BODIES[name], content_type="application/json")
    options = ("--onto", "main", "--rollout-timeout", "0", "--settle", "0")
    for path in ("", "#0.id"):
        ended = plain(shell("homelab", "follow", *options, "--follow", f"live:{httpserver.url_for('/version')}{path}"))
        assert ended.code in {10, 124}, ended


@pytest.mark.parametrize("argv", [("homelab-watch",), ("homelab", "config"), ("homelab", "doctor")], ids=" ".join)
def test_a_token_that_is_not_text_is_an_error_like_others(shell: Shell, argv: tuple[str, ...]) -> None:
    ended = shell(*argv, WOODPECKER_TOKEN="abc\udcff/defgh")
    assert "Traceback" not in ended.err
    assert "internal error" not in ended.out + ended.err
    assert "defgh" not in ended.out + ended.err
    assert ended.code == 0 or argv[1:] != ("config",)
