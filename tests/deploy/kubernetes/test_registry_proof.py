"""What the registry proves about the digests that the pods run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.kubernetes.commit_match import find_questions, match_commit
from homelab_hooks.deploy.kubernetes.evidence import DescribeImage, Evidence
from homelab_hooks.deploy.kubernetes.match import (
    CommitMatch,
    EvidencePending,
    NewerCommit,
    NoCommit,
    OtherCommit,
    SameCommit,
)
from homelab_hooks.deploy.kubernetes.snapshot import Snapshot
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.git.containment import Containment
from homelab_hooks.kubectl.model import ContainerState, Pod, ReplicaCounts
from homelab_hooks.registry.answer import ImageFacts, RegistryAnswer, RegistrySilence, RunningImage
from tests.deploy.conftest import SHA, made, pod

IMAGE = "registry.example.test/app:latest"
ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
OLDER, NEWER, BASE = "0aa11bb2" + "0" * 32, "3c5d7e9f" + "0" * 32, "ba5e" * 10
KNOWN = {OLDER: Containment.NOT_CONTAINED, NEWER: Containment.CONTAINS, BASE: Containment.ABSENT}
ASKED = Expectation(sha=SHA, proof=ImageProof(ProofKind.REGISTRY))
OURS = ImageFacts(revisions=(SHA,))


def running(name: str, digest: str, *, revision: str = "web-new", init: str = "", **changes: object) -> Pod:
    """A pod that runs this digest."""
    states = [ContainerState(name="app", init=True, digest=init, manifest_digest=init)] if init else []
    states += [ContainerState(name="app", ready=True, digest=digest, manifest_digest=digest)]
    return pod(name, revision, containers=tuple(states), **changes)


def matched(seen: Snapshot, answers: Mapping[str, RegistryAnswer], expectation: Expectation = ASKED) -> CommitMatch:
    """The match with the registry's answers by digest."""
    images = {RunningImage(reference=IMAGE, digest=digest): answer for digest, answer in answers.items()}
    return match_commit(replace(seen, evidence=Evidence(images=images, containment=KNOWN)), expectation)


@pytest.fixture
def both(snapshot: Callable[..., Snapshot]) -> Snapshot:
    """Two pods of one digest."""
    return snapshot("latest", pods=(running("web-0", ONE), running("web-1", ONE)))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (OURS, SameCommit),
        (ImageFacts(revisions=(SHA[:7],)), SameCommit),
        (ImageFacts(is_commit_tag=True), SameCommit),
        (ImageFacts(revisions=(OLDER,), is_commit_tag=True), SameCommit),
        (ImageFacts(revisions=(BASE, SHA)), SameCommit),
        (ImageFacts(revisions=(NEWER,)), NewerCommit),
        (ImageFacts(revisions=(OLDER,)), OtherCommit),
        (ImageFacts(revisions=(BASE,)), OtherCommit),
        (ImageFacts(revisions=(OLDER, SHA)), NoCommit),
        (ImageFacts(revisions=("f" * 40, SHA)), OtherCommit),
        (ImageFacts(revisions=("main",)), NoCommit),
        (ImageFacts(revisions=(f"{SHA}-dirty",)), NoCommit),
        (ImageFacts(), NoCommit),
        (RegistrySilence(reason="registry.example.test refuses"), NoCommit),
        (RegistrySilence(reason="registry.example.test does not answer", passing=True), EvidencePending),
    ],
)
def test_what_the_registry_has_about_the_digest_decides(both: Snapshot, facts: RegistryAnswer, expected: type) -> None:
    found = matched(both, {ONE: facts})
    assert isinstance(found, expected)
    assert found.image == f"{IMAGE}@{ONE}"


def test_the_evidence_is_named(both: Snapshot) -> None:
    found = matched(both, {ONE: OURS})
    assert isinstance(found, SameCommit)
    assert found.proof == "the revision of its digest in registry.example.test"
    found = matched(both, {ONE: ImageFacts(note="its platforms have different revisions")})
    assert isinstance(found, NoCommit)
    assert found.reason.endswith(": its platforms have different revisions")
    found = matched(both, {ONE: ImageFacts(is_commit_tag=True)})
    assert isinstance(found, SameCommit)
    assert found.proof == "its digest, which is that of the tag 9f2c1a7b in registry.example.test"


def test_only_the_digest_is_asked_and_once_for_all_pods(both: Snapshot) -> None:
    """The tag may have been moved since the pods pulled it."""
    assert find_questions(both, ASKED) == (DescribeImage(RunningImage(reference=IMAGE, digest=ONE)),)


def test_one_pod_of_another_digest_holds_the_rollout_back(snapshot: Callable[..., Snapshot]) -> None:
    seen = snapshot("latest", pods=(running("web-0", ONE), running("web-1", TWO)))
    for other in (ImageFacts(revisions=(OLDER,)), ImageFacts(), RegistrySilence(reason="it does not know the image")):
        found = matched(seen, {ONE: OURS, TWO: other})
        assert isinstance(found, SameCommit)
        assert "pod web-1 has another image" in found.mixed
    assert isinstance(matched(seen, {ONE: ImageFacts(revisions=(OLDER,)), TWO: ImageFacts()}), OtherCommit)


def test_a_pod_without_a_digest_is_waited_for(snapshot: Callable[..., Snapshot]) -> None:
    found = matched(snapshot("latest", pods=(running("web-0", ONE), running("web-1", ""))), {ONE: OURS})
    assert isinstance(found, SameCommit)
    assert found.mixed == "pod web-1 has no image digest yet"
    assert isinstance(matched(snapshot("latest", pods=(running("web-0", ""),)), {}), EvidencePending)
    assert isinstance(matched(snapshot("latest", pods=()), {}), EvidencePending)
    starting = snapshot("latest", pods=(running("web-0", ONE), running("web-1", "")))
    assert isinstance(matched(starting, {ONE: ImageFacts()}), EvidencePending)
    assert isinstance(matched(starting, {ONE: ImageFacts(revisions=(OLDER,))}), OtherCommit)


def test_pods_of_another_revision_and_terminating_ones_prove_nothing(snapshot: Callable[..., Snapshot]) -> None:
    gone = (running("web-0", ONE, terminating=True), running("web-1", ONE, revision="web-old"))
    assert isinstance(matched(snapshot("latest", pods=gone), {ONE: OURS}), EvidencePending)


def test_an_init_container_proves_nothing(snapshot: Callable[..., Snapshot]) -> None:
    seen = snapshot("latest", pods=(running("web-0", TWO, init=ONE),))
    answers = {ONE: OURS, TWO: ImageFacts(revisions=(OLDER,))}
    assert isinstance(matched(seen, answers), OtherCommit)
    assert isinstance(match_commit(seen, replace(ASKED, proof=ImageProof(ProofKind.DIGEST, ONE))), OtherCommit)


def test_an_image_that_was_not_pulled_is_unknown_to_every_registry(snapshot: Callable[..., Snapshot]) -> None:
    local = ContainerState(name="app", ready=True, digest=ONE)
    found = matched(snapshot("latest", pods=(pod("web-0", containers=(local,)),)), {ONE: OURS})
    assert isinstance(found, NoCommit)
    assert "was not pulled from a registry" in found.reason


def test_a_digest_in_the_template_needs_no_pod(snapshot: Callable[..., Snapshot]) -> None:
    pinned = f"latest@{ONE}"
    image = f"registry.example.test/app:{pinned}"
    seen = replace(snapshot(pinned), pods=(), without_pods=True)
    answers = {RunningImage(reference=image, digest=ONE): OURS}
    found = match_commit(replace(seen, evidence=Evidence(images=answers)), ASKED)
    assert isinstance(found, SameCommit)
    assert (found.image, found.mixed) == (image, "")


def test_without_the_pods_a_moving_tag_shows_nothing(snapshot: Callable[..., Snapshot]) -> None:
    found = match_commit(replace(snapshot("latest"), without_pods=True), ASKED)
    assert isinstance(found, EvidencePending)
    assert found.needs_pods


def test_a_template_without_pods_shows_its_digest_or_nothing(snapshot: Callable[..., Snapshot]) -> None:
    """A CronJob has pods only while it runs."""
    seen = replace(snapshot("latest"), without_pods=True, is_template_only=True)
    assert isinstance(match_commit(seen, ASKED), NoCommit)
    assert find_questions(replace(seen, workload=snapshot(f"latest@{ONE}").workload), ASKED) != ()


def test_a_workload_scaled_to_zero_shows_no_digest(snapshot: Callable[..., Snapshot]) -> None:
    none = ReplicaCounts(desired=0, total=0, updated=0, available=0)
    found = matched(snapshot("latest", pods=(), counts=none), {})
    assert isinstance(found, NoCommit)
    assert found.final


def test_before_the_controller_has_observed_the_change_old_pods_prove_nothing(both: Snapshot) -> None:
    unseen = replace(both, workload=replace(both.workload, generation=3))
    assert isinstance(matched(unseen, {ONE: OURS}), EvidencePending)
    other = replace(both, workload=replace(both.workload, template=made("latest2")))
    assert isinstance(matched(other, {ONE: OURS}), EvidencePending)


def test_with_exact_a_newer_revision_does_not_count(both: Snapshot) -> None:
    exact = replace(ASKED, exact=True)
    assert isinstance(matched(both, {ONE: ImageFacts(revisions=(NEWER,))}, exact), OtherCommit)
    assert isinstance(matched(both, {ONE: ImageFacts(revisions=(BASE, SHA))}, exact), SameCommit)
