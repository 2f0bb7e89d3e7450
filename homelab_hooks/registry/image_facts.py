"""Decides which revisions of an image count, and whether a tag names the same image.

A pod's digest is that of an index or of one platform's manifest, depending on the container runtime and on how the
image was named. If it is an index, nothing shows which platform runs there: what is said about the image must then be
true for each of its platforms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from homelab_hooks.registry.answer import ImageFacts, RegistryAnswer, RegistrySilence
from homelab_hooks.registry.manifest import ImageIndex, ImageManifest

_SHA_LENGTHS = (12, 8, 7, 9, 10, 11)
"""digits of an abbreviated commit in a tag, the usual ones first"""


class ImageRevisions(NamedTuple):
    """The revisions of an image, each once, and why others were left out."""

    values: tuple[str, ...] = ()
    note: str = ""


class TagMatch(NamedTuple):
    """A tag that names the commit, empty if there is none, and whether it is the running image."""

    tag: str = ""
    is_running: bool = False


def list_commit_tags(sha: str) -> tuple[str, ...]:
    """Return the tags that name a commit, in the order in which they are asked for.

    >>> list_commit_tags("8f2c1d3e4b5a69788796a5b4c3d2e1f001122334")[:3]
    ('8f2c1d3e4b5a69788796a5b4c3d2e1f001122334', '8f2c1d3e4b5a', '8f2c1d3e')
    """
    return (sha, *(sha[:length] for length in _SHA_LENGTHS))


def list_platform_digests(image: ImageManifest | ImageIndex) -> frozenset[str]:
    """Return the digests of the manifests of an image's platforms; a manifest is its own platform."""
    if isinstance(image, ImageManifest):
        return frozenset({image.digest})
    return frozenset(entry.digest for entry in image.platforms)


def is_same_image(running: ImageManifest | ImageIndex, tagged: ImageManifest | ImageIndex) -> bool:
    """Return whether what runs is what a tag names: the same digest, or each platform that may run is in the tag's.

    A platform's manifest is in the index that the tag names, or an index has this one platform only. An index with
    more platforms than the tag's may run one that the tag does not name.
    """
    platforms = list_platform_digests(running)
    return running.digest == tagged.digest or (bool(platforms) and platforms <= list_platform_digests(tagged))


def merge_revisions(own: str, platforms: Sequence[Sequence[str]]) -> ImageRevisions:
    """Return the revisions of an index.

    Args:
        own: the revision in its annotations.
        platforms: the revisions of each platform, from its entry, its manifest, and its configuration.

    >>> merge_revisions("a1", [("a1",), ("a1", "")])
    ImageRevisions(values=('a1',), note='')
    >>> merge_revisions("a1", [("a1",), ("b2",)])
    ImageRevisions(values=(), note='the platforms of the image name different revisions')
    """
    found = {frozenset(filter(None, revisions)) for revisions in platforms}
    if len(found) > 1:
        return ImageRevisions(note="the platforms of the image name different revisions")
    return ImageRevisions(list_distinct((own, *(value for one in platforms for value in one))))


def list_distinct(revisions: Sequence[str]) -> tuple[str, ...]:
    """Return each revision once; empty texts are left out."""
    return tuple(dict.fromkeys(filter(None, revisions)))


def combine_facts(revisions: ImageRevisions | RegistrySilence, match: TagMatch | RegistrySilence) -> RegistryAnswer:
    """Return the facts; a match of the tag is enough where the revisions could not be read."""
    if isinstance(match, TagMatch) and isinstance(revisions, ImageRevisions):
        return ImageFacts(
            revisions=revisions.values, is_commit_tag=match.is_running, commit_tag=match.tag, note=revisions.note
        )
    if isinstance(match, TagMatch) and isinstance(revisions, RegistrySilence) and match.is_running:
        return ImageFacts(is_commit_tag=True, commit_tag=match.tag, note=revisions.reason)
    silences = [one for one in (revisions, match) if isinstance(one, RegistrySilence)]
    return next((one for one in silences if one.passing), silences[0])
