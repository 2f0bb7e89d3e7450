"""A pipeline with its workflows and steps, the same for every CI provider.

A provider converts its own format to these values. The watch compares, orders, and shows them, and passes references
back to the provider unchanged.
"""

from __future__ import annotations

from collections.abc import Hashable
from enum import StrEnum
from typing import NamedTuple

from homelab_hooks.events import MatrixAxis, format_workflow_title


class Status(StrEnum):
    """The status of a pipeline, workflow, or step; a provider maps its own words to these."""

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
    """a status that homelab does not know; it never counts as success"""

    @property
    def is_final(self) -> bool:
        """Return whether the status is final: in no recording was a final status followed by another."""
        return self in _FINAL_STATUSES

    @property
    def is_failed(self) -> bool:
        """Return whether the status is failure or error."""
        return self in {Status.FAILURE, Status.ERROR}

    @property
    def is_cancelled(self) -> bool:
        """Return whether it was ended early: by a user, by a step, or by a newer pipeline."""
        return self in {Status.KILLED, Status.CANCELED}


_FINAL_STATUSES = frozenset(
    {Status.SUCCESS, Status.FAILURE, Status.ERROR, Status.KILLED, Status.CANCELED, Status.DECLINED, Status.SKIPPED}
)


class RunRef(NamedTuple):
    """A reference to a pipeline of a repository, made by the provider.

    Two references are equal if they mean the same pipeline. `str()` is the text for display: "#141".
    """

    key: Hashable
    """the provider's own ID of the pipeline; nothing else reads it"""
    text: str

    def __str__(self) -> str:
        """Return the text for display."""
        return self.text


class Step(NamedTuple):
    """A step of a workflow."""

    id: Hashable
    """the provider's own ID of the log; nothing else reads it"""
    pid: int
    name: str
    state: Status
    exit_code: int = 0
    error: str = ""
    is_pull_failure: bool = False
    """its image could not be pulled"""
    kind: str = ""
    """clone, service, plugin, commands, cache; empty if the server does not report it"""
    started: int = 0
    finished: int = 0

    @property
    def can_be_blamed(self) -> bool:
        """Return whether the step can be the cause of a failed workflow; a killed step and a service cannot."""
        return self.state.is_failed and self.kind != "service"


class Workflow(NamedTuple):
    """A workflow of a pipeline; the cells of a matrix share a name and differ in their axes."""

    pid: int
    name: str
    state: Status
    error: str = ""
    is_pull_failure: bool = False
    """an image could not be pulled"""
    started: int = 0
    finished: int = 0
    steps: tuple[Step, ...] = ()
    url: str = ""
    """its web page; empty if not known"""
    axes: tuple[MatrixAxis, ...] = ()
    """the matrix variables that distinguish it from the other cells, by name; empty without a matrix"""

    @property
    def title(self) -> str:
        """Return the name with the axes."""
        return format_workflow_title(self.name, self.axes)


class Cancellation(NamedTuple):
    """Who or what ended a pipeline early; it counts only while the status is killed or canceled."""

    by_user: str = ""
    by_step: str = ""
    superseded_by: RunRef | None = None
    """the pipeline that replaced it"""


class ConfigError(NamedTuple):
    """An error or a warning about the pipeline configuration."""

    message: str
    is_warning: bool = False
    location: str = ""
    is_forge_failure: bool = False
    """the forge did not return the configuration; so none was stored, and there is nothing to fix in it"""


class Pipeline(NamedTuple):
    """One row of the list, or one detail (then with workflows); times in unix seconds, 0 if not set."""

    run: RunRef
    number: int
    """its place in the repository's list: a newer pipeline has a higher number"""
    group: Hashable
    """pipelines of one commit with the same group replace each other, and the newest counts; made by the provider"""
    event: str
    ref: str
    branch: str
    commit: str
    status: Status
    raw_status: str = ""
    """the provider's own word, as it is shown"""
    message: str = ""
    author: str = ""
    variables: tuple[str, ...] = ()
    """the values of the variables that it was started with"""
    reviewed_by: str = ""
    parent: RunRef | None = None
    """the pipeline that this one restarts"""
    created: int = 0
    started: int = 0
    finished: int = 0
    updated: int = 0
    cancellation: Cancellation | None = None
    reports_cancellation: bool = False
    """whether the provider reports who or what cancelled a pipeline: without `cancellation` it was not superseded"""
    config_errors: tuple[ConfigError, ...] = ()
    workflows: tuple[Workflow, ...] = ()
    hidden_workflows: str = ""
    """why the provider refuses to list the workflows, in a detail; then its success is not proven"""
    attempt: int = 1
    """a provider may run a pipeline again under its number; the highest attempt counts"""
    description: str = ""
    """what the provider says about a failure, if it names no workflow"""
    url: str = ""
    """its web page; empty if not known"""

    @property
    def duration_s(self) -> int | None:
        """Return the seconds from start to end; None if either is not known."""
        return self.finished - self.started if 0 < self.started <= self.finished else None

    @property
    def is_interrupted(self) -> bool:
        """Return whether it was stopped after it had begun: part of its work may be done."""
        return self.status.is_cancelled and self.started > 0

    @property
    def lacks_config(self) -> bool:
        """Return whether nothing could run because the forge did not return the configuration."""
        return any(error.is_forge_failure and not error.is_warning for error in self.config_errors)

    @property
    def failed_workflows(self) -> tuple[Workflow, ...]:
        """Return the workflows in failure or error; a successful pipeline that has one counts as failed."""
        return tuple(workflow for workflow in self.workflows if workflow.state.is_failed)


class Repo(NamedTuple):
    """A repository in CI."""

    id: Hashable
    """the provider's own ID of the repository; nothing else reads it"""
    full_name: str
    active: bool = True
    config_path: str = ""
    """where CI reads the configuration; empty: at its default paths"""
    cancels_previous: frozenset[str] = frozenset()
    """the events whose new pipelines cancel those that run on the same branch"""


class QueueLimit(NamedTuple):
    """A workflow that waits because as many of its concurrency group run as may."""

    repo: Hashable
    """the ID of its repository"""
    run: RunRef
    workflow: str
    group: str
    running: int
    """how many of the group run; it may not be more"""


class QueueInfo(NamedTuple):
    """The state of the server's job queue."""

    workers: int
    """free and busy slots of all agents together; 0 if no agent is connected"""
    pending: int
    running: int
    paused: bool
    limited: tuple[QueueLimit, ...] = ()


class LogLine(NamedTuple):
    """One line of a step's log."""

    number: int
    text: str
