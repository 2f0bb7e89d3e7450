"""The results of matching the evidence about a workload with a commit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SameCommit:
    """The workload runs the commit."""

    image: str
    """what identifies what runs: the image, with its digest where the digest is the evidence"""
    containers: tuple[str, ...]
    """names of the containers whose images are of it"""
    proof: str = ""
    """the evidence, as in `release v1.4.2`"""
    mixed: str = ""
    """which pods run something else, so that the rollout is not complete; empty if none does"""


@dataclass(frozen=True, slots=True)
class NewerCommit:
    """The workload runs a newer commit that contains the expected one."""

    image: str
    containers: tuple[str, ...]
    name: str
    proof: str = ""
    mixed: str = ""


@dataclass(frozen=True, slots=True)
class OtherCommit:
    """The workload runs another commit, which is not known to contain the expected one."""

    image: str
    name: str
    unknown: bool = False
    """the commit is not in this repository, so it may be a newer one"""
    absent: bool = False
    """the name is a number, and the remote has no such commit either: it may be a date"""
    outage: str = ""
    """what else could have named a commit, but did not answer"""


@dataclass(frozen=True, slots=True)
class NoCommit:
    """The evidence names no commit."""

    image: str
    reason: str
    hint: str = ""
    final: bool = False
    """waiting does not change that, also after the image has changed"""


@dataclass(frozen=True, slots=True)
class EvidencePending:
    """The evidence is not complete yet."""

    image: str
    reason: str
    needs_pods: bool = False
    """the pods must be read: the template alone does not show what runs"""
    is_outage: bool = False
    """a server does not answer; this is unproven once it has lasted for the unreachable-timeout"""
    unproven: str = ""
    """why it is unproven when time runs out; empty: then it has timed out"""
    hint: str = ""


CommitMatch = SameCommit | NewerCommit | OtherCommit | NoCommit | EvidencePending
