"""Shows the logs of failed steps, of one step by name, or of all; and follows them until the pipeline ends."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple, assert_never

from homelab_hooks.ci.model import LogLine, Pipeline, Repo, Status, Step, Workflow
from homelab_hooks.ci.provider import REQUEST_TIMEOUT_S, Provider
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.polling import contact
from homelab_hooks.polling.contact import Contact
from homelab_hooks.polling.loop import poll_until_decided
from homelab_hooks.polling.outcome import Decision, Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.text.durations import format_duration
from homelab_hooks.text.sanitize import strip_control_chars
from homelab_hooks.watch import log_tail
from homelab_hooks.watch.failure_report import (
    REPORT_REQUEST_TIMEOUT_S,
    WatchClock,
    make_log_reader,
    read_log_to_end,
)
from homelab_hooks.watch.log_tail import LogTail

QUIET_AFTER_END_S = 2.5
"""seconds without a new line after the pipeline's end; agents send a second late or more (recording 02c-late-logs)"""
POLL_INTERVAL_S = 1.0
"""seconds between two polls"""
RETRY_INTERVAL_S = 2.0
"""seconds before the next poll after one without a usable response"""
GIVE_UP_AFTER_S = 180.0
"""seconds without a usable response after which following ends"""
NO_OUTPUT_LINE = LogLine(0, "(no output)")
"""shown for a step without output"""
NO_OUTPUT_YET_LINE = LogLine(0, "(no output yet)")
"""shown for a step whose log is empty so far, and may still arrive"""
PLACEHOLDER_LINES = (NO_OUTPUT_LINE, NO_OUTPUT_YET_LINE)
_STARTED_STATUSES = {Status.RUNNING, Status.SUCCESS, Status.FAILURE, Status.ERROR, Status.KILLED}


class LogSelection(NamedTuple):
    """Which steps: one by name, all, or those that failed."""

    step: str = ""
    all: bool = False
    last_lines: int | None = None
    """how many of the last lines to show; None for all"""


class SelectedStep(NamedTuple):
    """A step whose log is shown."""

    workflow: Workflow
    step: Step

    @property
    def title(self) -> str:
        """Return the heading of the step's log."""
        code = f", exit code {self.step.exit_code}" if self.step.exit_code else ""
        error = f", {self.step.error}" if self.step.error else ""
        return strip_control_chars(f"{self.name}: {self.step.state}{code}{error}")

    @property
    def name(self) -> str:
        """Return the name that distinguishes the step from every other of the pipeline, as `--step` takes it."""
        return f"{self.workflow.title}/{self.step.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name that selects the step; the shorter ones may select others too."""
        return self.step.name, f"{self.workflow.name}/{self.step.name}", self.name


def select_steps(pipeline: Pipeline, selection: LogSelection) -> tuple[SelectedStep, ...]:
    """Return the selected steps. Raises CommandError if no step has the given name."""
    steps = [SelectedStep(workflow, step) for workflow in pipeline.workflows for step in workflow.steps]
    if selection.step:
        found = [c for c in steps if selection.step in c.names]
        if not found:
            names = ", ".join(strip_control_chars(c.name) for c in steps) or "none yet"
            raise CommandError(f"{pipeline.run} has no step {selection.step!r}", hint=f"expected one of {names}")
        return tuple(found)
    if selection.all:
        return tuple(c for c in steps if c.step.state in _STARTED_STATUSES)
    return tuple(c for c in steps if c.step.state.is_failed)


def has_selected_step(pipeline: Pipeline, selection: LogSelection) -> bool:
    """Return whether the pipeline has the step that is selected by name, if one is."""
    steps = [SelectedStep(workflow, step) for workflow in pipeline.workflows for step in workflow.steps]
    return not selection.step or any(selection.step in one.names for one in steps)


class FollowState(NamedTuple):
    """The state of following: the lines so far, and when the last one came."""

    pipeline: Pipeline
    line_counts: tuple[tuple[Hashable, int], ...] = ()
    """the number of lines of each step, by its id"""
    last_growth_at: float | None = None
    contact: Contact | None = None
    """set by the first poll, as if the server had answered before: the pipeline was read from it"""
    failure: Unavailable | Denied | None = None
    """why following ended early"""


class LogUpdate(NamedTuple):
    """What one poll brought: the pipeline, and the logs of its steps."""

    pipeline: Pipeline
    logs: tuple[tuple[SelectedStep, tuple[LogLine, ...]], ...]
    has_unread: bool = False
    """the log of at least one step could not be read"""


def decide_log_follow(state: FollowState, poll: Poll[LogUpdate], now: float) -> Decision[FollowState]:
    """Settle when the pipeline has ended and no line has come for a while; an `eof` of the stream proves nothing."""
    known = Contact(silent_since=now, ever_answered=True) if state.contact is None else state.contact
    if state.last_growth_at is None:
        state = state._replace(last_growth_at=now)
    match poll:
        case Found(update):
            known, _ = contact.on_answer(known, now)
            return _on_update(state._replace(contact=known), update, now)
        case NotFound():
            return Decision(state._replace(contact=known), delay=RETRY_INTERVAL_S)
        case Denied():
            known, _ = contact.on_denied(known, poll, now, asked_at=now, timeout=GIVE_UP_AFTER_S)
            failed = contact.is_refusal_believed(known, poll, now, timeout=GIVE_UP_AFTER_S)
        case Unavailable():
            known, _ = contact.on_unavailable(known, poll, now, asked_at=now, timeout=GIVE_UP_AFTER_S)
            failed = contact.is_timed_out(known, now, timeout=GIVE_UP_AFTER_S)
        case _:
            assert_never(poll)
    state = state._replace(contact=known, failure=poll if failed else None)
    return Decision(state, delay=None if failed else RETRY_INTERVAL_S)


def _on_update(state: FollowState, update: LogUpdate, now: float) -> Decision[FollowState]:
    counts = tuple((selected.step.id, len(lines)) for selected, lines in update.logs)
    changed = counts != state.line_counts or update.pipeline.status is not state.pipeline.status
    state = state._replace(
        pipeline=update.pipeline, line_counts=counts, last_growth_at=now if changed else state.last_growth_at
    )
    has_empty_failure = update.has_unread or any(
        selected.step.state.is_failed and not lines for selected, lines in update.logs
    )
    quiet = now - (state.last_growth_at if state.last_growth_at is not None else now)
    if state.pipeline.status.is_final and quiet >= (log_tail.LOG_TIMEOUT_S if has_empty_failure else QUIET_AFTER_END_S):
        return Decision(state)
    return Decision(state, delay=POLL_INTERVAL_S)


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

    def follow(self, pipeline: Pipeline, selection: LogSelection) -> Pipeline:
        """Print lines as they arrive until the pipeline has ended, and return the pipeline.

        Raises CommandError if the server refuses, or gives no usable response for `GIVE_UP_AFTER_S`.
        """

        def fetch(state: FollowState) -> Poll[LogUpdate]:
            detail = self._ci.runs.pipeline(self._repo, state.pipeline.run, within=REQUEST_TIMEOUT_S)
            if not isinstance(detail, Found):
                return detail
            logs = tuple(
                (selected, self._new_lines(detail.value, selected))
                for selected in _steps_to_follow(detail.value, selection)
            )
            unread = any(selected.step.id in self._failures for selected, _ in logs)
            return Found(LogUpdate(detail.value, logs, unread))

        ended = poll_until_decided(
            FollowState(pipeline), fetch=fetch, decide=decide_log_follow, emit=lambda _: None, clock=self._clock
        )
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
