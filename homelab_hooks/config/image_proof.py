"""Parses image proofs: the evidence that shows from which commit a running image was built (docs/deploying.md)."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from homelab_hooks.config.link_spec import LiveTarget, parse_link

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_EXPECTED = (
    "expected auto, tag, release, registry, annotation:KEY, label:KEY, env:NAME, digest:sha256:64-DIGITS, live:URL, "
    "or live:URL#PATH"
)


class ProofKind(StrEnum):
    """What names the commit."""

    AUTO = "auto"
    """the first of tag, release, and registry that names one"""
    TAG = "tag"
    RELEASE = "release"
    """the image's tag is the name of a git tag"""
    REGISTRY = "registry"
    """what the registry has about the digest that runs"""
    ANNOTATION = "annotation"
    LABEL = "label"
    ENV = "env"
    DIGEST = "digest"
    LIVE = "live"
    """the answer of the running service"""


class ImageProof(NamedTuple):
    """An image proof as a setting names it. Fields that the kind does not have are empty."""

    kind: ProofKind
    value: str = ""
    """the key, the variable, the digest, or the URL without its query"""
    live: LiveTarget | None = None

    def __str__(self) -> str:
        """Return the proof for messages, without a URL's query, which may be secret."""
        return f"{self.kind}:{self.value}" if self.value else self.kind.value


def parse_image_proof(text: str) -> ImageProof:
    """Parse an image proof. Raises ValueError with what was expected.

    >>> str(parse_image_proof("annotation:example.test/commit"))
    'annotation:example.test/commit'
    >>> str(parse_image_proof("live:https://shop.example.test/version?key=s3cret#build.commit"))
    'live:https://shop.example.test/version#build.commit'
    """
    text = text.strip()
    name, colon, value = text.partition(":")
    try:
        kind = ProofKind(name)
    except ValueError:
        raise ValueError(_EXPECTED) from None
    match kind:
        case ProofKind.LIVE if value:
            link = parse_link(text)
            return ImageProof(kind, link.name.partition(":")[2], link.live)
        case ProofKind.DIGEST if _DIGEST.fullmatch(value):
            return ImageProof(kind, value)
        case ProofKind.ANNOTATION | ProofKind.LABEL | ProofKind.ENV if value and value.isprintable():
            return ImageProof(kind, value)
        case ProofKind.AUTO | ProofKind.TAG | ProofKind.RELEASE | ProofKind.REGISTRY if not colon:
            return ImageProof(kind)
        case _:
            raise ValueError(_EXPECTED)
