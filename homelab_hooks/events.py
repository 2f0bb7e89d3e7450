"""What can be told while a command runs; views hear these and nothing else."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from homelab_hooks.exit_codes import ExitCode


class Stage(StrEnum):
    """The stages of a landing, in order (contract, section 6)."""

    PREFLIGHT = "preflight"
    FETCH = "fetch"
    MERGE = "merge"
    VERIFY = "verify"
    PUSH = "push"
    CONFIRM = "confirm"
    WATCH = "watch"
    DEPLOY = "deploy"


class Progress(StrEnum):
    """Where a stage is."""

    STARTED = "started"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class LogLevel(StrEnum):
    """How loud a log line is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Start(NamedTuple):
    """A command began: what it is about, and how to take it up again."""

    command: str
    sha: str = ""
    repo: str = ""
    server: str = ""
    resume: str = ""


class StageChanged(NamedTuple):
    """A stage of a landing started or ended; `took` in seconds."""

    stage: Stage
    progress: Progress
    detail: str = ""
    took: float | None = None


class PipelineChanged(NamedTuple):
    """A pipeline was seen for the first time or in another status; `deciding` is false for an "also"."""

    number: int
    trigger: str
    """the pipeline's event in Woodpecker's words: push, tag, ..."""
    ref: str
    status: str
    url: str = ""
    sha: str = ""
    deciding: bool = True
    note: str = ""
    started: int = 0
    """unix seconds, 0 when it has not started"""
    expected: float | None = None
    """seconds it took in earlier successful runs"""


class WorkflowChanged(NamedTuple):
    """A workflow of a pipeline changed its state."""

    pipeline: int
    pid: int
    name: str
    state: str
    took: float | None = None
    error: str = ""


class StepChanged(NamedTuple):
    """A step of a workflow changed its state."""

    pipeline: int
    workflow: str
    pid: int
    name: str
    state: str
    exit_code: int = 0
    took: float | None = None
    error: str = ""


class Waiting(NamedTuple):
    """What is being waited for, said on change and as a heartbeat once a minute; `elapsed` in seconds."""

    reason: str
    remedy: str = ""
    elapsed: float = 0.0


class ContactLost(NamedTuple):
    """No usable response for a while; retrying."""

    reason: str
    retry_for: float
    """seconds left before the server counts as unreachable"""


class ContactRestored(NamedTuple):
    """The server responds again after `away` seconds."""

    away: float


class Log(NamedTuple):
    """A line of text: of a step, of the verification, of a hook, or our own word."""

    source: str
    """`homelab` for our own; else whose line it is: `verify`, `push`, `step build/test`, ..."""
    text: str
    level: LogLevel = LogLevel.INFO


class RolloutChanged(NamedTuple):
    """A workload moved: its phase, a sentence, and its counts of pods.

    `updated` are made from the present template, `old` of another one and not on their way out; `ready` and
    `available` are new and old ones together.
    """

    target: str
    phase: str
    detail: str = ""
    desired: int | None = None
    updated: int | None = None
    ready: int | None = None
    available: int | None = None
    old: int | None = None


class FindingStatus(StrEnum):
    """How it stands with something that was examined."""

    OK = "ok"
    WARNING = "warning"
    """it works, but not as well as it could, or not for long"""
    PROBLEM = "problem"
    SKIPPED = "skipped"
    """not examined: it is not needed, or something before it is broken"""


class Finding(NamedTuple):
    """What an examination found: the evidence, and what to do about it, as a command where there is one."""

    check: str
    health: FindingStatus
    evidence: str
    remedy: str = ""
    exit: ExitCode = ExitCode.OK
    """the code with which a landing would end because of it"""


class BackgroundWatch(NamedTuple):
    """A push of this repository that something else watches, or watched last; `age` in seconds."""

    sha: str
    branch: str
    under_way: bool
    age: float
    """since it began, or since it ended"""
    verdict: str = ""
    exit: ExitCode | None = None
    url: str = ""
    log: str = ""
    """the file with its progress"""


class PipelineResult(NamedTuple):
    """One pipeline in the result."""

    number: int
    event: str
    ref: str
    status: str
    url: str


class DeployResult(NamedTuple):
    """One workload in the result."""

    target: str
    verdict: str
    reason: str
    image: str = ""


class Result(NamedTuple):
    """The last word of every command (contract, section 4); `took` in seconds."""

    verdict: str
    exit: ExitCode
    sha: str = ""
    pipelines: tuple[PipelineResult, ...] = ()
    deploys: tuple[DeployResult, ...] = ()
    landed: bool | None = None
    url: str = ""
    reason: str = ""
    """what happened, in one sentence"""
    hint: str = ""
    """what to do, in one sentence"""
    took: float = 0.0


Event = (
    Start
    | StageChanged
    | PipelineChanged
    | WorkflowChanged
    | StepChanged
    | Waiting
    | ContactLost
    | ContactRestored
    | Log
    | RolloutChanged
    | Finding
    | BackgroundWatch
    | Result
)
