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
from homelab_hooks.watch.failure_report import WatchClock, make_log_reader, read_log_to_end

QUIET_AFTER_END_S = 2.5
"""seconds without a new line after the pipeline's end; agents send a second late or more (measured, A3)"""
POLL_INTERVAL_S = 1.0
"""seconds between two polls"""
RETRY_INTERVAL_S = 2.0
"""seconds before the next poll after one without a usable response"""
GIVE_UP_AFTER_S = 180.0
"""seconds without a usable response after which following ends"""
NO_OUTPUT_LINE = LogLine(0, "(no output)")
"""shown for a step without output"""
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
        return strip_control_chars(f"{self.workflow.name}/{self.step.name}: {self.step.state}{code}{error}")


def select_steps(pipeline: Pipeline, selection: LogSelection) -> tuple[SelectedStep, ...]:
    """Return the selected steps. Raises CommandError if no step has the given name."""
    steps = [SelectedStep(workflow, step) for workflow in pipeline.workflows for step in workflow.steps]
    if selection.step:
        found = [c for c in steps if selection.step in (c.step.name, f"{c.workflow.name}/{c.step.name}")]
        if not found:
            names = ", ".join(strip_control_chars(f"{c.workflow.name}/{c.step.name}") for c in steps) or "none yet"
            raise CommandError(
                f"{pipeline.run} has no step {selection.step!r}", hint=f"choose one of its steps: {names}"
            )
        return tuple(found)
    if selection.all:
        return tuple(c for c in steps if c.step.state in _STARTED_STATUSES)
    return tuple(c for c in steps if c.step.state.is_failed)


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
    has_empty_failure = any(selected.step.state.is_failed and not lines for selected, lines in update.logs)
    quiet = now - (state.last_growth_at if state.last_growth_at is not None else now)
    if state.pipeline.status.is_final and quiet >= (log_tail.LOG_TIMEOUT_S if has_empty_failure else QUIET_AFTER_END_S):
        return Decision(state)
    return Decision(state, delay=POLL_INTERVAL_S)


class LogReader:
    """Reads the logs of one repository's steps.

    Args:
        out: is called with a step's title, and a line of its log or None for a heading.
    """

    def __init__(
        self, ci: Provider, repo: Repo, *, clock: WatchClock, out: Callable[[str, LogLine | None], None]
    ) -> None:
        self._ci, self._repo, self._clock, self._out = ci, repo, clock, out
        self._printed: dict[Hashable, int] = {}
        self.incomplete: tuple[str, ...] = ()
        """the titles of shown steps whose log may be incomplete"""

    def show(self, pipeline: Pipeline, selection: LogSelection) -> None:
        """Print the log of each selected step as far as it has arrived. The time to wait is for all steps together."""
        until = self._clock.now() + log_tail.LOG_TIMEOUT_S
        read_log = make_log_reader(self._ci.logs, self._repo, pipeline.run, within=REQUEST_TIMEOUT_S)
        for selected in select_steps(pipeline, selection):
            self._out(selected.title, None)
            left = max(0.0, until - self._clock.now())
            begin = log_tail.start_tail(selected.step, pipeline, wall_time=self._clock.wall(), timeout=left)
            gathered = read_log_to_end(read_log, begin, clock=self._clock)
            lines = gathered.lines
            if gathered.complete and not lines:
                self._out(selected.title, NO_OUTPUT_LINE)
            self.incomplete += () if gathered.complete else (selected.title,)
            for line in lines if selection.last_lines is None else lines[max(0, len(lines) - selection.last_lines) :]:
                self._out(selected.title, line)

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
            return Found(LogUpdate(detail.value, logs))

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
        return ended.pipeline

    def _new_lines(self, pipeline: Pipeline, selected: SelectedStep) -> tuple[LogLine, ...]:
        """Print the new lines of a step and return all its lines."""
        answer = self._ci.logs.log(self._repo, pipeline.run, selected.step, within=REQUEST_TIMEOUT_S)
        lines = answer.value if isinstance(answer, Found) else ()
        done = self._printed.get(selected.step.id, 0)
        for line in lines[done:]:
            self._out(selected.title, line)
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
