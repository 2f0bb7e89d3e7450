"""What a registry says about an image that pods run, and the question as others see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningImage:
    """An image as the template names it, and the digest that a pod runs."""

    reference: str
    """the template's image, such as `registry.example.test:5000/team/app:latest`"""
    digest: str
    """`sha256:` and 64 digits, from the pod's `imageID`: that of an index or of one platform's manifest"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """What the registry says about a running image."""

    revisions: tuple[str, ...] = ()
    """the values of `org.opencontainers.image.revision` in its labels and annotations, each once"""
    is_commit_tag: bool = False
    """whether `:SHA` (full, or 7 to 12 digits) in the same repository is this image

    The registry is not asked about that if a revision is the commit already.
    """
    commit_tag: str = ""
    """the first tag there that names the commit, whatever image it is; empty: there is none, or it was not asked for"""
    note: str = ""
    """why revisions were left out, such as those of an index whose platforms have different ones"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySilence:
    """Why the registry's facts are missing."""

    reason: str
    """names the registry: it refuses, does not answer, does not know the image, limits the rate"""
    hint: str = ""
    passing: bool = False
    """whether another try may succeed: no answer, a rate limit, a server error"""
    retry_after_s: float | None = None
    """seconds before which the registry is not asked again; the same answer is returned until then"""


RegistryAnswer = ImageFacts | RegistrySilence


class ImageRegistry(Protocol):
    """Answers what is known about an image; one request per question and digest."""

    def describe_image(self, image: RunningImage, sha: str) -> RegistryAnswer:
        """Return what the registry says about the image, given the full commit SHA; never raises."""
