"""The proof that an image, or what is written beside it, names a commit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from homelab_hooks.errors import Problem

_NAME = re.compile(r"g?([0-9a-f]{7,64})")
_SPLIT = re.compile(r"[^0-9A-Za-z]+")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ByTag:
    """The image's tag names the commit."""

    def __str__(self) -> str:
        return "tag"


@dataclass(frozen=True, slots=True)
class ByAnnotation:
    """An annotation of the pod template, else of the workload, names the commit."""

    key: str

    def __str__(self) -> str:
        return f"annotation:{self.key}"


@dataclass(frozen=True, slots=True)
class ByLabel:
    """A label of the pod template, else of the workload, names the commit."""

    key: str

    def __str__(self) -> str:
        return f"label:{self.key}"


@dataclass(frozen=True, slots=True)
class ByEnv:
    """An environment variable in the template's containers names the commit."""

    name: str

    def __str__(self) -> str:
        return f"env:{self.name}"


@dataclass(frozen=True, slots=True)
class ByDigest:
    """The image that runs has this digest; no commit is named."""

    digest: str

    def __str__(self) -> str:
        return f"digest:{self.digest}"


Proof = ByTag | ByAnnotation | ByLabel | ByEnv | ByDigest


def parse_proof(text: str) -> Proof:
    """What `--image-proof` asks for; the empty text means the tag.

    >>> parse_proof("annotation:example.test/commit")
    ByAnnotation(key='example.test/commit')
    >>> parse_proof("")
    ByTag()

    Raises:
        Problem: the text is none of the forms.
    """
    if text.strip() in {"", "tag"}:
        return ByTag()
    kind, _, value = text.strip().partition(":")
    match kind, value:
        case "annotation", value if value:
            return ByAnnotation(value)
        case "label", value if value:
            return ByLabel(value)
        case "env", value if value:
            return ByEnv(value)
        case "digest", value if _DIGEST.fullmatch(value):
            return ByDigest(value)
        case _:
            raise Problem(
                f"{text!r} is no image proof",
                hint="write tag, annotation:KEY, label:KEY, env:NAME or digest:sha256:64-DIGITS",
            )


def tag(reference: str) -> str:
    """The tag of an image reference; empty where it has none.

    >>> tag("registry.example.test:5000/deadbeef/app:1.2-9f2c1a7b@sha256:00")
    '1.2-9f2c1a7b'
    >>> tag("registry.example.test:5000/app")
    ''
    """
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[2]


def digest(reference: str) -> str:
    """The sha256 digest in an image reference or in an imageID of a pod; empty where there is none.

    >>> digest("registry.example.test/app@sha256:" + "0" * 64)[:10]
    'sha256:000'
    """
    found = _DIGEST.search(reference)
    return found.group() if found else ""


def commits(text: str) -> tuple[str, ...]:
    """The tokens of a tag (or of another proof's value) that can name a commit, in their order.

    A token is 7 to 64 hexadecimal digits in lower case between characters that are neither letters nor digits;
    a `g` before them is dropped, as git describe writes it.

    >>> commits("v1.2.3-4-g9f2c1a7b"), commits("sha-9f2c1a7b"), commits("latest"), commits("x9f2c1a7b")
    (('9f2c1a7b',), ('9f2c1a7b',), (), ())
    """
    found = (_NAME.fullmatch(token) for token in _SPLIT.split(text))
    return tuple(match.group(1) for match in found if match)


def dirty(text: str) -> bool:
    """Whether it says that it was built from a work tree with changes: such an image proves nothing.

    >>> dirty("9f2c1a7b-dirty"), dirty("9f2c1a7b-quickndirty")
    (True, False)
    """
    return "dirty" in _SPLIT.split(text.casefold())


def names(text: str, sha: str) -> bool:
    """Whether a tag (or another proof's value) names this commit.

    >>> sha = "9f2c1a7b" + "0" * 32
    >>> names("main-9f2c1a7b", sha), names("9f2c1a", sha), names("9f2c1a7b-dirty", sha), names("9f2c1a7c", sha)
    (True, False, False, False)
    """
    return not dirty(text) and any(sha.startswith(token) for token in commits(text))
