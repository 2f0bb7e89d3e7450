"""Image proofs: where the image of a workload, or the workload itself, names a commit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from homelab_hooks.errors import CommandError
from homelab_hooks.kubectl.model import Container, Workload

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class TagProof:
    """The image's tag names the commit."""

    def __str__(self) -> str:
        return "tag"

    def find_name(self, workload: Workload, container: Container) -> str | None:
        """Return the tag; empty for an image without one."""
        del workload
        return extract_tag(container.image)


@dataclass(frozen=True, slots=True)
class AnnotationProof:
    """An annotation of the pod template, else of the workload, names the commit."""

    key: str

    def __str__(self) -> str:
        return f"annotation:{self.key}"

    def find_name(self, workload: Workload, container: Container) -> str | None:
        """Return the annotation's value; None where it is absent or empty."""
        del container
        return workload.template.annotations.get(self.key) or workload.annotations.get(self.key) or None


@dataclass(frozen=True, slots=True)
class LabelProof:
    """A label of the pod template, else of the workload, names the commit."""

    key: str

    def __str__(self) -> str:
        return f"label:{self.key}"

    def find_name(self, workload: Workload, container: Container) -> str | None:
        """Return the label's value; None where it is absent or empty."""
        del container
        return workload.template.labels.get(self.key) or workload.labels.get(self.key) or None


@dataclass(frozen=True, slots=True)
class EnvProof:
    """An environment variable in the template's containers names the commit."""

    name: str

    def __str__(self) -> str:
        return f"env:{self.name}"

    def find_name(self, workload: Workload, container: Container) -> str | None:
        """Return the variable's value; None where the container has no such variable."""
        del workload
        return container.env.get(self.name)


@dataclass(frozen=True, slots=True)
class DigestProof:
    """The image that runs has this digest; no commit is named."""

    digest: str

    def __str__(self) -> str:
        return f"digest:{self.digest}"


Proof = TagProof | AnnotationProof | LabelProof | EnvProof | DigestProof


def parse_proof(text: str) -> Proof:
    """Return the proof that `--image-proof` names; the empty text means the tag.

    >>> parse_proof("annotation:example.test/commit")
    AnnotationProof(key='example.test/commit')
    >>> parse_proof("")
    TagProof()

    Raises:
        CommandError: the text has none of the forms.
    """
    if text.strip() in {"", "tag"}:
        return TagProof()
    kind, _, value = text.strip().partition(":")
    match kind, value:
        case "annotation", value if value:
            return AnnotationProof(value)
        case "label", value if value:
            return LabelProof(value)
        case "env", value if value:
            return EnvProof(value)
        case "digest", value if _DIGEST.fullmatch(value):
            return DigestProof(value)
        case _:
            raise CommandError(
                f"{text!r} is not an image proof",
                hint="expected tag, annotation:KEY, label:KEY, env:NAME, or digest:sha256:64-DIGITS",
            )


def extract_tag(reference: str) -> str:
    """Return the tag of an image reference; empty if it has none.

    >>> extract_tag("registry.example.test:5000/deadbeef/app:1.2-9f2c1a7b@sha256:00")
    '1.2-9f2c1a7b'
    >>> extract_tag("registry.example.test:5000/app")
    ''
    """
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[2]


def extract_digest(reference: str) -> str:
    """Return the sha256 digest in an image reference or a pod's imageID; empty if there is none.

    >>> extract_digest("registry.example.test/app@sha256:" + "0" * 64)[:10]
    'sha256:000'
    """
    found = _DIGEST.search(reference)
    return found.group() if found else ""
