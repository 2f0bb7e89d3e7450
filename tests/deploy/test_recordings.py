"""Every recorded rollout results in the verdict that a person who knows the cluster gave it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.run import DeployRequest
from homelab_hooks.events import RolloutChanged, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl.model import WorkloadTarget
from homelab_hooks.simulators.clock import SimulatedClock
from homelab_hooks.simulators.kubernetes.timeline import RolloutRecording

LATER_S = 40.0
"""seconds after which git can fetch the newer commit"""
DEPLOYED = {
    "9f2c1a7b": [
        "a-rolling-update", "b-not-observed", "c-status-before-update", "k-recreate", "p3-deleted-orphan",
        "r-sidecar-and-init", "t-min-ready-seconds", "u3-one-replica", "w-first-deploy", "n-statefulset", "o-daemonset",
        "i-paused", "n2-statefulset-partition", "n3-statefulset-ondelete", "o2-daemonset-ondelete",
    ],
    "510f5a17": ["v-slow-start", "u1-max-unavailable-100", "u2-max-surge-100", "q-scaled-midway"],
}  # fmt: skip

# name, wanted, exit, at the latest (seconds), what the reason says
OTHERWISE = [
    (
        "d-image-pull",
        "e4401000",
        ExitCode.ROLLOUT_FAILED,
        17.0,
        "app: (ErrImagePull|ImagePullBackOff): .*app:e4401000: not found",
    ),
    ("d2-image-pull-deadline", "e4401000", ExitCode.ROLLOUT_FAILED, 14.0, "app:e4401000: not found"),
    (
        "n4-statefulset-pull",
        "e4401000",
        ExitCode.ROLLOUT_FAILED,
        17.0,
        "rolled back to 0aa11bb2.*app:e4401000: not found",
    ),
    ("o3-daemonset-pull", "e4401000", ExitCode.ROLLOUT_FAILED, 17.0, "app:e4401000: not found"),
    ("w2-first-deploy-pull", "e4401000", ExitCode.ROLLOUT_FAILED, 14.5, "app:e4401000: not found"),
    (
        "e-crash-loop",
        "bad0c0de",
        ExitCode.ROLLOUT_FAILED,
        20.0,
        r"exit code 1\), restarted 3 times",
    ),
    (
        "e2-ready-then-crash",
        "f1a5bad1",
        ExitCode.ROLLOUT_FAILED,
        28.0,
        r"exit code 2\), restarted 3 times",
    ),
    ("e3-oom-killed", "0e11ed00", ExitCode.ROLLOUT_FAILED, 20.0, "OOMKilled"),
    (
        "e4-config-error",
        "c0ff19e0",
        ExitCode.ROLLOUT_FAILED,
        13.5,
        'CreateContainerConfigError: configmap "app-settings"',
    ),
    (
        "f-progress-deadline",
        "0ead1e55",
        ExitCode.ROLLOUT_FAILED,
        13.5,
        "exceeded its progress deadline: pod .* is not ready",
    ),
    (
        "g-quota-failed-create",
        "9f2c1a7b",
        ExitCode.ROLLOUT_FAILED,
        23.9,
        "exceeded its progress deadline: .*exceeded quota",
    ),
    (
        "h-unschedulable",
        "9f2c1a7b",
        ExitCode.ROLLOUT_FAILED,
        19.0,
        "exceeded its progress deadline: .*cannot be scheduled",
    ),
    ("j-replicas-zero", "9f2c1a7b", ExitCode.ROLLOUT_UNPROVEN, 7.3, "scaled to zero"),
    ("l-rollback-midway", "510f5a17", ExitCode.ROLLOUT_FAILED, 10.0, "rolled back to 0aa11bb2"),
    ("m-superseded", "9f2c1a7b", ExitCode.ROLLOUT_FAILED, 5.0, "replaced by 3c5d7e9f"),
    ("p-deleted", "510f5a17", ExitCode.ROLLOUT_UNPROVEN, 16.0, "it was deleted"),
    (
        "r3-init-fails",
        "9f2c1a7b",
        ExitCode.ROLLOUT_FAILED,
        9.0,
        r"init container migrate crashed .*exit code 1\)",
    ),
    ("s-latest-restart", "9f2c1a7b", ExitCode.ROLLOUT_UNPROVEN, 0.5, "app:latest names no commit"),
    (
        "e5-invalid-image-name",
        "9f2c1a7b",
        ExitCode.TIMEOUT,
        22.5,
        "app:inv41d00: waiting for the image digest of .*InvalidImageName",
    ),
    (
        "z3-status-stale",
        "9f2c1a7b",
        ExitCode.TIMEOUT,
        29.0,
        r"exit code 1\), restarted 2 times",
    ),
]


def asked(request: DeployRequest, played: RolloutRecording, wanted: str) -> DeployRequest:
    target = WorkloadTarget.parse(f"{played.namespace}/{played.kind}/{played.name}")
    return replace(request, targets=(target,), sha=wanted.ljust(40, "0"), timeout=played.end_s + 20)


def _serves(raw: Any, wanted: str) -> bool:
    images = [each["image"] for each in raw["spec"]["containers"] if each["name"] == "app"]
    ready = [each["ready"] for each in raw["status"].get("containerStatuses", [])]
    return images[0].endswith(f":{wanted}") and bool(ready) and all(ready)


@pytest.mark.parametrize("watch", [False, True], ids=["polled", "watched"])
@pytest.mark.parametrize("start", [0.0, 0.9])
@pytest.mark.parametrize(("wanted", "name"), [(tag, name) for tag, names in DEPLOYED.items() for name in names])
def test_a_good_rollout_is_deployed_and_not_too_early(
    *,
    recording: Callable[[str], RolloutRecording],
    waited: Callable[..., Any],
    request_: DeployRequest,
    wanted: str,
    name: str,
    start: float,
    watch: bool,
) -> None:
    """Not before the last new pod serves and no old pod does, and the settle time after that."""
    played = recording(name)
    over = waited(played.at, asked(request_, played, wanted), time=SimulatedClock(start), watch=watch)
    assert (over.verdict.exit, over.verdict.label) == (ExitCode.OK, "deployed")
    assert over.verdict.deploys[0].image.endswith(f":{wanted}")
    assert over.ended >= last_unready(played, wanted) + request_.settle
    assert over.ended <= played.end_s + request_.settle + 4


def last_unready(played: RolloutRecording, wanted: str) -> float:
    """The time of the last snapshot in which a pod that is not on its way out does not serve the wanted image."""
    bad = [
        snapshot["t"]
        for snapshot in played.snapshots
        for each in snapshot["pods"]
        if "deletionTimestamp" not in each["metadata"] and not _serves(each, wanted)
    ]
    return float(max(bad))


@pytest.mark.parametrize("watch", [False, True], ids=["polled", "watched"])
@pytest.mark.parametrize("start", [0.0, 0.4])
@pytest.mark.parametrize(("name", "wanted", "exit_", "latest", "says"), OTHERWISE, ids=[row[0] for row in OTHERWISE])
def test_another_rollout_ends_as_it_should(
    *,
    recording: Callable[[str], RolloutRecording],
    waited: Callable[..., Any],
    request_: DeployRequest,
    name: str,
    wanted: str,
    exit_: ExitCode,
    latest: float,
    says: str,
    start: float,
    watch: bool,
) -> None:
    """With its reason, and early where nothing can become of it."""
    played = recording(name)
    over = waited(played.at, asked(request_, played, wanted), time=SimulatedClock(start), watch=watch)
    assert over.verdict.exit is exit_
    assert re.search(says, over.verdict.reason)
    assert over.ended <= latest + start


@pytest.mark.parametrize(("exact", "exit_"), [(False, ExitCode.OK), (True, ExitCode.ROLLOUT_FAILED)])
def test_a_newer_commit_that_contains_ours_counts_unless_exact(
    recording: Callable[[str], RolloutRecording],
    waited: Callable[..., Any],
    request_: DeployRequest,
    *,
    exact: bool,
    exit_: ExitCode,
) -> None:
    played = recording("m-superseded")
    request = replace(asked(request_, played, "9f2c1a7b"), exact=exact, proof=ImageProof(ProofKind.TAG))
    over = waited(played.at, request, newer=("3c5d7e9f",))
    assert over.verdict.exit is exit_
    assert ("included in newer deploy 3c5d7e9f" in over.verdict.reason) is not exact
    assert over.asked.count("3c5d7e9f") == (0 if exact else 1)


def test_a_newer_commit_that_can_be_fetched_only_later_counts(
    recording: Callable[[str], RolloutRecording], waited: Callable[..., Any], request_: DeployRequest
) -> None:
    played = recording("m-superseded")
    request = replace(asked(request_, played, "9f2c1a7b"), timeout=600.0)
    over = waited(played.at, request, newer=("3c5d7e9f",), fetched_at=LATER_S)
    assert over.verdict.exit is ExitCode.OK
    assert over.ended >= LATER_S
    assert "included in newer deploy 3c5d7e9f" in over.verdict.reason


def test_a_newer_commit_that_git_never_finds_is_a_failure_that_says_so(
    recording: Callable[[str], RolloutRecording], waited: Callable[..., Any], request_: DeployRequest
) -> None:
    played = recording("m-superseded")
    request = replace(asked(request_, played, "9f2c1a7b"), timeout=600.0)
    over = waited(played.at, request, fetched_at=600.0)
    assert over.verdict.exit is ExitCode.ROLLOUT_FAILED
    assert "could not determine whether it contains 9f2c1a7b" in over.verdict.reason


HELD = [
    ("i-paused", "9f2c1a7b", "the Deployment is paused", 4.2),
    ("n2-statefulset-partition", "9f2c1a7b", r"2 pods are not updated because of the partition \(2\)", 2.6),
    ("n3-statefulset-ondelete", "9f2c1a7b", "the update strategy is OnDelete", 3.0),
    ("o2-daemonset-ondelete", "9f2c1a7b", "the update strategy is OnDelete", 4.0),
    ("g-quota-failed-create", "9f2c1a7b", "exceeded quota", 3.6),
    ("h-unschedulable", "9f2c1a7b", "cannot be scheduled", 3.6),
]


@pytest.mark.parametrize("watch", [False, True], ids=["polled", "watched"])
@pytest.mark.parametrize(("name", "wanted", "says", "by"), HELD, ids=[row[0] for row in HELD])
def test_what_holds_a_rollout_back_is_said_within_two_polls(
    *,
    recording: Callable[[str], RolloutRecording],
    waited: Callable[..., Any],
    request_: DeployRequest,
    name: str,
    wanted: str,
    says: str,
    by: float,
    watch: bool,
) -> None:
    played = recording(name)
    over = waited(played.at, asked(request_, played, wanted), watch=watch)
    said = [at for at, event in over.events if isinstance(event, Waiting) and re.search(says, event.reason)]
    assert said
    assert said[0] <= by


def test_one_pull_failure_is_said_once_though_its_reasons_alternate(
    recording: Callable[[str], RolloutRecording], waited: Callable[..., Any], request_: DeployRequest
) -> None:
    played = recording("d-image-pull")
    over = waited(played.at, asked(request_, played, "e4401000"))
    assert sum(isinstance(event, Waiting) for _, event in over.events) == 1


def test_an_invalid_image_fails_early_where_a_label_is_the_proof(
    recording: Callable[[str], RolloutRecording], waited: Callable[..., Any], request_: DeployRequest
) -> None:
    """The label names the commit, so that the image has come, whatever it is called."""
    played = recording("e5-invalid-image-name")

    def labelled(t: float) -> list[Any]:
        objects: list[Any] = []
        for each in played.at(t):
            spec = each.get("spec", {})
            if "template" in spec:
                new = spec["template"]["spec"]["containers"][0]["image"].endswith("inv41d00")
                label = {"commit": "9f2c1a7b" if new else "0aa11bb2"}
                meta = {**spec["template"]["metadata"]}
                meta["labels"] = {**meta["labels"], **label}
                objects.append({**each, "spec": {**spec, "template": {**spec["template"], "metadata": meta}}})
            else:
                objects.append(each)
        return objects

    over = waited(labelled, replace(asked(request_, played, "9f2c1a7b"), proof=ImageProof(ProofKind.LABEL, "commit")))
    assert over.verdict.exit is ExitCode.ROLLOUT_FAILED
    assert "InvalidImageName" in over.verdict.reason
    assert over.ended < 14


def test_a_crash_loop_that_looks_done_at_intervals_is_never_deployed(
    recording: Callable[[str], RolloutRecording], waited: Callable[..., Any], request_: DeployRequest
) -> None:
    """The recording has polls at which all is available; a settle time of two seconds is not deceived by them."""
    played = recording("e2-ready-then-crash")
    over = waited(played.at, replace(asked(request_, played, "f1a5bad1"), settle=2.5))
    phases = [event.phase for _, event in over.events if isinstance(event, RolloutChanged)]
    assert "settling" in phases
    assert over.verdict.exit is ExitCode.ROLLOUT_FAILED
