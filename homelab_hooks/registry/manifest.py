"""Parses manifests, indexes, and image configurations, each checked against the digest that named it.

Sources: "Image Manifest", "Image Index", and "Annotations" of the OCI image specification; "Image Manifest V 2,
Schema 2" of docker; for attestations BuildKit's "Image attestation storage". Registry recordings 02-gitea-manifests and
10-distribution-anonymous.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import NamedTuple

from homelab_hooks.registry.reference import DIGEST
from homelab_hooks.text.json_fields import Json, UnexpectedShape, read_list, read_object, read_text
from homelab_hooks.text.sanitize import replace_control_chars

REVISION_KEY = "org.opencontainers.image.revision"
MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""all are asked for: a registry hides manifests of other types (registry recording 10-distribution-anonymous)"""
MAX_REVISION_CHARS = 128
_REFERENCE_TYPE_KEY = "vnd.docker.reference.type"
_UNKNOWN = "unknown"


class PlatformEntry(NamedTuple):
    """An image of an index: the digest of its manifest, and the revision in the annotations of the entry."""

    digest: str
    revision: str = ""


@dataclass(frozen=True, slots=True)
class ImageManifest:
    """The manifest of an image for one platform."""

    digest: str
    config_digest: str
    revision: str = ""
    """of its annotations; empty if there is none"""


@dataclass(frozen=True, slots=True)
class ImageIndex:
    """The images for several platforms; attestations are left out."""

    digest: str
    platforms: tuple[PlatformEntry, ...]
    revision: str = ""
    """of its annotations; empty if there is none"""


class ManifestFault(NamedTuple):
    """Why a manifest or a configuration cannot be used."""

    reason: str


def compute_digest(body: bytes) -> str:
    """Return the digest that names some content."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def parse_manifest(body: bytes, digest: str) -> ImageManifest | ImageIndex | ManifestFault:
    """Return the manifest or index with this digest."""
    json = _read_verified(body, digest)
    if isinstance(json, ManifestFault):
        return json
    try:
        if ("manifests" in json) == ("config" in json):
            return ManifestFault("is neither the manifest of an image nor an index of them")
        revision = _read_revision(json.get("annotations"))
        if "config" in json:
            return ImageManifest(digest, _read_digest(read_object(json["config"])), revision)
        entries = read_list(json["manifests"], read_object)
        platforms = tuple(
            PlatformEntry(_read_digest(entry), _read_revision(entry.get("annotations")))
            for entry in entries
            if _is_platform(entry)
        )
        return ImageIndex(digest, platforms, revision)
    except UnexpectedShape as error:
        return ManifestFault(f"is malformed: {error}")


def parse_config_revision(body: bytes, digest: str) -> str | ManifestFault:
    """Return the revision in the labels of an image's configuration; empty if there is none."""
    json = _read_verified(body, digest)
    if isinstance(json, ManifestFault):
        return json
    try:
        return _read_revision(read_object(json.get("config") or {}).get("Labels"))
    except UnexpectedShape as error:
        return ManifestFault(f"is malformed: {error}")


def _read_verified(body: bytes, digest: str) -> Json | ManifestFault:
    if compute_digest(body) != digest:
        return ManifestFault("is not the content that its digest names")
    try:
        return read_object(json.loads(body))
    except (ValueError, RecursionError):
        return ManifestFault("is not a JSON object")


def _is_platform(entry: Json) -> bool:
    """Return whether an entry of an index is an image, and not an attestation or another artifact."""
    platform = read_object(entry.get("platform") or {})
    is_attestation = _REFERENCE_TYPE_KEY in read_object(entry.get("annotations") or {})
    is_unknown = read_text(platform, "os") == _UNKNOWN and read_text(platform, "architecture") == _UNKNOWN
    has_other_type = read_text(entry, "mediaType") not in ("", *MANIFEST_TYPES) or "artifactType" in entry
    return not (is_attestation or is_unknown or has_other_type)


def _read_digest(descriptor: Json) -> str:
    digest = read_text(descriptor, "digest", required=True)
    if not DIGEST.fullmatch(digest):
        raise UnexpectedShape("digest should be sha256: and 64 digits")
    return digest


def _read_revision(raw: object) -> str:
    """Return the revision in labels or annotations.

    A longer text is not cut: what is left could name another commit, or lack the mark of a dirty build.
    """
    if raw is None:
        return ""
    revision = replace_control_chars(read_text(read_object(raw), REVISION_KEY)).strip()
    if len(revision) > MAX_REVISION_CHARS:
        raise UnexpectedShape(f"{REVISION_KEY} is longer than {MAX_REVISION_CHARS} characters")
    return revision
