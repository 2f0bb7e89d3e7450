"""What can be told while a command runs; views hear these and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from homelab_hooks.exits import Exit


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


class Level(StrEnum):
    """How loud a log line is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A command began: what it is about, and how to take it up again."""

    event: ClassVar[str] = "start"
    command: str
    sha: str = ""
    repo: str = ""
    server: str = ""
    resume: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageChanged:
    """A stage of a landing started or ended; `took` in seconds."""

    event: ClassVar[str] = "stage"
    stage: Stage
    progress: Progress
    detail: str = ""
    took: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineChanged:
    """A pipeline was seen for the first time or in another status; `deciding` is false for an "also"."""

    event: ClassVar[str] = "pipeline"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowChanged:
    """A workflow of a pipeline changed its state."""

    event: ClassVar[str] = "workflow"
    pipeline: int
    pid: int
    name: str
    state: str
    took: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChanged:
    """A step of a workflow changed its state."""

    event: ClassVar[str] = "step"
    pipeline: int
    workflow: str
    pid: int
    name: str
    state: str
    exit_code: int = 0
    took: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What is being waited for, said on change and as a heartbeat once a minute; `elapsed` in seconds."""

    event: ClassVar[str] = "waiting"
    reason: str
    remedy: str = ""
    elapsed: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LostContact:
    """No usable answer for a while; it is being tried on."""

    event: ClassVar[str] = "lost-contact"
    reason: str
    patience: float
    """seconds left before it counts as unreachable"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """Answers come again after `away` seconds."""

    event: ClassVar[str] = "back"
    away: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A line of text: of a step, of the verification, of a hook, or our own word."""

    event: ClassVar[str] = "log"
    source: str
    """`homelab` for our own; else whose line it is: `verify`, `push`, `step build/test`, ..."""
    text: str
    level: Level = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutChanged:
    """A workload moved: its phase, a sentence, and its counts."""

    event: ClassVar[str] = "rollout"
    target: str
    phase: str
    detail: str = ""
    desired: int | None = None
    updated: int | None = None
    available: int | None = None
    old: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineResult:
    """One pipeline in the result."""

    number: int
    event: str
    ref: str
    status: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployResult:
    """One workload in the result."""

    target: str
    verdict: str
    reason: str
    image: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The last word of every command (contract, section 4); `took` in seconds."""

    event: ClassVar[str] = "result"
    verdict: str
    exit: Exit
    sha: str = ""
    pipelines: tuple[PipelineResult, ...] = ()
    deploys: tuple[DeployResult, ...] = ()
    landed: bool | None = None
    url: str = ""
    reason: str = ""
    """what happened, in one sentence"""
    hint: str = ""
    """what to do, in one sentence"""
    took: float = field(default=0.0)


Event = (
    Start
    | StageChanged
    | PipelineChanged
    | WorkflowChanged
    | StepChanged
    | Waiting
    | LostContact
    | Back
    | Log
    | RolloutChanged
    | Result
)
