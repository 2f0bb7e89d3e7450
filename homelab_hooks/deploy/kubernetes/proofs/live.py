"""The proof by the answer of the running service."""

from __future__ import annotations

from homelab_hooks.deploy.kubernetes.match import CommitMatch, EvidencePending, SameCommit
from homelab_hooks.deploy.kubernetes.proofs.case import ProofCase
from homelab_hooks.net.live import Shown


def match_live(case: ProofCase) -> CommitMatch:
    """Return what the service's answer shows.

    Another commit, or none, is waited on even after ours was seen: replicas, old and new, answer in turn behind one
    address, and there may be no answer while they are replaced.
    """
    url, answer, containers = case.expectation.proof.value, case.facts.read_live(), case.containers
    image = containers[0].image
    if answer is None:
        return EvidencePending(image, f"asking {url}")
    match answer.shown:
        case Shown.OURS:
            return SameCommit(image, tuple(each.name for each in containers), f"the answer of {url}")
        case Shown.OTHER:
            return EvidencePending(image, f"{url}: {answer.seen}")
        case Shown.NAMELESS:
            hint = "let the answer contain the commit, or name the JSON value with #PATH"
            return EvidencePending(image, f"{url}: {answer.seen}", unproven=f"{url}: {answer.seen}", hint=hint)
        case Shown.SILENT:
            reason = f"{url} does not answer: {answer.seen}"
            return EvidencePending(image, reason, unproven=reason, hint="check the service, its logs, and its address")
