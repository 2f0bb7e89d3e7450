"""The link that runs a command of the user's, whose exit code decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from homelab_hooks.config.link_spec import LinkKind
from homelab_hooks.events import Event, Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.child_output import ChildOutput
from homelab_hooks.polling.loop import Clock
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.exit_status import describe_exit
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.text.durations import format_duration
from homelab_hooks.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCommandLink:
    """Runs the command with HOMELAB_SHA in its environment; its output is shown as it comes.

    Args:
        name: run:COMMAND.
        runner: of the user's commands, without our tokens.
        directory: where the command runs.
        timeout: returns the seconds after which it is ended; called when the link begins.
    """

    name: str
    command: str
    sha: str
    runner: ProcessRunner
    directory: Path
    timeout: Callable[[], float]
    resume_command: str
    clock: Clock
    emit: Callable[[Event], None]

    @property
    def kind(self) -> LinkKind:
        """Return what the link waits for."""
        return LinkKind.RUN

    @property
    def stage(self) -> Stage:
        """Return the stage that the views show."""
        return Stage.RUN

    def run(self) -> Verdict:
        """Run the command to its end and return what its exit code means."""
        output = ChildOutput("run", emit=self.emit, clock=self.clock, waiting_for=f"`{self.command}`")
        timeout = self.timeout()
        listener = _TimedOutput(output, self.clock, until=self.clock.now() + timeout)
        argv, env = ["sh", "-c", self.command], {"HOMELAB_SHA": self.sha}
        try:
            done = self.runner.stream(argv, listener, cwd=self.directory, env=env)
        except _TimeIsOverError:
            reason = f"the command did not end within {format_duration(timeout)}"
            return Verdict(exit=ExitCode.TIMEOUT, reason=reason, sha=self.sha)
        return judge_exit(done, self.sha)


class _TimeIsOverError(Exception):
    """The command has run for its timeout."""


class _TimedOutput:
    """Passes output on until a time; after that, it raises, which ends the command's process group."""

    def __init__(self, output: ChildOutput, clock: Clock, *, until: float) -> None:
        self._output, self._clock, self._until = output, clock, until

    def on_line(self, text: str) -> None:
        """Pass on a line."""
        self._output.on_line(text)
        self._check()

    def on_wait(self) -> None:
        """Pass on that nothing was printed."""
        self._output.on_wait()
        self._check()

    def _check(self) -> None:
        if self._clock.now() >= self._until:
            raise _TimeIsOverError


def judge_exit(done: Completed, sha: str) -> Verdict:
    """Return the verdict for a command that has ended: 0 succeeds, 124 is undecided, anything else failed.

    >>> judge_exit(Completed(124), "").exit.name, judge_exit(Completed(7), "").reason
    ('TIMEOUT', 'the command exited with code 7')
    """
    if done.start_error:
        return Verdict(exit=ExitCode.FAILED, reason=f"the command could not be started: {done.start_error}", sha=sha)
    code = {0: ExitCode.OK, ExitCode.TIMEOUT: ExitCode.TIMEOUT}.get(done.code, ExitCode.FAILED)
    return Verdict(exit=code, reason=f"the command {describe_exit(done.code)}", sha=sha)
