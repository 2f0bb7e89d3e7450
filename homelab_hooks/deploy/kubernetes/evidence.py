"""The facts from outside the cluster that show an image's commit, and the questions that they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from homelab_hooks.git.containment import Containment
from homelab_hooks.git.release_tags import ReleaseTag
from homelab_hooks.net.live import LiveAnswer
from homelab_hooks.registry.answer import RegistryAnswer, RunningImage


@dataclass(frozen=True, slots=True)
class CompareCommit:
    """Does this commit contain the expected one?"""

    name: str


@dataclass(frozen=True, slots=True)
class FindRelease:
    """Which commit is the git tag that this image tag names?"""

    name: str


@dataclass(frozen=True, slots=True)
class DescribeImage:
    """What does the registry have about this image?"""

    image: RunningImage


@dataclass(frozen=True, slots=True)
class ReadLiveAnswer:
    """Which commit does the running service answer with?"""


Question = CompareCommit | FindRelease | DescribeImage | ReadLiveAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The answers for one snapshot; a question that was not asked is absent."""

    containment: Mapping[str, Containment] = field(default_factory=dict)
    """by the commit's name: whether it contains the expected one"""
    releases: Mapping[str, ReleaseTag] = field(default_factory=dict)
    """by the image's tag"""
    images: Mapping[RunningImage, RegistryAnswer] = field(default_factory=dict)
    live: LiveAnswer | None = None


class FactReader:
    """Reads answers, and collects the questions that have none yet."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.questions: dict[Question, None] = {}

    def compare(self, name: str) -> Containment:
        """Return whether a commit contains the expected one."""
        if name not in self._evidence.containment:
            self.questions[CompareCommit(name)] = None
        return self._evidence.containment.get(name, Containment.UNKNOWN)

    def find_release(self, name: str) -> ReleaseTag | None:
        """Return the git tag that an image tag names; None until it is asked."""
        if name not in self._evidence.releases:
            self.questions[FindRelease(name)] = None
        return self._evidence.releases.get(name)

    def describe_image(self, image: RunningImage) -> RegistryAnswer | None:
        """Return what the registry has about an image; None until it is asked."""
        if image not in self._evidence.images:
            self.questions[DescribeImage(image)] = None
        return self._evidence.images.get(image)

    def read_live(self) -> LiveAnswer | None:
        """Return what the service answers; None until it is asked."""
        if self._evidence.live is None:
            self.questions[ReadLiveAnswer()] = None
        return self._evidence.live
