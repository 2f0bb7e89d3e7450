"""An Application of Argo CD.

Read from Argo CD's API types and documentation (`pkg/apis/application/v1alpha1/types.go`,
`docs/operator-manual/health.md`), not from a recording:

* `status.sync` compares the live objects with the manifests of `status.sync.revision` (`revisions`, if the application
  has several sources): Synced, OutOfSync, or Unknown. The revision is that of the target, even while it is OutOfSync.
* `status.operationState` is the last sync operation, of whatever revision; its retries are part of one operation, whose
  phase stays Running. `operation` is one that was requested and has not begun.
* The status has no observed generation. A sync that changes nothing is not performed: then the last operation is that
  of an older revision.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from homelab_hooks.kubectl.parse import to_int
from homelab_hooks.kubectl.status_text import read_revision, read_status_text
from homelab_hooks.text.json_fields import Json
from homelab_hooks.text.sanitize import replace_control_chars

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOperation:
    """The last sync operation of an application."""

    phase: str
    """Running, Terminating, Succeeded, Failed, or Error"""
    message: str = ""
    commits: tuple[str, ...] = ()
    """the commits that it applies; none if it does not name them yet"""
    retries: int = 0

    @property
    def is_running(self) -> bool:
        """Return whether it has not ended."""
        return self.phase in {"Running", "Terminating"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgoApplication:
    """An application as one request returned it."""

    uid: str
    deleting: bool = False
    revisions: tuple[str, ...] = ()
    """the revisions that the live objects were compared with, one for each source"""
    commits: tuple[str, ...] = ()
    """those that name a commit; that of a hydrated branch stands for the commit that it was made from"""
    sync: str = "Unknown"
    """Synced, OutOfSync, or Unknown"""
    health: str = ""
    health_message: str = ""
    operation: SyncOperation | None = None
    operation_requested: bool = False
    auto_sync: bool = False
    problems: tuple[str, ...] = ()
    """the conditions that report errors, such as ComparisonError, with their messages"""


def find_revision_commits(revisions: tuple[str, ...]) -> tuple[str, ...]:
    """Return the revisions that are commits: not the versions of Helm charts, nor the digests of OCI artifacts.

    >>> find_revision_commits(("1.2.3", "0a" * 20, "sha256:" + "0a" * 32, "main"))
    ('0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a',)
    """
    return tuple(dict.fromkeys(each for each in revisions if _COMMIT.fullmatch(each)))


def parse_application(raw: Json) -> ArgoApplication:
    """Return the application that an API object describes.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the object is not an application.
    """
    meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
    sync, health = status.get("sync") or {}, status.get("health") or {}
    automated = (spec.get("syncPolicy") or {}).get("automated")
    operation = status.get("operationState")
    hydrated = (status.get("sourceHydrator") or {}).get("lastSuccessfulOperation") or {}
    return ArgoApplication(
        uid=str(meta["uid"]),
        deleting=bool(meta.get("deletionTimestamp")),
        revisions=_revisions(sync),
        commits=_dry_commits(_revisions(sync), hydrated),
        sync=read_status_text(sync, "status") or "Unknown",
        health=read_status_text(health, "status"),
        health_message=read_status_text(health, "message"),
        operation=None if operation is None else _parse_operation(operation, hydrated),
        operation_requested=raw.get("operation") is not None,
        auto_sync=automated is not None and automated.get("enabled") is not False,
        problems=tuple(
            f"{read_status_text(each, 'type')}: {read_status_text(each, 'message')}"
            for each in status.get("conditions") or ()
            if read_status_text(each, "type").endswith("Error")
        ),
    )


def _parse_operation(raw: Json, hydrated: Json) -> SyncOperation:
    requested = (raw.get("operation") or {}).get("sync") or {}
    return SyncOperation(
        phase=read_status_text(raw, "phase"),
        message=read_status_text(raw, "message"),
        commits=_dry_commits(_revisions(raw.get("syncResult") or {}) or _revisions(requested), hydrated),
        retries=to_int(raw.get("retryCount")),
    )


def _dry_commits(revisions: tuple[str, ...], hydrated: Json) -> tuple[str, ...]:
    """Return the commits; the last one that the source hydrator pushed is named by the commit that it was made from."""
    pushed, source = read_revision(hydrated, "hydratedSHA"), read_revision(hydrated, "drySHA")
    return find_revision_commits(tuple(source if pushed and each == pushed else each for each in revisions))


def _revisions(raw: Json) -> tuple[str, ...]:
    several = tuple(replace_control_chars(str(each)) for each in raw.get("revisions") or () if each)
    one = read_revision(raw, "revision")
    return several or ((one,) if one else ())
