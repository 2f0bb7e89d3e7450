"""The content of a simulated registry: repositories with blobs, manifests, and tags, and who may pull them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
REVISION_KEY = "org.opencontainers.image.revision"
_ATTESTATION_ANNOTATION = {"vnd.docker.reference.type": "attestation-manifest"}


class StoredManifest(NamedTuple):
    """The bytes of a manifest and its media type."""

    body: bytes
    media_type: str


@dataclass
class SimulatedRepository:
    """A repository; `readers` are the logins that may pull, None: everyone."""

    manifests: dict[str, StoredManifest] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    readers: frozenset[str] | None = None

    def put_blob(self, body: bytes) -> str:
        """Keep a blob, and return its digest."""
        digest = _digest(body)
        self.blobs[digest] = body
        return digest

    def put_manifest(self, body: bytes, media_type: str, tags: Sequence[str] = ()) -> str:
        """Keep a manifest under these tags, and return its digest."""
        digest = _digest(body)
        self.manifests[digest] = StoredManifest(body, media_type)
        self.tags.update(dict.fromkeys(tags, digest))
        return digest

    def push_image(
        self,
        *tags: str,
        revision: str = "",
        annotation: str = "",
        architecture: str = "amd64",
        content: str = "",
    ) -> str:
        """Keep an image for one platform, and return the digest of its manifest.

        Args:
            tags: they name it from now on.
            revision: the label of its configuration.
            annotation: the revision in the annotations of its manifest.
            content: what distinguishes it from other images.
        """
        labels = {REVISION_KEY: revision} if revision else None
        config = {"architecture": architecture, "os": "linux", "config": {"Labels": labels}, "content": content}
        body = json.dumps(config).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": CONFIG_TYPE, "digest": self.put_blob(body), "size": len(body)},
            "layers": [],
            **({"annotations": {REVISION_KEY: annotation}} if annotation else {}),
        }
        return self.put_manifest(json.dumps(manifest).encode(), MANIFEST_TYPE, tags)

    def push_index(
        self, *tags: str, platforms: Mapping[str, str], attestations: Sequence[str] = (), revision: str = ""
    ) -> str:
        """Keep an index, and return its digest.

        Args:
            tags: they name it from now on.
            platforms: the digests of the manifests by architecture.
            attestations: the digests of manifests that are attestations.
            revision: the revision in its annotations.
        """
        entries = [_entry(digest, architecture, "linux") for architecture, digest in platforms.items()]
        marked = [{**_entry(one, "unknown", "unknown"), "annotations": _ATTESTATION_ANNOTATION} for one in attestations]
        index = {
            "schemaVersion": 2,
            "mediaType": INDEX_TYPE,
            "manifests": [*entries, *marked],
            **({"annotations": {REVISION_KEY: revision}} if revision else {}),
        }
        return self.put_manifest(json.dumps(index).encode(), INDEX_TYPE, tags)


def _entry(digest: str, architecture: str, system: str) -> dict[str, Any]:
    platform = {"architecture": architecture, "os": system}
    return {"mediaType": MANIFEST_TYPE, "digest": digest, "size": 0, "platform": platform}


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@dataclass
class RegistryStore:
    """What a registry has. Names are those of repositories, such as acme/app."""

    repositories: dict[str, SimulatedRepository] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    """by login; empty: the registry asks for no credentials"""
    identity_tokens: dict[str, str] = field(default_factory=dict)
    """logins by identity token"""

    def repository(self, name: str) -> SimulatedRepository:
        """Return a repository; it is created if there is none with this name."""
        return self.repositories.setdefault(name, SimulatedRepository())
