"""A CronJob, and those of its Jobs that run."""

from __future__ import annotations

from dataclasses import dataclass

from homelab_hooks.kubectl.model import ReplicaCounts, Template, Workload
from homelab_hooks.kubectl.parse import owner_uids, parse_template, to_int, to_text_map
from homelab_hooks.text.json_fields import Json
from homelab_hooks.text.sanitize import strip_control_chars


@dataclass(frozen=True, slots=True, kw_only=True)
class CronJob:
    """A CronJob as one request returned it. Its status has no observed generation: nothing is rolled out."""

    workload: Workload
    """its template and metadata; it has no pods of its own"""
    suspended: bool = False
    active: int = 0
    """its Jobs that run"""


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A Job of the CronJob that has not ended."""

    name: str
    template: Template


def parse_cron_job(raw: Json) -> CronJob:
    """Return the CronJob that an API object describes.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the object is not a CronJob.
    """
    meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
    generation = to_int(meta["generation"])
    workload = Workload(
        uid=str(meta["uid"]),
        generation=generation,
        observed=generation,
        template=parse_template(spec["jobTemplate"]["spec"]["template"]),
        counts=ReplicaCounts(desired=0, total=0, updated=0, available=0),
        annotations=to_text_map(meta.get("annotations")),
        labels=to_text_map(meta.get("labels")),
        deleting=bool(meta.get("deletionTimestamp")),
    )
    return CronJob(workload=workload, suspended=bool(spec.get("suspend")), active=len(status.get("active") or ()))


def parse_running_jobs(uid: str, raw: Json) -> tuple[RunningJob, ...]:
    """Return the Jobs in a list that the CronJob with this uid owns and that have not ended."""
    return tuple(
        RunningJob(strip_control_chars(each["metadata"]["name"]), parse_template(each["spec"]["template"]))
        for each in raw["items"]
        if uid in owner_uids(each) and to_int((each.get("status") or {}).get("active"))
    )
