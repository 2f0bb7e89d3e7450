"""Matches the evidence about a workload with a commit: the same, a newer one that contains it, another, or none.

Pure. What git, the registry, or the service must be asked is found by the same functions: a fact that the snapshot does
not have is a question. The poller answers the questions (`evidence_source.py`) and matches again, until there are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from homelab_hooks.config.image_proof import ProofKind
from homelab_hooks.deploy.kubernetes.evidence import FactReader, Question
from homelab_hooks.deploy.kubernetes.match import (
    CommitMatch,
    EvidencePending,
    NewerCommit,
    NoCommit,
    OtherCommit,
    SameCommit,
)
from homelab_hooks.deploy.kubernetes.proofs.case import ImageProofReader, ProofCase, choose_match, names_commit
from homelab_hooks.deploy.kubernetes.proofs.digests import match_digest, match_registry
from homelab_hooks.deploy.kubernetes.proofs.live import match_live
from homelab_hooks.deploy.kubernetes.proofs.names import match_named_place, match_tag, names_known_commit
from homelab_hooks.deploy.kubernetes.proofs.release import match_release
from homelab_hooks.deploy.kubernetes.snapshot import Snapshot
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.kubectl.model import Container


def match_commit(snapshot: Snapshot, expectation: Expectation) -> CommitMatch:
    """Return how the evidence about the workload matches the expected commit."""
    return _match(ProofCase(snapshot, expectation, FactReader(snapshot.evidence)))


def find_questions(snapshot: Snapshot, expectation: Expectation) -> tuple[Question, ...]:
    """Return what must be asked before the workload can be matched; nothing once the answers suffice."""
    facts = FactReader(snapshot.evidence)
    _match(ProofCase(snapshot, expectation, facts))
    return tuple(facts.questions)


def proves_commit(snapshot: Snapshot, expectation: Expectation) -> bool:
    """Return whether the workload runs the commit, or a newer one that contains it."""
    return isinstance(match_commit(snapshot, expectation), SameCommit | NewerCommit)


def _match(case: ProofCase) -> CommitMatch:
    if not case.containers:
        return NoCommit("", f"it has no container {case.expectation.container}")
    return READERS[case.expectation.proof.kind](case)


def match_first(case: ProofCase) -> CommitMatch:
    """Return the match of the first of tag, release, and registry that names a commit.

    A tag that names a commit of this repository decides for all containers. The tags of sidecars name the commits of
    other repositories, so that otherwise the first evidence of each container is found, and the best one chosen.
    """
    tags = match_tag(case)
    if isinstance(tags, SameCommit | NewerCommit) or case.facts.questions or names_known_commit(case):
        return tags
    return _combine([_match_container(case, each) for each in case.containers])


def _match_container(case: ProofCase, container: Container) -> CommitMatch:
    """Return the match of one container; a later proof is asked for only if those before it name no commit."""
    facts = FactReader(case.snapshot.evidence)
    alone = replace(case, expectation=replace(case.expectation, container=container.name), facts=facts)
    matches: list[CommitMatch] = []
    for match in (match_tag, match_release, match_registry):
        found = match(alone)
        matches.append(found)
        if facts.questions:
            case.facts.questions.update(facts.questions)
            return found
        if names_commit(found):
            return found
    return _combine(matches)


def _combine(matches: Sequence[CommitMatch]) -> CommitMatch:
    """Return the match that decides; if none names a commit, with the reasons of all."""
    chosen = choose_match(matches)
    if isinstance(chosen, NoCommit):
        reasons = [each.reason for each in matches if isinstance(each, NoCommit) and each.reason]
        hints = [each.hint for each in reversed(matches) if isinstance(each, NoCommit) and each.hint]
        hint = chosen.hint or next(iter(hints), "")
        return NoCommit(chosen.image, "; ".join(dict.fromkeys(reasons)), hint, final=chosen.final)
    if isinstance(chosen, OtherCommit):
        outages = [chosen.outage] if chosen.outage else []
        outages += [each.unproven for each in matches if isinstance(each, EvidencePending) and each.is_outage]
        return replace(chosen, outage="; ".join(dict.fromkeys(outages)))
    return chosen


READERS: dict[ProofKind, ImageProofReader] = {
    ProofKind.AUTO: match_first,
    ProofKind.TAG: match_tag,
    ProofKind.RELEASE: match_release,
    ProofKind.REGISTRY: match_registry,
    ProofKind.ANNOTATION: match_named_place,
    ProofKind.LABEL: match_named_place,
    ProofKind.ENV: match_named_place,
    ProofKind.DIGEST: match_digest,
    ProofKind.LIVE: match_live,
}
"""the reader of each kind of proof"""
