"""What is asked about images, how often, and what is remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.kubernetes.commit_match import match_commit
from homelab_hooks.deploy.kubernetes.evidence_source import FIRST_PAUSE_S, EvidenceSource
from homelab_hooks.deploy.kubernetes.match import EvidencePending, NoCommit, SameCommit
from homelab_hooks.deploy.kubernetes.snapshot import Snapshot
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.git.containment import Containment
from homelab_hooks.registry.answer import ImageFacts, RegistryAnswer, RegistrySilence, RunningImage
from tests.deploy.conftest import SHA
from tests.support.clock import FakeClock

ASKED = Expectation(sha=SHA, proof=ImageProof(ProofKind.REGISTRY))
BUSY = RegistrySilence(reason="registry.example.test limits the rate", passing=True)


@dataclass
class FlakyRegistry:
    """Gives one answer to all questions, and counts them."""

    answer: RegistryAnswer
    questions: int = 0

    def describe_image(self, image: RunningImage, sha: str) -> RegistryAnswer:
        del image, sha
        self.questions += 1
        return self.answer


def contains(*, newer: str, ours: str) -> Containment:
    raise AssertionError((newer, ours))


def test_a_digest_is_asked_once_if_the_answer_is_final(snapshot: Callable[..., Snapshot]) -> None:
    for answer in (ImageFacts(revisions=(SHA,)), RegistrySilence(reason="registry.example.test refuses")):
        clock, registry = FakeClock(), FlakyRegistry(answer)
        source = EvidenceSource(contains, now=clock.now, registry=registry)
        for _ in range(3):
            found = match_commit(source.complete(snapshot("latest"), ASKED), ASKED)
            assert isinstance(found, SameCommit | NoCommit)
            clock.sleep(1000.0)
        assert registry.questions == 1


def test_a_registry_that_does_not_answer_is_asked_again_after_growing_pauses(
    snapshot: Callable[..., Snapshot],
) -> None:
    clock, registry = FakeClock(), FlakyRegistry(BUSY)
    source = EvidenceSource(contains, now=clock.now, registry=registry)
    for _ in range(180):
        assert isinstance(match_commit(source.complete(snapshot("latest"), ASKED), ASKED), EvidencePending)
        clock.sleep(1.0)
    assert registry.questions == 8
    registry.answer = ImageFacts(revisions=(SHA,))
    clock.sleep(6 * FIRST_PAUSE_S)
    assert isinstance(match_commit(source.complete(snapshot("latest"), ASKED), ASKED), SameCommit)


def test_an_image_without_a_commit_is_asked_again(snapshot: Callable[..., Snapshot]) -> None:
    """CI may push the tag of the commit after the moving one."""
    clock, registry = FakeClock(), FlakyRegistry(ImageFacts())
    source = EvidenceSource(contains, now=clock.now, registry=registry)
    assert isinstance(match_commit(source.complete(snapshot("latest"), ASKED), ASKED), NoCommit)
    registry.answer = ImageFacts(is_commit_tag=True)
    clock.sleep(FIRST_PAUSE_S)
    assert isinstance(match_commit(source.complete(snapshot("latest"), ASKED), ASKED), SameCommit)


def test_what_has_no_source_is_not_known(snapshot: Callable[..., Snapshot]) -> None:
    source = EvidenceSource(contains, now=FakeClock().now)
    for kind, tag in ((ProofKind.REGISTRY, "latest"), (ProofKind.RELEASE, "v1.4.2"), (ProofKind.LIVE, "latest")):
        expectation = replace(ASKED, proof=ImageProof(kind, "https://shop.example.test/version"))
        found = match_commit(source.complete(snapshot(tag), expectation), expectation)
        assert not isinstance(found, SameCommit)
