"""Reads manifests, revisions, and tags of one repository; what has a digest is read once."""

from __future__ import annotations

from http import HTTPStatus

from homelab_hooks.net.message import HttpResponse
from homelab_hooks.registry.answer import RegistrySilence
from homelab_hooks.registry.connection import RegistryConnection, RegistryRequest
from homelab_hooks.registry.exchange import RegistryQuestion
from homelab_hooks.registry.image_facts import ImageRevisions, list_distinct, merge_revisions
from homelab_hooks.registry.manifest import (
    MANIFEST_TYPES,
    ImageIndex,
    ImageManifest,
    ManifestFault,
    compute_digest,
    parse_config_revision,
    parse_manifest,
)
from homelab_hooks.registry.reference import DIGEST
from homelab_hooks.registry.responses import explain_status

MAX_PLATFORMS = 24
"""platforms of an index whose revisions are read; each costs two requests"""
_SHOWN_DIGEST_CHARS = 19
_NO_SUCH_METHOD = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})


class RepositoryMemory:
    """What is known of the repositories of a registry, by repository and digest: it never changes."""

    def __init__(self) -> None:
        self.manifests: dict[tuple[str, str], ImageManifest | ImageIndex] = {}
        self.config_revisions: dict[tuple[str, str], str] = {}


class RepositoryReader:
    """Asks a registry about the repository of a question."""

    def __init__(self, connection: RegistryConnection, question: RegistryQuestion, memory: RepositoryMemory) -> None:
        self._connection, self._question, self._memory = connection, question, memory
        self._repository = question.image.repository

    def read_manifest(self, digest: str) -> ImageManifest | ImageIndex | RegistrySilence:
        """Return the manifest or index with this digest."""
        key = self._repository, digest
        if key in self._memory.manifests:
            return self._memory.manifests[key]
        request = self._ask_manifest("GET", digest)
        body = self._read_body(self._connection.download(request, self._question), request.subject)
        if isinstance(body, RegistrySilence):
            return body
        manifest = parse_manifest(body, digest)
        if isinstance(manifest, ManifestFault):
            return self._reject(request.subject, manifest)
        self._memory.manifests[key] = manifest
        return manifest

    def read_revisions(self, image: ImageManifest | ImageIndex) -> ImageRevisions | RegistrySilence:
        """Return the revisions of an image; of an index, those that each of its platforms has."""
        if isinstance(image, ImageManifest):
            found = self._read_platform_revisions(image)
            return found if isinstance(found, RegistrySilence) else ImageRevisions(list_distinct(found))
        if len(image.platforms) > MAX_PLATFORMS:
            return ImageRevisions(note=f"the image has more than {MAX_PLATFORMS} platforms")
        revisions = []
        for entry in image.platforms:
            manifest = self.read_manifest(entry.digest)
            if isinstance(manifest, ImageIndex):
                return ImageRevisions(note="the image is an index of indexes")
            found = manifest if isinstance(manifest, RegistrySilence) else self._read_platform_revisions(manifest)
            if isinstance(found, RegistrySilence):
                return found
            revisions.append((entry.revision, *found))
        return merge_revisions(image.revision, revisions)

    def _read_platform_revisions(self, manifest: ImageManifest) -> tuple[str, ...] | RegistrySilence:
        """Return the revisions of an image for one platform; its annotation is enough if its labels are not there."""
        labelled = self._read_config_revision(manifest.config_digest)
        if isinstance(labelled, RegistrySilence):
            return (manifest.revision,) if manifest.revision and not labelled.passing else labelled
        return manifest.revision, labelled

    def _read_config_revision(self, digest: str) -> str | RegistrySilence:
        key = self._repository, digest
        if key in self._memory.config_revisions:
            return self._memory.config_revisions[key]
        subject = f"the configuration {digest[:_SHOWN_DIGEST_CHARS]} of {self._repository}"
        request = RegistryRequest("GET", f"/v2/{self._repository}/blobs/{digest}", subject)
        body = self._read_body(self._connection.download(request, self._question), subject)
        if isinstance(body, RegistrySilence):
            return body
        revision = parse_config_revision(body, digest)
        if isinstance(revision, ManifestFault):
            return self._reject(subject, revision)
        self._memory.config_revisions[key] = revision
        return revision

    def read_tag_digest(self, tag: str) -> str | RegistrySilence:
        """Return the digest that a tag names now; empty if the tag does not exist.

        HEAD is not counted as a pull by Docker Hub. Where it does not name the digest, the manifest itself is read.
        """
        request = self._ask_manifest("HEAD", tag)
        answer = self._connection.send(request, self._question)
        if isinstance(answer, RegistrySilence):
            return answer
        if answer.status == HTTPStatus.NOT_FOUND and not answer.is_html:
            return ""
        digest = answer.headers.get("docker-content-digest", "").strip()
        if answer.status == HTTPStatus.OK and DIGEST.fullmatch(digest):
            return digest
        if answer.status != HTTPStatus.OK and answer.status not in _NO_SUCH_METHOD:
            return explain_status(answer, self._question.registry, request.subject)
        return self._hash_manifest(tag)

    def _hash_manifest(self, tag: str) -> str | RegistrySilence:
        request = self._ask_manifest("GET", tag)
        answer = self._connection.send(request, self._question)
        if isinstance(answer, HttpResponse) and answer.status == HTTPStatus.NOT_FOUND and not answer.is_html:
            return ""
        body = self._read_body(answer, request.subject)
        return body if isinstance(body, RegistrySilence) else compute_digest(body)

    def _ask_manifest(self, method: str, name: str) -> RegistryRequest:
        shown = name[:_SHOWN_DIGEST_CHARS] if DIGEST.fullmatch(name) else name
        subject = f"the image {shown} of {self._repository}"
        return RegistryRequest(method, f"/v2/{self._repository}/manifests/{name}", subject, ", ".join(MANIFEST_TYPES))

    def _read_body(self, answer: HttpResponse | RegistrySilence, subject: str) -> bytes | RegistrySilence:
        if isinstance(answer, RegistrySilence):
            return answer
        if answer.status == HTTPStatus.OK and not answer.is_html:
            return answer.body
        return explain_status(answer, self._question.registry, subject)

    def _reject(self, subject: str, fault: ManifestFault) -> RegistrySilence:
        return RegistrySilence(reason=f"{self._question.registry}: {subject} {fault.reason}")
