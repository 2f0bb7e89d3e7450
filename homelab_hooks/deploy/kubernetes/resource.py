"""The observation of a target without pods of its own, and the report of one poll of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from homelab_hooks.deploy.assessment import Assessment, ImageUnproven
from homelab_hooks.deploy.kubernetes.evidence import Evidence
from homelab_hooks.deploy.state import RolloutState
from homelab_hooks.kubectl.argo_cd import ArgoApplication
from homelab_hooks.kubectl.cron_job import CronJob, RunningJob
from homelab_hooks.kubectl.flux import Kustomization

Resource = CronJob | Kustomization | ArgoApplication


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceObservation:
    """One resource at one moment, and what is known about the commits and images that it names."""

    resource: Resource
    evidence: Evidence = field(default_factory=Evidence)
    running_jobs: tuple[RunningJob, ...] | None = ()
    """the running Jobs of a CronJob; None if they could not be listed"""


@dataclass(frozen=True, slots=True)
class OngoingFailure:
    """What keeps the resource from delivering the expected commit, or a newer one that contains it."""

    key: str
    """what fails, and at which commit: another commit is another failure"""
    text: str
    retried: bool = False
    """another attempt runs: the failure keeps its age, and does not end the wait"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceReport:
    """What one poll shows about the expected commit."""

    assessment: Assessment
    name: str = ""
    """the revision or image, as the resource names it"""
    proves: bool = False
    """whether the resource has delivered the commit, or a newer one that contains it"""
    failure: OngoingFailure | None = None
    undecided: bool = False
    """whether it is not known yet which commit it names"""
    at_timeout: ImageUnproven | None = None
    """the result if that is still so when time runs out"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceMemory:
    """What the probe keeps of one resource between two polls; times in the clock's seconds."""

    last: Resource | None = None
    changed_at: float
    """when it last reported something else"""
    failure_key: str = ""
    failing_since: float = 0.0
    failing_polls: int = 0


def get_resource_memory(state: RolloutState) -> ResourceMemory:
    """Return what the probe keeps of this resource; before the first poll, an empty one that begins with the wait."""
    return state.memory if isinstance(state.memory, ResourceMemory) else ResourceMemory(changed_at=state.began)
