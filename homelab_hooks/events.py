"""The events that a command emits while it runs; they are the only input of the views."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from homelab_hooks.exit_codes import ExitCode


class Stage(StrEnum):
    """The stages of a landing in order, and those of the links that follow it."""

    PREFLIGHT = "preflight"
    FETCH = "fetch"
    MERGE = "merge"
    VERIFY = "verify"
    QUEUE = "queue"
    PUSH = "push"
    PROPOSE = "propose"
    CHECKS = "checks"
    SUBMIT = "submit"
    CONFIRM = "confirm"
    WATCH = "watch"
    MIRROR = "mirror"
    ACTIONS = "actions"
    STATUS = "status"
    DEPLOY = "deploy"
    LIVE = "live"
    RUN = "run"


class Progress(StrEnum):
    """The progress of a stage."""

    STARTED = "started"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class LogLevel(StrEnum):
    """The severity of a log line."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Start(NamedTuple):
    """A command started: the commit, the repository, and the server, and `resume`, the command that resumes it."""

    command: str
    sha: str = ""
    repo: str = ""
    server: str = ""
    resume: tuple[str, ...] | None = None
    """the program and its arguments; None: there is nothing to resume yet"""


class ChainStarted(NamedTuple):
    """A chain of several links begins; `links` are their names in order."""

    links: tuple[str, ...]


class StageChanged(NamedTuple):
    """A stage of a landing started or ended; `took` in seconds."""

    stage: Stage
    progress: Progress
    detail: str = ""
    took: float | None = None
    link: str = ""
    """the link of the chain that the stage waits for; empty for a stage of the landing itself"""


STATUS_TRIGGER = "status"
"""the trigger of a row that stands for a commit status or a check of a forge"""
REMOVED_STATUS = "removed"
"""the status of a pipeline that the server has removed: it was filtered out, and its number may be reused"""


class PipelineChanged(NamedTuple):
    """A pipeline was first seen, its status changed, or the server removed it (`removed`).

    `deciding` is false if its result does not count.
    """

    number: int
    trigger: str
    """the event as Woodpecker names it: push, tag, ..."""
    ref: str
    status: str
    url: str = ""
    sha: str = ""
    deciding: bool = True
    note: str = ""
    started: int = 0
    """Unix time in seconds; 0: not started"""
    expected: float | None = None
    """duration of earlier successful runs, in seconds"""
    interrupted: bool | None = None
    """true if it was stopped after it had begun, so that part of its work may be done; else left out"""
    took: float | None = None
    """seconds from its start to its end; left out until it has ended"""


class MatrixAxis(NamedTuple):
    """One variable of a matrix and its value in one cell."""

    name: str
    value: str


def format_workflow_title(name: str, axes: tuple[MatrixAxis, ...] | None) -> str:
    """Return the name of a workflow with the axes that distinguish it from the other cells of its matrix.

    >>> format_workflow_title("test", (MatrixAxis("GO", "1.22"), MatrixAxis("OS", "linux")))
    'test (GO=1.22, OS=linux)'
    """
    return f"{name} ({', '.join(f'{axis.name}={_quote_value(axis.value)}' for axis in axes)})" if axes else name


def _quote_value(value: str) -> str:
    """Return the value of an axis, in quotes if it could be taken for several axes."""
    return f'"{value}"' if ", " in value else value


class WorkflowChanged(NamedTuple):
    """The state of a workflow changed; `took` in seconds, `axes` only for a cell of a matrix."""

    pipeline: int
    pid: int
    name: str
    state: str
    took: float | None = None
    error: str = ""
    axes: tuple[MatrixAxis, ...] | None = None

    @property
    def title(self) -> str:
        """Return the name with the axes."""
        return format_workflow_title(self.name, self.axes)


class StepChanged(NamedTuple):
    """The state of a step changed; `took` in seconds, `axes` those of its workflow."""

    pipeline: int
    workflow: str
    pid: int
    name: str
    state: str
    exit_code: int = 0
    took: float | None = None
    error: str = ""
    axes: tuple[MatrixAxis, ...] | None = None

    @property
    def workflow_title(self) -> str:
        """Return the name of the workflow with its axes."""
        return format_workflow_title(self.workflow, self.axes)


class Waiting(NamedTuple):
    """What the command waits for, on change and as a heartbeat once a minute; `elapsed` in seconds."""

    reason: str
    remedy: str = ""
    elapsed: float = 0.0


class ContactLost(NamedTuple):
    """The server is unreachable; retrying."""

    reason: str
    retry_for: float
    """seconds left before the server counts as unreachable"""


class ContactRestored(NamedTuple):
    """The server responds again after `away` seconds."""

    away: float


class Log(NamedTuple):
    """A line of output from a step, the verification command, git, or a hook, or a message of homelab itself.

    An unfinished line, such as a question, ends with an ellipsis, and is reported again once it is complete.
    """

    source: str
    """`homelab` for our own messages; else what printed the line: `verify`, `fetch`, `push`, `step build/test`, ..."""
    text: str
    level: LogLevel = LogLevel.INFO
    resume: tuple[str, ...] | None = None
    """the command that resumes from here, if the line reports one: the program and its arguments"""


def format_running_source(pipeline: int, pid: int) -> str:
    """Return the source of the lines of a step that is running; only the live view gets them.

    >>> format_running_source(141, 3)
    'running #141/3'
    """
    return f"running #{pipeline}/{pid}"


class SettingShown(NamedTuple):
    """The effective value of a setting, and its source. The value of a token is never shown."""

    setting: str
    value: str
    source: str


class VerbListed(NamedTuple):
    """A command of the manifest, and its access tier: `read` or `write`."""

    verb: str
    tier: str
    summary: str
    alias: str = ""


class Answer(NamedTuple):
    """A line of a command's answer, such as the path of a new worktree."""

    text: str


class RolloutChanged(NamedTuple):
    """The rollout of a workload progressed: its phase, a description, and pod counts.

    `updated` counts pods of the current template, `old` those of another one that are not terminating. `ready` and
    `available` count pods of both.
    """

    target: str
    phase: str
    detail: str = ""
    desired: int | None = None
    updated: int | None = None
    ready: int | None = None
    available: int | None = None
    old: int | None = None
    sha: str = ""
    """the commit that is waited for"""


class FindingStatus(StrEnum):
    """The outcome of a check."""

    OK = "ok"
    WARNING = "warning"
    """it works, but is degraded or about to break"""
    PROBLEM = "problem"
    SKIPPED = "skipped"
    """not checked: not needed, or an earlier check failed"""


class Finding(NamedTuple):
    """The result of a check: the evidence, and the fix, as a command if possible."""

    check: str
    health: FindingStatus
    evidence: str
    remedy: str = ""
    exit: ExitCode = ExitCode.OK
    """the exit code of `git land` if this is not fixed"""


class BackgroundWatch(NamedTuple):
    """A background watch of this repository that is running, or the last one that ended; `age` in seconds."""

    sha: str
    branch: str
    under_way: bool
    age: float
    """since it started, or since it ended"""
    verdict: str = ""
    exit: ExitCode | None = None
    url: str = ""
    log: str = ""
    """the path of its log file"""


class PipelineResult(NamedTuple):
    """One pipeline in the result."""

    number: int
    event: str
    ref: str
    status: str
    url: str
    interrupted: bool | None = None
    """true if it was stopped after it had begun, so that part of its work may be done; else left out"""


class DeployResult(NamedTuple):
    """One workload in the result."""

    target: str
    verdict: str
    reason: str
    image: str = ""
    proof: str = ""
    """the evidence that the image is of the commit, as in `release v1.4.2`; only if it is"""


class LinkResult(NamedTuple):
    """One link of the chain that followed a push: how it ended, by what evidence. One that did not begin has a name."""

    link: str
    verdict: str = ""
    exit: ExitCode | None = None
    evidence: str = ""
    url: str = ""
    began: str = ""
    """in RFC 3339 format"""
    took: float | None = None
    """in seconds"""


class RevertResult(NamedTuple):
    """How a landed commit was taken back, or why it was not."""

    commit: str
    """the commit that is taken back"""
    sha: str = ""
    """the commit on the target that takes it back; empty if there is none"""
    exit: ExitCode | None = None
    """the exit code of the revert's own landing after `--on-failure revert`"""
    reason: str = ""
    """what happened, in one sentence"""


class Result(NamedTuple):
    """The result, the last event of every command; `took` in seconds."""

    verdict: str
    exit: ExitCode
    sha: str = ""
    pipelines: tuple[PipelineResult, ...] = ()
    deploys: tuple[DeployResult, ...] = ()
    landed: bool | None = None
    url: str = ""
    link: str = ""
    """the link that decided"""
    links: tuple[LinkResult, ...] = ()
    """the receipt: every link of the chain in order"""
    revert: RevertResult | None = None
    """what was taken back by `--revert`, or after `--on-failure revert`"""
    proposed: str = ""
    """the commit that was proposed, if a pull request was merged"""
    tree: str = ""
    """`unverified` if the merged files differ from those that were checked"""
    reason: str = ""
    """what happened, in one sentence"""
    hint: str = ""
    """what to do, in one sentence"""
    resume: tuple[str, ...] | None = None
    """the command that continues what did not end: the program and its arguments"""
    took: float = 0.0


Event = (
    Start
    | ChainStarted
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
    | SettingShown
    | VerbListed
    | Answer
    | Result
)
