"""Asks git, the registry, and the service what a snapshot's images are; remembers what does not change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Protocol, assert_never

from homelab_hooks.deploy.kubernetes.commit_match import find_questions
from homelab_hooks.deploy.kubernetes.evidence import (
    CompareCommit,
    DescribeImage,
    Evidence,
    FindRelease,
    Question,
    ReadLiveAnswer,
)
from homelab_hooks.deploy.kubernetes.snapshot import Snapshot
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.git.containment import Containment, ContainmentCheck
from homelab_hooks.git.release_tags import ReleaseTag, ReleaseTags
from homelab_hooks.net.live import LiveAnswer, Shown
from homelab_hooks.registry.answer import ImageFacts, ImageRegistry, RegistryAnswer, RegistrySilence, RunningImage

FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 30.0
"""seconds before a registry that did not answer is asked again; doubled each time"""
_MAX_ROUNDS = 6
"""rounds of questions about one snapshot: names, releases and their commits, images and their commits"""


class LiveReader(Protocol):
    """Asks the running service."""

    def __call__(self) -> LiveAnswer:
        """Return what its answer shows about the expected commit; never raises."""


class EvidenceSource:
    """Completes snapshots with the answers that their images need.

    The commit of a digest never changes, so each digest that has one is asked once. What failed and may succeed is
    asked again with the polls of the rollout, after a pause.

    Args:
        contains: asks git whether a commit contains the expected one.
        now: the clock.
        releases: finds release tags.
        registry: describes images.
        live: asks the running service, if that is the proof.
    """

    def __init__(
        self,
        contains: ContainmentCheck,
        *,
        now: Callable[[], float],
        releases: ReleaseTags | None = None,
        registry: ImageRegistry | None = None,
        live: LiveReader | None = None,
    ) -> None:
        self._contains, self._now = contains, now
        self._releases, self._registry, self._live = releases, registry, live
        self._containment: dict[tuple[str, str], Containment] = {}
        self._images: dict[tuple[RunningImage, str], RegistryAnswer] = {}
        self._retries: dict[tuple[RunningImage, str], tuple[float, float]] = {}

    def complete(self, snapshot: Snapshot, expectation: Expectation) -> Snapshot:
        """Return the snapshot with every answer that matching it needs."""
        for _ in range(_MAX_ROUNDS):
            questions = find_questions(snapshot, expectation)
            if not questions:
                break
            evidence = snapshot.evidence
            for question in questions:
                evidence = self._answer(evidence, question, expectation.sha)
            snapshot = replace(snapshot, evidence=evidence)
        return snapshot

    def _answer(self, evidence: Evidence, question: Question, sha: str) -> Evidence:
        """Return the evidence with the answer to one question."""
        match question:
            case CompareCommit(name):
                return replace(evidence, containment={**evidence.containment, name: self.compare_commit(name, sha)})
            case FindRelease(name):
                found = self._releases.find_release(name) if self._releases else ReleaseTag()
                return replace(evidence, releases={**evidence.releases, name: found})
            case DescribeImage(image):
                return replace(evidence, images={**evidence.images, image: self._describe(image, sha)})
            case ReadLiveAnswer():
                answer = self._live() if self._live else LiveAnswer(Shown.SILENT, "it is not asked")
                return replace(evidence, live=answer)
            case _:
                assert_never(question)

    def compare_commit(self, name: str, sha: str) -> Containment:
        """Return whether a commit contains the one with this SHA; one that could not be compared is compared again."""
        if not self._containment.get((name, sha), Containment.UNKNOWN).is_known:
            self._containment[name, sha] = self._contains(newer=name, ours=sha)
        return self._containment[name, sha]

    def _describe(self, image: RunningImage, sha: str) -> RegistryAnswer:
        known, key = self._images.get((image, sha)), (image, sha)
        retry_at, pause = self._retries.get(key, (-inf, FIRST_PAUSE_S))
        if known is not None and self._now() < retry_at:
            return known
        if self._registry is None:
            return RegistrySilence(reason=f"no registry can be asked about {image.reference}")
        answer = self._registry.describe_image(image, sha)
        self._images[key] = answer
        is_final = not answer.passing if isinstance(answer, RegistrySilence) else _names_commit(answer)
        self._retries[key] = (inf, pause) if is_final else (self._now() + pause, min(LONGEST_PAUSE_S, 2 * pause))
        return answer


def _names_commit(facts: ImageFacts) -> bool:
    """Return whether the registry has a commit for the image; else CI may push the tag of the commit later."""
    return facts.is_commit_tag or bool(facts.revisions)
