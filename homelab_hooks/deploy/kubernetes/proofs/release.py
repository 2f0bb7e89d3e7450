"""The proof by a release: the image's tag is the name of a git tag."""

from __future__ import annotations

import re

from homelab_hooks.config.image_proof import ProofKind
from homelab_hooks.deploy.kubernetes.match import (
    CommitMatch,
    EvidencePending,
    NewerCommit,
    NoCommit,
    OtherCommit,
    SameCommit,
)
from homelab_hooks.deploy.kubernetes.proofs.case import ProofCase, choose_match
from homelab_hooks.git.containment import Containment
from homelab_hooks.git.release_tags import ReleaseTag
from homelab_hooks.kubectl import image_ref
from homelab_hooks.kubectl.model import Container
from homelab_hooks.text.commit_name import is_dirty_build
from homelab_hooks.text.humanize import IMAGE_SHA_DIGITS, short_sha

_IMAGE_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
"""the characters of an image's tag (OCI distribution specification 1.1)"""
_MOVING_TAG = re.compile(r"[^0-9]*|v?[0-9]+")
"""`latest`, `stable`, `v1`: names that are moved with each release, in git and in the registry, at different times"""


def is_release_name(tag: str) -> bool:
    """Return whether an image's tag may be that of one release.

    >>> [is_release_name(tag) for tag in ("v1.4.2", "1.4", "2024.11.24", "release-7")]
    [True, True, True, True]
    >>> [is_release_name(tag) for tag in ("", "latest", "stable", "v1", "1", "v1.4.2-dirty")]
    [False, False, False, False, False, False]
    """
    return bool(_IMAGE_TAG.fullmatch(tag)) and not _MOVING_TAG.fullmatch(tag) and not is_dirty_build(tag)


def match_release(case: ProofCase) -> CommitMatch:
    """Return how the commits of the releases that the images' tags name match."""
    return choose_match(_match_container(case, each) for each in case.containers)


def _match_container(case: ProofCase, container: Container) -> CommitMatch:
    image, tag = container.image, image_ref.extract_tag(container.image)
    if not is_release_name(tag):
        reason = f"the tag of {image} is not the name of one release" if tag else f"{image} has no tag"
        return NoCommit(image, "" if case.is_auto else reason)
    release = case.facts.find_release(tag)
    if release is None:
        return EvidencePending(image, f"looking for the git tag {tag}")
    if release.silence:
        reason = f"the git tag {tag} is not known: {release.silence}"
        return EvidencePending(image, reason, is_outage=True, unproven=reason, hint="check the network and the remote")
    if not release.places:
        return _missing_tag(case, image, tag)
    return _match_commits(case, container, release)


def _missing_tag(case: ProofCase, image: str, tag: str) -> CommitMatch:
    """Return that the tag does not exist. It may be pushed later; this is waited for only if the proof is `release`."""
    reason = f"there is no git tag {tag} here or at the remote"
    if case.expectation.proof.kind is ProofKind.RELEASE:
        return EvidencePending(
            image, reason, unproven=reason, hint=f"push the tag of the release: git push REMOTE {tag}"
        )
    return NoCommit(image, reason)


def _match_commits(case: ProofCase, container: Container, release: ReleaseTag) -> CommitMatch:
    """Return the match of every commit that the tag may be: a tag that was moved proves only what all of them prove."""
    image, tag = container.image, release.places[0].tag
    found = {sha: Containment.CONTAINS if sha == case.sha else case.compare(sha) for sha in release.commits}
    proven = [sha for sha, contained in found.items() if contained is Containment.CONTAINS]
    proof = f"release {tag}"
    if proven == list(release.commits):
        is_ours = proven == [case.sha]
        names = (container.name,)
        return SameCommit(image, names, proof) if is_ours else NewerCommit(image, names, tag, proof)
    is_unknown = any(not contained.is_known for contained in found.values())
    if not proven or is_unknown:
        return OtherCommit(image, proof, unknown=is_unknown)
    where = " and ".join(f"{short_sha(each.sha, IMAGE_SHA_DIGITS)} {each.place}" for each in release.places)
    hint = f"find out which commit the image was built from; if the remote is right, run git fetch REMOTE tag {tag} -f"
    return NoCommit(image, f"the git tag {tag} was moved: it is {where}", hint, final=True)
