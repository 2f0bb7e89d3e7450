"""Proofs by a text on the workload that names a commit: a tag, an annotation, a label, a variable."""

from __future__ import annotations

from dataclasses import dataclass

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.kubernetes.match import CommitMatch, NewerCommit, NoCommit, OtherCommit, SameCommit
from homelab_hooks.deploy.kubernetes.proofs.case import ProofCase
from homelab_hooks.git.containment import Containment
from homelab_hooks.kubectl import image_ref
from homelab_hooks.kubectl.model import Container, Workload
from homelab_hooks.text.commit_name import find_commit_tokens, has_commit_token, is_dirty_build


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A text that may name a commit, with the image and container it belongs to."""

    text: str
    image: str
    container: str


def match_tag(case: ProofCase) -> CommitMatch:
    """Return how the images' tags match."""
    return _match_names(case, ImageProof(ProofKind.TAG))


def match_named_place(case: ProofCase) -> CommitMatch:
    """Return how the annotation, label, or variable that the expectation names matches."""
    return _match_names(case, case.expectation.proof)


def names_known_commit(case: ProofCase) -> bool:
    """Return whether a tag names a commit that git could compare: its image is built from this repository."""
    names = (name for each in case.containers for name in _clean_tokens(image_ref.extract_tag(each.image)))
    return any(case.facts.compare(name).is_known for name in names)


def _match_names(case: ProofCase, proof: ImageProof) -> CommitMatch:
    candidates = _find_candidates(case, proof)
    naming = [each for each in candidates if find_commit_tokens(each.text)]
    if not naming:
        return _no_commit(case, proof, candidates)
    if ours := [each for each in naming if has_commit_token(each.text, case.sha)]:
        return SameCommit(ours[0].image, tuple(each.container for each in ours), _describe(proof))
    # All are compared before one is chosen, so that all questions are asked at once.
    known = {name: case.compare(name) for each in naming for name in _clean_tokens(each.text)}
    for each in naming:
        for name in _clean_tokens(each.text):
            if known[name] is Containment.CONTAINS:
                return NewerCommit(each.image, (each.container,), name, _describe(proof))
    first = naming[0]
    found = {known[name] for name in _clean_tokens(first.text)}
    unknown = bool(found) and Containment.NOT_CONTAINED not in found and not case.expectation.exact
    # A date or a build number has no letters; of eight digits of a commit, one in forty has none either.
    absent = bool(known) and all(name.isdecimal() and each is Containment.ABSENT for name, each in known.items())
    return OtherCommit(first.image, first.text, unknown=unknown, absent=absent)


def _clean_tokens(text: str) -> tuple[str, ...]:
    """Return the commits that a text names; none for the build of a dirty working tree."""
    return () if is_dirty_build(text) else find_commit_tokens(text)


def _find_candidates(case: ProofCase, proof: ImageProof) -> list[_Candidate]:
    names = ((_find_name(proof, case.snapshot.workload, each), each) for each in case.containers)
    return [_Candidate(name, each.image, each.name) for name, each in names if name is not None]


def _find_name(proof: ImageProof, workload: Workload, container: Container) -> str | None:
    """Return the text that may name a commit; None if the workload does not have it."""
    template, key = workload.template, proof.value
    match proof.kind:
        case ProofKind.TAG:
            return image_ref.extract_tag(container.image)
        case ProofKind.ANNOTATION:
            return template.annotations.get(key) or workload.annotations.get(key) or None
        case ProofKind.LABEL:
            return template.labels.get(key) or workload.labels.get(key) or None
        case _:
            return container.env.get(key)


def _describe(proof: ImageProof) -> str:
    """Return the evidence as a message names it."""
    what = "variable" if proof.kind is ProofKind.ENV else proof.kind.value
    return f"its {what} {proof.value}".rstrip()


def _no_commit(case: ProofCase, proof: ImageProof, candidates: list[_Candidate]) -> NoCommit:
    shown = case.containers[0].image
    if proof.kind is ProofKind.TAG:
        return NoCommit(shown, f"the tag of {shown} names no commit")
    problem = f"is {candidates[0].text!r}, which names no commit" if candidates else "is not there"
    return NoCommit(shown, f"its {proof.kind} {proof.value} {problem}")
