"""Whole waits whose proof is not the tag: rollouts of `latest`, of releases, and by the service's own answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.run import DeployRequest
from homelab_hooks.events import RolloutChanged, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.release_tags import ReleaseTag, TagPlace
from homelab_hooks.kubectl.image_ref import extract_digest
from homelab_hooks.net.live import LiveAnswer, Shown
from homelab_hooks.registry.answer import ImageFacts, RegistryAnswer, RegistrySilence, RunningImage
from homelab_hooks.simulators.clock import SimulatedClock
from homelab_hooks.simulators.kubernetes.objects import SampleApp, make_deployment, make_pod, make_replica_set
from homelab_hooks.simulators.kubernetes.timeline import RolloutRecording
from homelab_hooks.text.json_fields import Json
from tests.deploy.test_recordings import asked, last_unready
from tests.support.memory_registry import MemoryRegistry, MemoryReleases, as_latest, read_registry

Recorded = Callable[[str], RolloutRecording]
Given = Callable[..., Any]
AUTO = ImageProof(ProofKind.AUTO)
LIVE = ImageProof(ProofKind.LIVE, "https://shop.example.test/version")
OLD = "0aa11bb2" + "0" * 32
SILENT = RegistrySilence(reason="registry.example.test does not answer", hint="check the network", passing=True)


class OutageRegistry(MemoryRegistry):
    """A registry that does not answer until a moment."""

    def __init__(self, answers: Mapping[str, RegistryAnswer], *, until: float, now: Callable[[], float]) -> None:
        super().__init__(answers)
        self._until, self._now = until, now

    def describe_image(self, image: RunningImage, sha: str) -> RegistryAnswer:
        answer = super().describe_image(image, sha)
        return answer if self._now() >= self._until else SILENT


def wanted(request: DeployRequest, played: RolloutRecording, **changes: Any) -> DeployRequest:
    return replace(asked(request, played, "9f2c1a7b"), proof=AUTO, **changes)


def latest(played: RolloutRecording) -> Callable[[float], Sequence[Json]]:
    return lambda t: as_latest(played.at(t))


@pytest.mark.parametrize("watch", [False, True], ids=["polled", "watched"])
@pytest.mark.parametrize("name", ["a-rolling-update", "k-recreate", "n-statefulset", "o-daemonset", "w-first-deploy"])
def test_a_rollout_of_latest_is_proven_by_its_digest(
    *, recording: Recorded, waited: Given, request_: DeployRequest, name: str, watch: bool
) -> None:
    """As soon as that of a tag, and each digest is asked once."""
    played = recording(name)
    registry = read_registry(played)
    over = waited(latest(played), wanted(request_, played), registry=registry, watch=watch)
    assert over.verdict.exit is ExitCode.OK
    assert "identified by the revision of its digest in registry.example.test" in over.verdict.reason
    assert over.verdict.deploys[0].proof == "the revision of its digest in registry.example.test"
    assert over.verdict.deploys[0].image.startswith("registry.example.test/app:latest@sha256:")
    assert last_unready(played, "9f2c1a7b") + request_.settle <= over.ended <= played.end_s + request_.settle + 4
    assert len(set(registry.asked)) == len(registry.asked)


def test_the_old_digest_is_waited_on_until_time_runs_out(
    recording: Recorded, waited: Given, request_: DeployRequest
) -> None:
    played = recording("a-rolling-update")
    request = wanted(request_, played, sha="3c5d7e9f" + "0" * 32)
    over = waited(latest(played), request, registry=read_registry(played))
    assert over.verdict.exit is ExitCode.TIMEOUT
    assert "waiting for 3c5d7e9f" in over.verdict.reason


@pytest.mark.parametrize("watch", [False, True], ids=["polled", "watched"])
def test_pods_that_are_deleted_by_hand_pull_the_new_digest(
    *, waited: Given, request_: DeployRequest, watch: bool
) -> None:
    """The workload never changes, only its pods do; each is replaced ten seconds after the one before."""
    app, old, new = SampleApp(), "sha256:" + "0" * 64, "sha256:" + "9" * 64

    def make(name: str, state: str, digest: str) -> Json:
        pod = make_pod(app, "latest", name, state)
        status = pod["status"]["containerStatuses"][0]
        status["imageID"] = f"{app.repository}@{digest}" if state == "ready" else ""
        return {**pod, "metadata": {**pod["metadata"], "uid": name}}

    def at(t: float) -> list[Json]:
        pods = []
        for index, deleted in enumerate((30.0, 40.0)):
            is_new = t >= deleted
            state = "ready" if not is_new or t >= deleted + 3 else "creating"
            pods.append(make(f"web-{index}-{'new' if is_new else 'old'}", state, new if is_new else old))
        available = sum(pod["status"]["phase"] == "Running" for pod in pods)
        deployment = make_deployment(app, "latest", number=1, generation=1, counts=(2, 2, available))
        return [deployment, make_replica_set(app, "latest", number=1, replicas=2), *pods]

    registry = MemoryRegistry({old: ImageFacts(revisions=(OLD,)), new: ImageFacts(revisions=(request_.sha,))})
    over = waited(at, replace(request_, proof=AUTO, timeout=120.0), registry=registry, watch=watch)
    assert over.verdict.exit is ExitCode.OK
    assert over.verdict.deploys[0].image.endswith(new)
    assert 43.0 + request_.settle <= over.ended <= 43.0 + request_.settle + (2.0 if watch else 6.0)
    blocked = [event.reason for _, event in over.events if isinstance(event, Waiting)]
    assert any(f"has another image, registry.example.test/app:latest@{old[:19]}" in text for text in blocked)


@pytest.mark.parametrize(("revision", "exit_"), [("ours", ExitCode.OK), ("old", ExitCode.ROLLOUT_UNPROVEN)])
def test_a_workload_that_is_created_again_is_judged_once_its_digest_is_known(
    waited: Given, request_: DeployRequest, revision: str, exit_: ExitCode
) -> None:
    """Its pods have no digest at first, which shows nothing."""
    app, new = SampleApp(replicas=1), "sha256:" + "9" * 64
    other = "sha256:" + "8" * 64

    def at(t: float) -> list[Json]:
        is_again, is_ready = t >= 5.0, not 5.0 <= t < 12.0
        pod = make_pod(app, "latest", "web-0", "ready" if is_ready else "creating")
        digest = other if is_again else new
        pod["status"]["containerStatuses"][0]["imageID"] = f"{app.repository}@{digest}" if is_ready else ""
        deployment = make_deployment(app, "latest", number=1, generation=1, counts=(1, 1, int(is_ready)))
        objects = [deployment, make_replica_set(app, "latest", number=1, replicas=1), pod]
        text = json.dumps(objects)
        for each in objects if is_again else ():
            text = text.replace(each["metadata"]["uid"], f"again-{each['kind']}")
        found: list[Json] = json.loads(text)
        return found

    again = request_.sha if revision == "ours" else OLD
    registry = MemoryRegistry({new: ImageFacts(revisions=(request_.sha,)), other: ImageFacts(revisions=(again,))})
    over = waited(at, replace(request_, proof=AUTO, settle=6.0), registry=registry)
    assert over.verdict.exit is exit_
    assert over.ended >= 12.0 + (6.0 if exit_ is ExitCode.OK else 0.0)


def test_a_rollback_of_latest_is_a_failure(recording: Recorded, waited: Given, request_: DeployRequest) -> None:
    """The tag is the same; the digest tells the two images apart."""
    played = recording("l-rollback-midway")
    ours = ImageFacts(revisions=("510f5a17" + "0" * 32,))
    registry = read_registry(played)
    new = extract_digest(next(digest for digest, facts in registry.answers.items() if facts == ours))
    assert new
    over = waited(
        latest(played), replace(wanted(request_, played), sha="510f5a17" + "0" * 32), registry=registry, watch=False
    )
    assert over.verdict.exit is ExitCode.ROLLOUT_FAILED
    assert "rolled back to" in over.verdict.reason


def test_a_registry_that_refuses_is_unproven_at_once(
    recording: Recorded, waited: Given, request_: DeployRequest
) -> None:
    played = recording("s-latest-restart")
    over = waited(played.at, wanted(request_, played), registry=MemoryRegistry({}))
    assert over.verdict.exit is ExitCode.ROLLOUT_UNPROVEN
    assert over.ended < 1.0
    assert "app:latest names no commit; registry.example.test does not know the image" in over.verdict.reason


@pytest.mark.parametrize("unreachable", [20.0, 600.0], ids=["for the unreachable-timeout", "until time runs out"])
def test_a_registry_that_does_not_answer_is_unproven_only_if_that_lasts(
    recording: Recorded, waited: Given, request_: DeployRequest, unreachable: float
) -> None:
    played, clock = recording("a-rolling-update"), SimulatedClock()
    request = wanted(request_, played, unreachable=unreachable)
    facts = read_registry(played).answers
    over = waited(latest(played), request, time=clock, registry=OutageRegistry(facts, until=10.0, now=clock.now))
    assert over.verdict.exit is ExitCode.OK
    clock = SimulatedClock()
    over = waited(latest(played), request, time=clock, registry=OutageRegistry(facts, until=1e9, now=clock.now))
    assert over.verdict.exit is ExitCode.ROLLOUT_UNPROVEN
    assert "registry.example.test does not answer" in over.verdict.reason
    assert over.ended == pytest.approx(min(unreachable, request.timeout), abs=13.0)


def test_one_pod_that_keeps_another_digest_holds_the_rollout(
    recording: Recorded, waited: Given, request_: DeployRequest
) -> None:
    """A node that has the old `latest` does not pull it again."""
    played = recording("a-rolling-update")
    old = next(
        digest for digest, facts in read_registry(played).answers.items() if facts == ImageFacts(revisions=(OLD,))
    )

    def stale(t: float) -> list[Json]:
        objects = deepcopy(as_latest(played.at(t)))
        pods = [each for each in objects if each["kind"] == "Pod"]
        for status in pods[-1]["status"].get("containerStatuses") or () if pods else ():
            status["imageID"] = f"registry.example.test/app@{old}" if status.get("imageID") else ""
        return objects

    over = waited(stale, wanted(request_, played), registry=read_registry(played))
    assert over.verdict.exit is ExitCode.TIMEOUT
    assert "has another image, registry.example.test/app:latest@sha256:" in over.verdict.reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [("i-paused", "the Deployment is paused"), ("n3-statefulset-ondelete", "the update strategy is OnDelete")],
)
def test_what_keeps_new_pods_from_starting_is_said_before_their_digest_is_known(
    recording: Recorded, waited: Given, request_: DeployRequest, name: str, reason: str
) -> None:
    played = recording(name)
    over = waited(latest(played), wanted(request_, played), registry=read_registry(played))
    assert over.verdict.exit is ExitCode.OK
    waits = [event.detail for _, event in over.events if isinstance(event, RolloutChanged) and event.phase == "waiting"]
    assert any(reason in text for text in waits)


def test_a_release_is_proven_by_its_git_tag(recording: Recorded, waited: Given, request_: DeployRequest) -> None:
    """The old one is waited on, and no registry is asked."""
    played = recording("a-rolling-update")
    names = {"9f2c1a7b": "v1.4.2", "0aa11bb2": "1.4.1"}
    releases = MemoryReleases(
        {
            name: ReleaseTag((TagPlace(f"v{name.removeprefix('v')}", "at origin", sha.ljust(40, "0")),))
            for sha, name in names.items()
        }
    )
    registry = MemoryRegistry({})

    def renamed(t: float) -> list[Json]:
        text = json.dumps(list(played.at(t)))
        for sha, name in names.items():
            text = text.replace(f"app:{sha}", f"app:{name}")
        objects: list[Json] = json.loads(text)
        return objects

    over = waited(renamed, wanted(request_, played), releases=releases, registry=registry)
    assert over.verdict.exit is ExitCode.OK
    assert over.verdict.reason.endswith("runs registry.example.test/app:v1.4.2 (identified by release v1.4.2)")
    assert registry.asked == []
    waits = [event.detail for _, event in over.events if isinstance(event, RolloutChanged) and event.phase == "waiting"]
    assert any("app:1.4.1" in text for text in waits)


def test_the_answer_of_the_service_is_asked_until_the_rollout_is_stable(
    recording: Recorded, waited: Given, request_: DeployRequest
) -> None:
    """Old and new replicas answer in turn while they are replaced; that is not a rollback."""
    played, clock = recording("a-rolling-update"), SimulatedClock()
    questions = 0

    def live() -> LiveAnswer:
        nonlocal questions
        questions += 1
        if clock.now() < played.end_s / 2 or (clock.now() < played.end_s and questions % 2):
            return LiveAnswer(Shown.OTHER, "the service answers with 0aa11bb2")
        return LiveAnswer(Shown.OURS, "the service answers with 9f2c1a7b")

    request = replace(wanted(request_, played), proof=LIVE)
    over = waited(latest(played), request, time=clock, live=live)
    assert over.verdict.exit is ExitCode.OK
    assert "identified by the answer of https://shop.example.test/version" in over.verdict.reason
    assert over.ended >= last_unready(played, "9f2c1a7b") + request_.settle


def test_the_service_is_asked_once_for_each_poll(recording: Recorded, waited: Given, request_: DeployRequest) -> None:
    """Also when its answer is the commit, so that the pods are read too."""
    played, clock = recording("a-rolling-update"), SimulatedClock()
    asked_at: list[float] = []

    def live() -> LiveAnswer:
        asked_at.append(clock.now())
        return LiveAnswer(Shown.OURS, "the service answers with 9f2c1a7b")

    over = waited(latest(played), replace(wanted(request_, played), proof=LIVE), time=clock, live=live)
    assert over.verdict.exit is ExitCode.OK
    assert len(asked_at) > 1
    assert min(after - before for before, after in pairwise(asked_at)) >= 1.0  # no two in one poll


@pytest.mark.parametrize(
    ("shown", "exit_"),
    [
        (Shown.OTHER, ExitCode.TIMEOUT),
        (Shown.NAMELESS, ExitCode.ROLLOUT_UNPROVEN),
        (Shown.SILENT, ExitCode.ROLLOUT_UNPROVEN),
    ],
)
def test_a_service_that_never_names_the_commit_ends_by_what_it_showed_last(
    recording: Recorded, waited: Given, request_: DeployRequest, shown: Shown, exit_: ExitCode
) -> None:
    played = recording("a-rolling-update")
    request = replace(wanted(request_, played), proof=LIVE)
    over = waited(latest(played), request, live=lambda: LiveAnswer(shown, "seen"))
    assert over.verdict.exit is exit_
    assert "https://shop.example.test/version" in over.verdict.reason
    assert not any(isinstance(event, Waiting) and "fail" in event.reason for _, event in over.events)
