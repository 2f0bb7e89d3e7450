"""Reads image references, and the image IDs of pods."""

from __future__ import annotations

import re

SHOWN_DIGEST_DIGITS = 12
"""digits of a digest in a message, as docker abbreviates it"""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


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


def extract_manifest_digest(image_id: str) -> str:
    """Return the digest of the manifest that a pod's imageID names; empty if it names none.

    containerd writes `REPOSITORY@sha256:...`, and docker `docker-pullable://REPOSITORY@sha256:...`. An image that was
    built or imported on the node has only an image ID, which is the digest of its configuration: no registry has a
    manifest of that digest (`docker://sha256:...`, or the digest alone).

    >>> extract_manifest_digest("docker-pullable://example.test/app@sha256:" + "0" * 64)[:10]
    'sha256:000'
    >>> extract_manifest_digest("docker://sha256:" + "0" * 64)
    ''
    """
    return extract_digest(image_id.rpartition("@")[2]) if "@" in image_id else ""


def shorten_digest(reference: str) -> str:
    """Return an image reference with few digits of its digest, for messages.

    >>> shorten_digest("app:latest@sha256:" + "0123456789abcdef" * 4)
    'app:latest@sha256:0123456789ab'
    """
    name, at, digest = reference.partition("@")
    return f"{name}{at}{digest[: len('sha256:') + SHOWN_DIGEST_DIGITS]}"
