"""One landing under way: its state kept before each effect, its stages announced and timed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from homelab_hooks.errors import CommandError
from homelab_hooks.events import Log, LogLevel, Stage
from homelab_hooks.follow.stage import StageReport, run_stage
from homelab_hooks.git.remote_url import format_remote_url
from homelab_hooks.git.remotes import Remotes
from homelab_hooks.git.repository import Repository
from homelab_hooks.land.contention import Contention
from homelab_hooks.land.request import LandingDependencies, LandRequest
from homelab_hooks.land.state import LandingState, StateFile
from homelab_hooks.text.sanitize import strip_control_chars

ABORT_HINT = "git land --abort goes back to where the branch was"


class Landing:
    """A landing's request, dependencies and state."""

    def __init__(self, dependencies: LandingDependencies, store: StateFile, state: LandingState) -> None:
        self.dependencies = dependencies
        self.state = state
        self.contention = Contention()
        self.round_began = 0.0
        """when the last fetch began"""
        self._store = store
        self._warned = ""
        dependencies.on_landed(state.landed)

    @property
    def git(self) -> Repository:
        """The repository."""
        return self.dependencies.git

    @property
    def poller(self) -> Remotes:
        """Polls the remote, and prompts nobody."""
        return self.dependencies.poller or self.dependencies.git.remotes

    @property
    def request(self) -> LandRequest:
        """What was asked for."""
        return self.state.request

    @property
    def upstream(self) -> str:
        """The target as a person knows it, and as the merge's message names it: `origin/main`."""
        return f"{format_remote_url(self.state.remote)}/{strip_control_chars(self.state.target)}"

    def save(self, **changes: Any) -> None:
        """Write down what is about to happen, or has.

        Raises CommandError where that cannot be written, for what then happened could not be taken up again. Once a
        push may have reached the server, and at an end, it is only told: nothing may hide what became of it.
        """
        before, self.state = self.state, replace(self.state, **changes)
        self.dependencies.on_landed(self.state.landed)
        done = before.push_unconfirmed or before.landed_commit or "ended_with" in changes
        with self._as_warning() if done else nullcontext():
            self._store.save(self.state)

    def discard(self) -> None:
        """The landing is over: nothing is left of it, unless another has begun in the meantime."""
        with self._as_warning():
            found = self._store.load()
            self.git.transfer.clear_push_pid()
            if found is None or (found.branch, found.original_commit) == (
                self.state.branch,
                self.state.original_commit,
            ):
                self._store.clear()

    @contextmanager
    def _as_warning(self) -> Iterator[None]:
        """A Problem within this is a warning, said once."""
        try:
            yield
        except CommandError as problem:
            if problem.message != self._warned:
                self.log(problem.message, level=LogLevel.WARNING)
            self._warned = problem.message

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[StageReport]:
        """A stage, written down and told."""
        self.save(stage=stage)
        with run_stage(stage, emit=self.dependencies.tell, clock=self.dependencies.clock) as report:
            yield report

    def log(self, text: str, *, source: str = "homelab", level: LogLevel = LogLevel.INFO) -> None:
        """A line for the user."""
        self.dependencies.tell(Log(source=source, text=strip_control_chars(text), level=level))
