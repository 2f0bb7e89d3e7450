"""Every recorded rollout, stopped at each of its snapshots for ever: it is called done only where it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.run import DeployRequest
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.kubernetes.timeline import RolloutRecording
from homelab_hooks.text.json_fields import Json
from tests.deploy.oracle import done
from tests.deploy.test_recordings import DEPLOYED, OTHERWISE, asked
from tests.support.memory_registry import as_latest, read_registry

WANTED = {name: tag for tag, names in DEPLOYED.items() for name in names} | {row[0]: row[1] for row in OTHERWISE}
FOLDER = Path(__file__).parent.parent / "recordings" / "kubernetes"
RECORDED = sorted(path.name.partition(".")[0] for path in FOLDER.iterdir())
GOOD = {name for names in DEPLOYED.values() for name in names}
ONLY_SEEN_LATE = {"g-quota-failed-create"}
"""the tag fails at the progress deadline; without one nothing shows the commit before the quota is raised"""
NO_ROLLOUT = {"errors"}
"""kubectl's failures, which have no snapshots"""


def test_every_recording_is_stopped_somewhere() -> None:
    assert set(RECORDED) - NO_ROLLOUT == set(WANTED)


@pytest.mark.slow
@pytest.mark.parametrize("watch", [False, True], ids=["polled", "watched"])
@pytest.mark.parametrize("name", sorted(WANTED))
def test_a_rollout_that_stops_midway_is_never_called_done(
    *,
    recording: Callable[[str], RolloutRecording],
    waited: Callable[..., Any],
    request_: DeployRequest,
    name: str,
    watch: bool,
) -> None:
    """Whatever follows: the state at the end of each wait is compared with the raw objects of that moment."""
    played, wanted = recording(name), WANTED[name]
    ends: list[ExitCode] = []
    for snapshot in played.snapshots:
        stopped = float(snapshot["t"])

        def frozen(t: float, stopped: float = stopped) -> Sequence[Json]:
            return played.at(min(t, stopped))

        request = replace(asked(request_, played, wanted), timeout=stopped + 4, settle=2.0)
        over = waited(frozen, request, watch=watch)
        ends.append(over.verdict.exit)
        assert done(frozen(over.ended), wanted) or ends[-1] is not ExitCode.OK, (stopped, over.verdict)
    assert (ends[-1] is ExitCode.OK) is (name in GOOD)


@pytest.mark.parametrize("proof", [ProofKind.AUTO, pytest.param(ProofKind.REGISTRY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", sorted(WANTED))
def test_a_rollout_of_latest_that_stops_midway_is_never_called_done(
    *,
    recording: Callable[[str], RolloutRecording],
    waited: Callable[..., Any],
    request_: DeployRequest,
    name: str,
    proof: ProofKind,
) -> None:
    """The same rollouts with one tag for all images: only the registry has the commit of each digest."""
    played, wanted = recording(name), WANTED[name]
    ends: list[ExitCode] = []
    for snapshot in played.snapshots[:: 1 if proof is ProofKind.AUTO else 3] + played.snapshots[-1:]:
        stopped = float(snapshot["t"])

        def frozen(t: float, stopped: float = stopped) -> Sequence[Json]:
            return as_latest(played.at(min(t, stopped)))

        request = replace(asked(request_, played, wanted), timeout=stopped + 4, settle=2.0, proof=ImageProof(proof))
        registry = read_registry(played)
        over = waited(frozen, request, registry=registry)
        ends.append(over.verdict.exit)
        assert done(played.at(min(over.ended, stopped)), wanted) or ends[-1] is not ExitCode.OK, (stopped, over.verdict)
        assert len(set(registry.asked)) == len(registry.asked)
    assert (ends[-1] is ExitCode.OK) is (name in GOOD | ONLY_SEEN_LATE)
