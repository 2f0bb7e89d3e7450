"""What every proof is given, and how the results for several containers, pods, or proofs are combined."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from homelab_hooks.config.image_proof import ProofKind
from homelab_hooks.deploy.kubernetes.evidence import FactReader
from homelab_hooks.deploy.kubernetes.match import (
    CommitMatch,
    EvidencePending,
    NewerCommit,
    NoCommit,
    OtherCommit,
    SameCommit,
)
from homelab_hooks.deploy.kubernetes.snapshot import Snapshot
from homelab_hooks.deploy.request import Expectation
from homelab_hooks.git.containment import Containment
from homelab_hooks.kubectl.model import Container


@dataclass(frozen=True, slots=True)
class ProofCase:
    """A workload, the commit that it is expected to run, and the facts about its images."""

    snapshot: Snapshot
    expectation: Expectation
    facts: FactReader

    @property
    def sha(self) -> str:
        """Return the expected commit."""
        return self.expectation.sha

    @property
    def containers(self) -> list[Container]:
        """Return the main containers that may prove; only the named one if there is a name."""
        wanted = self.expectation.container
        return [each for each in self.snapshot.workload.template.containers if not wanted or each.name == wanted]

    @property
    def is_auto(self) -> bool:
        """Return whether another proof may follow: then a name that is not a commit's must be recognized."""
        return self.expectation.proof.kind is ProofKind.AUTO

    def compare(self, name: str) -> Containment:
        """Return whether another commit contains the expected one; with --exact it does not count.

        It is then asked only where a name that is not a commit of this repository must be told from one that is.
        """
        if not self.expectation.exact:
            return self.facts.compare(name)
        asks_git = self.expectation.proof.kind in {ProofKind.AUTO, ProofKind.REGISTRY}
        is_absent = asks_git and self.facts.compare(name) is Containment.ABSENT
        return Containment.ABSENT if is_absent else Containment.NOT_CONTAINED


class ImageProofReader(Protocol):
    """Reads what one kind of proof shows. To add one: a function here, a row in `commit_match.READERS`, its kind."""

    def __call__(self, case: ProofCase) -> CommitMatch:
        """Return how the evidence matches the expected commit. Pure: what must be asked is collected in the facts."""


def names_commit(match: CommitMatch) -> bool:
    """Return whether the evidence names a commit; a name that neither git nor the remote knows may be a date."""
    return isinstance(match, SameCommit | NewerCommit) or (isinstance(match, OtherCommit) and not match.absent)


def choose_match(matches: Iterable[CommitMatch]) -> CommitMatch:
    """Return the match that decides: one that proves, else the one for which to wait the longest.

    What is incomplete only because pods are starting comes before another commit: that may be a sidecar's. What a
    server does not answer comes after it: that may be a sidecar's registry, and the other commit is waited on anyway.
    """
    return min(matches, key=_rank)


def _rank(match: CommitMatch) -> int:
    match match:
        case SameCommit(mixed=mixed):
            return 2 if mixed else 0
        case NewerCommit(mixed=mixed):
            return 3 if mixed else 1
        case EvidencePending(is_outage=is_outage):
            return 7 if is_outage else 4
        case OtherCommit(absent=absent):
            return 6 if absent else 5
        case NoCommit(final=final):
            return 8 if final else 9
