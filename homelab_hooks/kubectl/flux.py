"""A Kustomization of Flux.

Read from the API documentation of Flux (kustomize-controller, `docs/spec/v1/kustomizations.md`), not from a recording:

* `lastAppliedRevision` changes only after a successful reconciliation, health checks included;
  `lastAttemptedRevision` is the revision of the last attempt.
* `observedGeneration` is the newest generation that became ready, or stalled. A failing Kustomization keeps the older
  one, so a failure is read from its conditions, which have an observed generation of their own.
* A suspended Kustomization is not reconciled: its conditions stay what they were.
* For OCI artifacts, `lastAppliedOriginRevision` is the annotation `org.opencontainers.image.revision`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from homelab_hooks.kubectl.parse import to_int
from homelab_hooks.kubectl.status_text import read_revision, read_status_text
from homelab_hooks.text.commit_name import find_commit_tokens, is_dirty_build
from homelab_hooks.text.json_fields import Json

_NAMED_COMMIT = re.compile(r"(?:.*@)?(?P<algorithm>sha1|sha256):(?P<digits>[0-9a-f]{7,64})")
_LEGACY_COMMIT = re.compile(r"(?:.+/)?(?P<digits>[0-9a-f]{40})")
_ATTEMPT = re.compile(r"\brevision (\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FluxCondition:
    """The condition Ready of a Kustomization."""

    status: str
    """True, False, or Unknown"""
    reason: str = ""
    message: str = ""
    observed: int | None = None
    """the generation that it is about; None if it does not have that"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kustomization:
    """A Kustomization as one request returned it."""

    uid: str
    generation: int
    observed: int = 0
    deleting: bool = False
    suspended: bool = False
    applied: str = ""
    """the last applied revision, as Flux writes it; empty before the first"""
    applied_commits: tuple[str, ...] = ()
    """the commit that the applied revision names, or its origin's; none if it cannot name one"""
    attempted_commits: tuple[str, ...] = ()
    """the commits of the last attempt, which may have failed"""
    ready: FluxCondition
    reconciling: bool = False


def find_revision_commit(revision: str, *, from_git: bool) -> str:
    """Return the commit that a revision of Flux names; empty if it names none.

    Flux writes `main@sha1:SHA` since version 0.41, and wrote `main/SHA` before. The digest of an OCI artifact or of a
    bucket is not a commit, but the one of a Git repository with SHA-256 objects is. The tag of an OCI artifact names a
    commit as the tag of an image does (`flux push artifact oci://...:$(git rev-parse --short HEAD)`).

    >>> find_revision_commit("main@sha1:0aa11bb2", from_git=True)
    '0aa11bb2'
    >>> find_revision_commit("feature/x/" + "0a" * 20, from_git=True)[:8]
    '0a0a0a0a'
    >>> find_revision_commit("latest@sha256:0aa11bb2", from_git=False), find_revision_commit("1.2.3", from_git=False)
    ('', '')
    >>> find_revision_commit("0aa11bb2@sha256:" + "1" * 64, from_git=False)
    '0aa11bb2'
    """
    if named := _NAMED_COMMIT.fullmatch(revision):
        if named["algorithm"] == "sha1" or from_git:
            return named["digits"]
        tag = revision.rpartition("@")[0]
        return next(iter(() if is_dirty_build(tag) else find_commit_tokens(tag)), "")
    legacy = _LEGACY_COMMIT.fullmatch(revision)
    return legacy["digits"] if legacy else ""


def parse_kustomization(raw: Json) -> Kustomization:
    """Return the Kustomization that an API object describes.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the object is not a Kustomization.
    """
    meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    from_git = (spec.get("sourceRef") or {}).get("kind") in {"GitRepository", None}
    reconciling = conditions.get("Reconciling") or {}
    attempts = _attempted_revisions(status, reconciling)
    return Kustomization(
        uid=str(meta["uid"]),
        generation=to_int(meta["generation"]),
        observed=to_int(status.get("observedGeneration")),
        deleting=bool(meta.get("deletionTimestamp")),
        suspended=bool(spec.get("suspend")),
        applied=read_revision(status, "lastAppliedRevision"),
        applied_commits=_commits(
            (read_revision(status, "lastAppliedOriginRevision"), read_revision(status, "lastAppliedRevision")),
            from_git=from_git,
        ),
        attempted_commits=_commits(attempts, from_git=from_git),
        ready=_parse_ready(conditions.get("Ready") or {}),
        reconciling=reconciling.get("status") == "True",
    )


def _attempted_revisions(status: Json, reconciling: Json) -> tuple[str, ...]:
    """Return the revisions of the last attempt.

    An attempt that fails before its manifests are built names its revision only in the message of the condition
    Reconciling ("Fetching manifests for revision ... with a timeout of ..."); one of an OCI artifact names its origin
    only in the history.
    """
    attempted = read_revision(status, "lastAttemptedRevision")
    named = _ATTEMPT.search(read_revision(reconciling, "message")) if reconciling.get("status") == "True" else None
    newest = named.group(1) if named else attempted
    origins = [
        read_revision(each.get("metadata") or {}, "originRevision")
        for each in status.get("history") or ()
        if read_revision(each.get("metadata") or {}, "revision") == newest
    ]
    return (newest, *origins)


def _commits(revisions: tuple[str, ...], *, from_git: bool) -> tuple[str, ...]:
    found = (find_revision_commit(each, from_git=from_git) for each in revisions)
    return tuple(dict.fromkeys(each for each in found if each))


def _parse_ready(raw: Json) -> FluxCondition:
    observed = raw.get("observedGeneration")
    return FluxCondition(
        status=read_status_text(raw, "status") or "Unknown",
        reason=read_status_text(raw, "reason"),
        message=read_status_text(raw, "message"),
        observed=None if observed is None else to_int(observed),
    )
