"""Matches the names on a workload with a commit: the same, a newer one that contains it, another, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from homelab_hooks.deploy.kubernetes.snapshot import Snapshot
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.git.containment import Containment
from homelab_hooks.kubectl import image_ref
from homelab_hooks.kubectl.model import Container, Workload
from homelab_hooks.text.commit_name import find_commit_tokens, has_commit_token, is_dirty_build


@dataclass(frozen=True, slots=True)
class SameCommit:
    """The workload names the commit."""

    image: str
    containers: tuple[str, ...]
    """names of the containers whose images name it"""


@dataclass(frozen=True, slots=True)
class NewerCommit:
    """The workload names a newer commit that contains the expected one."""

    image: str
    containers: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class OtherCommit:
    """The workload names another commit, which is not known to contain the expected one."""

    image: str
    name: str
    unknown: bool = False
    """the commit is not in this repository, so it may be a newer one"""


@dataclass(frozen=True, slots=True)
class NoCommit:
    """No name on the workload is that of a commit."""

    image: str
    reason: str


class ImageProof(Protocol):
    """The place on a workload that contains the commit's name: a tag, an annotation, a label, or a variable.

    To add one, write a class with this method, and add its text to `kubectl.image_ref.parse_proof`. A digest is not
    such a place, because it does not name a commit; it is compared with the pods' digests.
    """

    def find_name(self, workload: Workload, container: Container) -> str | None:
        """Return the text that may name a commit; None if the workload does not have it."""


CommitMatch = SameCommit | NewerCommit | OtherCommit | NoCommit


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A text that may name a commit, with the image and container it belongs to."""

    text: str
    image: str
    container: str


def unknown_commits(workload: Workload, expectation: Expectation) -> tuple[str, ...]:
    """Return the commits that git must compare with the expected one; none if the workload names that one."""
    if expectation.exact or isinstance(expectation.proof, image_ref.DigestProof):
        return ()
    candidates = [each for each in _find_candidates(workload, expectation) if not is_dirty_build(each.text)]
    if any(has_commit_token(each.text, expectation.sha) for each in candidates):
        return ()
    return tuple(dict.fromkeys(name for each in candidates for name in find_commit_tokens(each.text)))


def match_commit(snapshot: Snapshot, expectation: Expectation) -> CommitMatch:
    """Return how the names on the workload match the expected commit."""
    if isinstance(expectation.proof, image_ref.DigestProof):
        return _match_digest(snapshot, expectation, expectation.proof.digest)
    candidates = _find_candidates(snapshot.workload, expectation)
    naming = [each for each in candidates if find_commit_tokens(each.text)]
    if not naming:
        return _no_commit(snapshot.workload, expectation, candidates)
    if ours := [each for each in naming if has_commit_token(each.text, expectation.sha)]:
        return SameCommit(ours[0].image, _container_names(ours))
    for candidate in () if expectation.exact else naming:
        for name in () if is_dirty_build(candidate.text) else find_commit_tokens(candidate.text):
            if snapshot.containment.get(name) is Containment.CONTAINS:
                return NewerCommit(candidate.image, _container_names([candidate]), name)
    first = naming[0]
    known = [snapshot.containment.get(name, Containment.UNKNOWN) for name in find_commit_tokens(first.text)]
    unknown = Containment.NOT_CONTAINED not in known and not is_dirty_build(first.text) and not expectation.exact
    return OtherCommit(first.image, first.text, unknown=unknown)


def proves_commit(snapshot: Snapshot, expectation: Expectation) -> bool:
    """Return whether the workload names the commit, or a newer one that contains it."""
    return isinstance(match_commit(snapshot, expectation), SameCommit | NewerCommit)


def _find_candidates(workload: Workload, expectation: Expectation) -> list[_Candidate]:
    if isinstance(expectation.proof, image_ref.DigestProof):
        return []
    proof: ImageProof = expectation.proof
    names = ((proof.find_name(workload, each), each) for each in _selected_containers(workload, expectation))
    return [_Candidate(name, each.image, each.name) for name, each in names if name is not None]


def _selected_containers(workload: Workload, expectation: Expectation) -> list[Container]:
    wanted = expectation.container
    return [each for each in workload.template.containers if not wanted or each.name == wanted]


def _container_names(candidates: list[_Candidate]) -> tuple[str, ...]:
    return tuple(each.container for each in candidates)


def _no_commit(workload: Workload, expectation: Expectation, candidates: list[_Candidate]) -> NoCommit:
    containers = _selected_containers(workload, expectation)
    if not containers:
        return NoCommit("", f"it has no container {expectation.container}")
    shown = containers[0].image
    match expectation.proof:
        case image_ref.TagProof():
            return NoCommit(shown, f"the tag of {shown} names no commit")
        case proof:
            problem = f"is {candidates[0].text!r}, which names no commit" if candidates else "is not there"
            return NoCommit(shown, f"its {str(proof).replace(':', ' ', 1)} {problem}")


def _match_digest(snapshot: Snapshot, expectation: Expectation, wanted: str) -> CommitMatch:
    """Match a digest with those of the template and of the active pods."""
    containers = _selected_containers(snapshot.workload, expectation)
    if not containers:
        return NoCommit("", f"it has no container {expectation.container}")
    names = tuple(each.name for each in containers)
    if pinned := [each for each in containers if image_ref.extract_digest(each.image)]:
        ours = [each for each in pinned if image_ref.extract_digest(each.image) == wanted]
        return (
            SameCommit(ours[0].image, (ours[0].name,))
            if ours
            else OtherCommit(pinned[0].image, image_ref.extract_digest(pinned[0].image))
        )
    for pod in snapshot.pods:
        for state in pod.containers:
            if pod.is_active and state.digest == wanted and not state.init and state.name in names:
                return SameCommit(f"{_image_of(containers, state.name)}@{wanted}", (state.name,))
    return OtherCommit(containers[0].image, containers[0].image)


def _image_of(containers: list[Container], name: str) -> str:
    return next(each.image for each in containers if each.name == name)
