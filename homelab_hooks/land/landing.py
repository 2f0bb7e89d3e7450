"""A landing in progress: saves its state before each effect, and reports its stages with their time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from homelab_hooks.errors import CommandError
from homelab_hooks.events import Log, LogLevel, Stage
from homelab_hooks.follow.child_output import ChildOutput
from homelab_hooks.follow.stage import StageReport, run_stage
from homelab_hooks.git.push_result import shown_lines
from homelab_hooks.git.remote_url import format_remote_url
from homelab_hooks.git.remotes import Remotes
from homelab_hooks.git.repository import Repository
from homelab_hooks.land.contention import Contention
from homelab_hooks.land.request import LandingDependencies, LandRequest
from homelab_hooks.land.state import LandingState, StateFile
from homelab_hooks.text.sanitize import strip_control_chars

if TYPE_CHECKING:
    from homelab_hooks.land.proposal import ProposalPlan
    from homelab_hooks.land.queue_decision import TargetTip

ABORT_HINT = "to restore the branch, run git land --abort"


@dataclass(slots=True)
class QueueMemory:
    """What the rounds of one landing share: when the first wait began, and what was seen of the target's tips."""

    began_at: float | None = None
    appeared: frozenset[str] = frozenset()
    """commits whose pipelines have been seen"""
    tips: dict[str, TargetTip] = field(default_factory=dict)


class Landing:
    """A landing's request, dependencies, and state."""

    def __init__(self, dependencies: LandingDependencies, store: StateFile, state: LandingState) -> None:
        self.dependencies = dependencies
        self.state = state
        self.contention = Contention()
        self.round_began = 0.0
        """when the last fetch began"""
        self.queue = QueueMemory()
        self.plan: ProposalPlan | None = None
        """how a target that takes no direct pushes is landed on"""
        self._store = store
        self._warned = ""
        dependencies.on_landed(state.landed)

    @property
    def git(self) -> Repository:
        """Return the repository."""
        return self.dependencies.git

    @property
    def poller(self) -> Remotes:
        """Return git for polling the remote, without prompts."""
        return self.dependencies.poller or self.dependencies.git.remotes

    @property
    def request(self) -> LandRequest:
        """Return the options of this landing."""
        return self.state.request

    @property
    def upstream(self) -> str:
        """Return the target as the merge message names it: `origin/main`."""
        return f"{format_remote_url(self.state.remote)}/{strip_control_chars(self.state.target)}"

    def skip_marker(self, sha: str) -> str:
        """Return what in the message of a commit makes CI skip it; empty if nothing does, or CI is not watched."""
        find = self.dependencies.find_skip_marker
        return find(self.git.history.commit_message(sha)) if find else ""

    def save(self, **changes: Any) -> None:
        """Save the next step before it runs, or its result.

        Raises CommandError if the state cannot be written: the landing could then not be resumed. Once a push may have
        reached the server, and at the end, a failure is only a warning: the result is still reported.
        """
        before, self.state = self.state, self.state._replace(**changes)
        self.dependencies.on_landed(self.state.landed)
        done = before.push_unconfirmed or before.landed_commit or "ended_with" in changes
        with self._as_warning() if done else nullcontext():
            self._store.save(self.state)

    def discard(self) -> None:
        """Remove the state file, unless another landing has begun in the meantime."""
        with self._as_warning():
            found = self._store.load()
            if found is None or (found.branch, found.original_commit) == (
                self.state.branch,
                self.state.original_commit,
            ):
                self.git.transfer.clear_push_pid()
                self.git.operations.clear_pid()
                self._store.clear()

    @contextmanager
    def _as_warning(self) -> Iterator[None]:
        """Log a CommandError as a warning, once."""
        try:
            yield
        except CommandError as problem:
            if problem.message != self._warned:
                self.log(problem.message, level=LogLevel.WARNING)
            self._warned = problem.message

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[StageReport]:
        """Run a stage: save it, and report its start and end."""
        self.save(stage=stage)
        with run_stage(stage, emit=self.dependencies.tell, clock=self.dependencies.clock) as report:
            yield report

    def listen(self, source: str, waiting_for: str) -> ChildOutput:
        """Return a listener that logs what git, its hooks, and helpers print in a stage, and a heartbeat."""
        tell, clock = self.dependencies.tell, self.dependencies.clock
        return ChildOutput(source, emit=tell, clock=clock, waiting_for=waiting_for, choose_lines=shown_lines)

    def log(self, text: str, *, source: str = "homelab", level: LogLevel = LogLevel.INFO) -> None:
        """Log a line for the user."""
        self.dependencies.tell(Log(source=source, text=strip_control_chars(text), level=level))
