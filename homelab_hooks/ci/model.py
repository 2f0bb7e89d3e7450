"""A pipeline, its workflows and steps, in our words."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """The state of a pipeline, workflow or step (Woodpecker's server/model/const.go)."""

    CREATED = "created"
    PENDING = "pending"
    RUNNING = "running"
    BLOCKED = "blocked"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    KILLED = "killed"
    CANCELED = "canceled"
    DECLINED = "declined"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """a word this version does not know: not decided yet, never success"""

    @property
    def is_final(self) -> bool:
        """Whether it stays as it is (measured: no final status was ever followed by another)."""
        return self in _FINAL_STATUSES

    @property
    def is_failed(self) -> bool:
        """Whether CI decided against it."""
        return self in {Status.FAILURE, Status.ERROR}

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody or something ended it early."""
        return self in {Status.KILLED, Status.CANCELED}


_FINAL_STATUSES = frozenset(
    {Status.SUCCESS, Status.FAILURE, Status.ERROR, Status.KILLED, Status.CANCELED, Status.DECLINED, Status.SKIPPED}
)

DECIDING_EVENTS = ("push", "pull_request", "tag", "release", "deployment", "manual")
"""the events that decide for `homelab-watch`; cron never counts unless it is named"""

ALL_EVENTS = (*DECIDING_EVENTS, "cron", "pull_request_closed", "pull_request_metadata")


class Step(NamedTuple):
    """A step of a workflow; `id` is what the log is asked with."""

    id: int
    pid: int
    name: str
    state: Status
    exit_code: int = 0
    error: str = ""
    kind: str = ""
    """clone, service, plugin, commands, cache; empty when the server does not say"""
    started: int = 0
    finished: int = 0

    @property
    def can_be_blamed(self) -> bool:
        """Whether it may be the reason of a red workflow; a killed step never is."""
        return self.state.is_failed and self.kind != "service"


class Workflow(NamedTuple):
    """A workflow of a pipeline; matrix runs share a name and differ in pid."""

    pid: int
    name: str
    state: Status
    error: str = ""
    started: int = 0
    finished: int = 0
    steps: tuple[Step, ...] = ()


class Cancellation(NamedTuple):
    """Who or what ended a pipeline early (since 3.14); it counts only while the status is killed or canceled."""

    by_user: str = ""
    by_step: str = ""
    superseded_by: int = 0
    """the number of the pipeline that replaced it"""


class ConfigError(NamedTuple):
    """An error or a warning of the configuration."""

    message: str
    is_warning: bool = False
    location: str = ""


class Pipeline(NamedTuple):
    """One row of the list, or one detail (then with workflows); times in unix seconds, 0 when not set."""

    number: int
    event: str
    ref: str
    branch: str
    commit: str
    status: Status
    raw_status: str = ""
    """the server's own word, for the warning about an unknown one"""
    message: str = ""
    reviewed_by: str = ""
    parent: int = 0
    created: int = 0
    started: int = 0
    finished: int = 0
    updated: int = 0
    cancellation: Cancellation | None = None
    config_errors: tuple[ConfigError, ...] = ()
    workflows: tuple[Workflow, ...] = ()
    version: str = ""

    @property
    def duration_s(self) -> int | None:
        """Seconds from start to end; None where either is not known."""
        return self.finished - self.started if 0 < self.started <= self.finished else None

    @property
    def failed_workflows(self) -> tuple[Workflow, ...]:
        """Those in failure or error: under a green pipeline they make it failed."""
        return tuple(workflow for workflow in self.workflows if workflow.state.is_failed)


class Repo(NamedTuple):
    """A repository as CI knows it."""

    id: int
    full_name: str
    active: bool = True


class QueueInfo(NamedTuple):
    """What the server's queue says; only administrators may see it."""

    workers: int
    """free and busy slots of all agents together; 0 means there is no agent"""
    pending: int
    running: int
    paused: bool


class LogLine(NamedTuple):
    """One line of a step's log."""

    number: int
    text: str
