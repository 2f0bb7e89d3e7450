"""A landing whose merge answer is cut off over a socket, at each class of bytes: the target tells the truth."""

from __future__ import annotations

from typing import Any

import pytest

from homelab_hooks.config.address import parse_server_url
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.net.http import HttpClient
from homelab_hooks.simulators.forge.pulls import CutPoint, MergeCut
from homelab_hooks.simulators.forge.server import ForgeSimulator
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.system.clock import SystemClock
from tests.land.protected_world import Parts, ProtectedWorld
from tests.support.clock import FakeClock

pytestmark = pytest.mark.slow  # many processes of git

STATUS_LINE, HEADERS, LAST_HEADER, BODY = 5, 60, -2, -9


@pytest.mark.parametrize(
    ("point", "sent_bytes", "is_github"),
    [
        (CutPoint.BEFORE, 0, False),
        (CutPoint.DURING, 0, False),
        (CutPoint.DURING, STATUS_LINE, False),
        (CutPoint.DURING, HEADERS, False),
        (CutPoint.DURING, LAST_HEADER, False),
        (CutPoint.DURING, BODY, True),
        (CutPoint.AFTER, HEADERS, False),
        (CutPoint.AFTER, BODY, True),
    ],
)
def test_a_cut_answer_ends_with_the_truth(  # noqa: PLR0917 - fixtures
    workshop: ScratchRepositories,
    parts: Parts,
    events: Any,
    clock: FakeClock,
    point: CutPoint,
    sent_bytes: int,
    *,
    is_github: bool,
) -> None:
    world = ProtectedWorld(workshop, parts, events, clock)
    world.pulls.store.is_github = is_github
    world.repo.protections["main"].contexts = ("ci/test",)
    world.repo.merge_cuts.append(MergeCut(point, sent_bytes))
    with ForgeSimulator(world.pulls.store) as server:
        world.pulls.transport = client = HttpClient(parse_server_url(server.url), clock=SystemClock())
        verdict = world.land()
        merges = sum(one.path.endswith("/merge") for one in server.requests)
        if point is CutPoint.BEFORE:
            assert (verdict.exit, verdict.landed) == (ExitCode.UNREACHABLE, False), verdict
            verdict = land_run.continue_landing(world.dependencies())
        client.close()
    assert merges == 1
    assert (verdict.exit, verdict.landed, verdict.sha) == (ExitCode.OK, True, world.pulls.target), verdict
    assert (verdict.proposed, verdict.tree) == (world.pulls.head, "")
    assert any("may not have notified CI" in text for text in world.texts) == (point is CutPoint.DURING)
