"""Shows the logs of failed steps, of one step by name, or of all; and follows them until the pipeline ends."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from homelab_hooks.ci.model import LogLine, Pipeline, Repo
from homelab_hooks.ci.provider import REQUEST_TIMEOUT_S, Provider
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Event
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling.loop import poll_until_decided
from homelab_hooks.polling.outcome import Denied, Found, Poll, Unavailable
from homelab_hooks.text.durations import format_duration
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.watch import log_tail
from homelab_hooks.watch.failure_report import (
    REPORT_REQUEST_TIMEOUT_S,
    WatchClock,
    make_log_reader,
    read_log_to_end,
)
from homelab_hooks.watch.log_follow import GIVE_UP_AFTER_S, FollowState, LogUpdate, decide_log_follow, start_follow
from homelab_hooks.watch.log_selection import LogSelection, SelectedStep, select_steps, select_workflow_errors
from homelab_hooks.watch.log_tail import LogTail

NO_OUTPUT_LINE = LogLine(0, "(no output)")
"""shown for a step without output"""
NO_OUTPUT_YET_LINE = LogLine(0, "(no output yet)")
"""shown for a step whose log is empty so far, and may still arrive"""
PLACEHOLDER_LINES = (NO_OUTPUT_LINE, NO_OUTPUT_YET_LINE)


class LogReader:
    """Reads the logs of one repository's steps.

    Args:
        out: is called with a step, and a line of its log or None for a heading.
    """

    def __init__(
        self, ci: Provider, repo: Repo, *, clock: WatchClock, out: Callable[[SelectedStep, LogLine | None], None]
    ) -> None:
        self._ci, self._repo, self._clock, self._out = ci, repo, clock, out
        self._printed: dict[Hashable, int] = {}
        self._failures: dict[Hashable, str] = {}
        self.incomplete: tuple[str, ...] = ()
        """the names of shown steps whose log may be incomplete"""
        self.missing: tuple[tuple[str, str], ...] = ()
        """the names of steps whose log could not be read, each with the reason"""

    def show(self, pipeline: Pipeline, selection: LogSelection) -> None:
        """Print the log of each selected step as far as it has arrived. The time to wait is for all steps together."""
        until = self._clock.now() + log_tail.LOG_TIMEOUT_S
        for selected in select_steps(pipeline, selection):
            # After one log that could not be read, the others get less time.
            within = REPORT_REQUEST_TIMEOUT_S if self.missing else REQUEST_TIMEOUT_S
            read_log = make_log_reader(self._ci.logs, self._repo, pipeline.run, within=within)
            left = max(0.0, until - self._clock.now())
            begin = log_tail.start_tail(selected.step, pipeline, wall_time=self._clock.wall(), timeout=left)
            self._show_step(selected, read_log_to_end(read_log, begin, clock=self._clock), selection.last_lines)
        self._show_workflow_errors(pipeline, selection)

    def _show_workflow_errors(self, pipeline: Pipeline, selection: LogSelection) -> None:
        """Print the errors of workflows that failed without a failed step, in place of a log."""
        for selected in () if selection.step else select_workflow_errors(pipeline, selection.workflows):
            self._out(selected, None)
            for number, text in enumerate(selected.workflow.error.splitlines()):
                self._out(selected, LogLine(number, text))

    def _show_step(self, selected: SelectedStep, gathered: LogTail, last_lines: int | None) -> None:
        lines = gathered.lines
        self._out(selected, None)
        self.incomplete += () if gathered.complete else (selected.name,)
        is_late = selected.step.state.is_failed and not gathered.complete  # a failed step has output, as a rule
        if not lines and (gathered.failure or is_late):
            self.missing += ((selected.name, gathered.failure or "not arrived yet"),)
            return
        if not lines:
            self._out(selected, NO_OUTPUT_LINE if gathered.complete else NO_OUTPUT_YET_LINE)
        for line in lines if last_lines is None else lines[max(0, len(lines) - last_lines) :]:
            self._out(selected, line)

    def follow(
        self, pipeline: Pipeline, selection: LogSelection, *, emit: Callable[[Event], None] = lambda _: None
    ) -> Pipeline:
        """Print lines as they arrive until the pipeline has ended or waits for approval, and return the pipeline.

        Raises CommandError if the server refuses, gives no usable response for `GIVE_UP_AFTER_S`, or shows another
        commit under the pipeline's number for that time.

        Args:
            emit: is called with lost and restored contact, and with heartbeats.
        """

        def fetch(state: FollowState) -> Poll[LogUpdate]:
            detail = self._ci.runs.pipeline(self._repo, state.pipeline.run, within=REQUEST_TIMEOUT_S)
            if not isinstance(detail, Found):
                return detail
            if detail.value.commit != pipeline.commit:
                return _refuse_other_commit(detail.value)
            logs = tuple(
                (selected, self._new_lines(detail.value, selected))
                for selected in _steps_to_follow(detail.value, selection)
            )
            unread = any(selected.step.id in self._failures for selected, _ in logs)
            return Found(LogUpdate(detail.value, logs, unread))

        start = start_follow(pipeline, self._clock.now())
        ended = poll_until_decided(start, fetch=fetch, decide=decide_log_follow, emit=emit, clock=self._clock)
        if isinstance(ended.failure, Denied):
            raise CommandError(ended.failure.reason, hint=ended.failure.hint, exit=ended.failure.exit)
        if ended.failure:
            hint = "run the same command again to see the log from its beginning"
            raise CommandError(
                f"no usable response for {format_duration(GIVE_UP_AFTER_S)}: {ended.failure.reason}",
                hint=hint,
                exit=ExitCode.UNREACHABLE,
            )
        self._name_unshown(ended.pipeline, selection)
        return ended.pipeline

    def _name_unshown(self, pipeline: Pipeline, selection: LogSelection) -> None:
        """Name the steps without a shown line: some could not be read, others have no output."""
        for selected in select_steps(pipeline, selection._replace(all=True)):
            if self._printed.get(selected.step.id):
                continue
            if failure := self._failures.get(selected.step.id):
                self.missing += ((selected.name, failure),)
            elif selection.step or selected.step.state.is_failed:
                self._out(selected, None)
                self._out(selected, NO_OUTPUT_LINE)
        self._show_workflow_errors(pipeline, selection)

    def _new_lines(self, pipeline: Pipeline, selected: SelectedStep) -> tuple[LogLine, ...]:
        """Print the new lines of a step and return all its lines."""
        answer = self._ci.logs.log(self._repo, pipeline.run, selected.step, within=REQUEST_TIMEOUT_S)
        lines = answer.value if isinstance(answer, Found) else ()
        self._failures.pop(selected.step.id, None)
        if isinstance(answer, Denied | Unavailable):
            self._failures[selected.step.id] = answer.reason
        done = self._printed.get(selected.step.id, 0)
        for line in lines[done:]:
            self._out(selected, line)
        self._printed[selected.step.id] = max(done, len(lines))
        return lines


def _steps_to_follow(pipeline: Pipeline, selection: LogSelection) -> tuple[SelectedStep, ...]:
    """Return every step that has started, or the named one as soon as it exists."""
    try:
        return select_steps(pipeline, selection._replace(all=True))
    except CommandError:
        if pipeline.status.is_final:
            raise
        return ()


def _refuse_other_commit(detail: Pipeline) -> Denied:
    return Denied(
        f"{detail.run} now belongs to commit {short_sha(detail.commit)}: "
        "its pipeline was deleted, or the CI database was restored",
        hint="to run CI for this commit again, run: homelab ci restart --redeliver",
        exit=ExitCode.NO_PIPELINE,
    )
