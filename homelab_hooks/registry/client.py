"""Answers what a registry says about an image that runs; each answer is remembered, and rate limits are honoured."""

from __future__ import annotations

import threading
from dataclasses import replace
from math import inf

from homelab_hooks.config.address import find_dial, parse_server_url
from homelab_hooks.registry.answer import ImageFacts, RegistryAnswer, RegistrySilence, RunningImage
from homelab_hooks.registry.authorization import LoginSource, RegistryAuthorizer
from homelab_hooks.registry.connection import RegistryConnection
from homelab_hooks.registry.exchange import RegistryHosts, RegistryQuestion
from homelab_hooks.registry.image_facts import (
    ImageRevisions,
    TagMatch,
    combine_facts,
    is_same_image,
    list_commit_tags,
    list_distinct,
)
from homelab_hooks.registry.manifest import ImageIndex, ImageManifest
from homelab_hooks.registry.reader import RepositoryMemory, RepositoryReader
from homelab_hooks.registry.reference import DIGEST, ImageReference, list_registry_servers, parse_image_reference
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

QUESTION_TIMEOUT_S = 30.0
"""seconds for all requests of one question; what was read by then is kept for the next one"""
RETRY_INTERVAL_S = 5.0
"""seconds without a request to a registry that did not answer, if it names no time"""
RECHECK_INTERVAL_S = 60.0
"""seconds after which an image about which nothing is known is asked about again: CI may push the tag later"""
_MAX_REFERENCE_COLUMNS = 120


class RegistryClient:
    """Asks registries about images. Safe for several threads: one question is asked at a time.

    Args:
        hosts: reaches the registries.
        logins: the user's credentials.
        allows_http: whether registries whose names have a port may be asked without TLS.
    """

    def __init__(self, hosts: RegistryHosts, logins: LoginSource, *, allows_http: bool = False) -> None:
        self._hosts, self._logins, self._allows_http = hosts, logins, allows_http
        self._lock = threading.Lock()
        self._connections: dict[str, tuple[RegistryConnection, RepositoryMemory]] = {}
        self._answers: dict[tuple[str, str, str], tuple[float, RegistryAnswer]] = {}
        """each with the time until which it is valid"""
        self._silences: dict[str, tuple[float, RegistrySilence]] = {}
        """by registry: the silence that is passing, and until when the registry is not asked"""

    def describe_image(self, image: RunningImage, sha: str) -> RegistryAnswer:
        """Return what the registry says about an image, given the full commit SHA; never raises."""
        try:
            reference = parse_image_reference(image.reference)
        except ValueError:
            shown = truncate_text(strip_control_chars(image.reference), _MAX_REFERENCE_COLUMNS)
            return RegistrySilence(reason=f"{shown} is not a valid image reference")
        if not DIGEST.fullmatch(image.digest):
            return RegistrySilence(reason=f"the running image of {reference.name} has no sha256 digest")
        with self._lock:
            key = reference.name, image.digest, sha
            expires_at, answer = self._answers.get(key, (-inf, None))
            if answer is None or expires_at <= self._hosts.now():
                answer = self._ask(reference, image.digest, sha)
                self._answers[key] = self._hosts.now() + find_lifetime_s(answer), answer
            return answer

    def close(self) -> None:
        """Close the connections; what is known is kept."""
        self._hosts.close()

    def _ask(self, image: ImageReference, digest: str, sha: str) -> RegistryAnswer:
        """Return the answer of the registry, or its last silence while it is not asked."""
        now = self._hosts.now()
        until, silence = self._silences.get(image.host, (0.0, None))
        if silence is not None and now < until:
            return replace(silence, retry_after_s=until - now)
        connection, memory = self._connect(image)
        reader = RepositoryReader(connection, RegistryQuestion(image, now + QUESTION_TIMEOUT_S), memory)
        answer = describe_running_image(reader, digest, sha)
        if isinstance(answer, RegistrySilence) and answer.passing:
            wait_s = max(RETRY_INTERVAL_S, answer.retry_after_s or 0.0)
            answer = replace(answer, retry_after_s=wait_s)
            self._silences[image.host] = (self._hosts.now() + wait_s, answer)
        return answer

    def _connect(self, image: ImageReference) -> tuple[RegistryConnection, RepositoryMemory]:
        if image.host not in self._connections:
            host = parse_server_url(f"https://{image.host}").host
            dial = find_dial(host, self._hosts.connect_to)
            servers = list_registry_servers(image, dial=dial, allows_http=self._allows_http)
            connection = RegistryConnection(servers, self._hosts, RegistryAuthorizer(self._logins, self._hosts))
            self._connections[image.host] = connection, RepositoryMemory()
        return self._connections[image.host]


def find_lifetime_s(answer: RegistryAnswer) -> float:
    """Return the seconds for which an answer is valid. What a digest names never changes, but tags are added later."""
    if isinstance(answer, RegistrySilence):
        return 0.0 if answer.passing else inf
    return inf if answer.is_commit_tag or answer.revisions else RECHECK_INTERVAL_S


def describe_running_image(reader: RepositoryReader, digest: str, sha: str) -> RegistryAnswer:
    """Return what a repository says about the image with a digest: its revisions, then whether `:SHA` is it."""
    running = reader.read_manifest(digest)
    if isinstance(running, RegistrySilence):
        return running
    revisions = reader.read_revisions(running)
    if isinstance(revisions, ImageRevisions) and sha in revisions.values:
        return ImageFacts(revisions=list_distinct(revisions.values), note=revisions.note)
    return combine_facts(revisions, _match_commit_tag(reader, running, sha))


def _match_commit_tag(
    reader: RepositoryReader, running: ImageManifest | ImageIndex, sha: str
) -> TagMatch | RegistrySilence:
    """Return the tag that names the commit and is the running image; else the first one that names it.

    Stages of one build may be pushed under the SHA in different lengths.
    """
    first = TagMatch()
    for tag in list_commit_tags(sha):
        digest = reader.read_tag_digest(tag)
        if isinstance(digest, RegistrySilence):
            return digest
        if digest:
            tagged = running if digest == running.digest else reader.read_manifest(digest)
            if isinstance(tagged, RegistrySilence):
                return tagged
            if is_same_image(running, tagged):
                return TagMatch(tag, is_running=True)
            first = first if first.tag else TagMatch(tag)
    return first
