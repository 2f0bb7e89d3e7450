"""The plain view: the lines that it prints for each event, and the result line at the end."""

from __future__ import annotations

import shlex
from typing import Protocol, assert_never
from urllib.parse import quote

from homelab_hooks.events import (
    Answer,
    BackgroundWatch,
    ChainStarted,
    ContactLost,
    ContactRestored,
    Event,
    Finding,
    FindingStatus,
    Log,
    LogLevel,
    PipelineChanged,
    Progress,
    Result,
    RolloutChanged,
    SettingShown,
    StageChanged,
    Start,
    StepChanged,
    VerbListed,
    Waiting,
    WorkflowChanged,
)
from homelab_hooks.text import durations
from homelab_hooks.text.command_lines import fold_line
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.text.redaction import Redactor
from homelab_hooks.text.sanitize import elide_middle, indent_result_lookalike, truncate_text
from homelab_hooks.views.sanitize import sanitize_event


class LineOutput(Protocol):
    """Receives the lines."""

    def out(self, line: str) -> None:
        """Write a line to stdout."""

    def err(self, line: str) -> None:
        """Write a line to stderr."""


class PlainView:
    """Prints progress to stderr and the result line to stdout, without control characters, below 200 columns a line."""

    def __init__(self, output: LineOutput, redact: Redactor) -> None:
        self._output = output
        self._redact = redact
        self._last_detail = ""
        self._log_source = ""

    def tell(self, event: Event) -> None:
        """Show one event; the result's reason is omitted if it was printed as the detail of the last stage."""
        sanitized = sanitize_event(event, self._redact)
        if not isinstance(sanitized, Log):
            self._log_source = ""
        if isinstance(sanitized, Result):
            is_repeated = sanitized.reason == self._last_detail
            self._write(sanitized._replace(reason="") if is_repeated else sanitized)
            self._output.out(format_result_line(sanitized))
            return
        if isinstance(sanitized, StageChanged):
            self._last_detail = sanitized.detail
        self._write(sanitized)

    def _write(self, event: Event) -> None:
        for line in self._under_its_source(event) if isinstance(event, Log) else render_plain_lines(event):
            for part in fold_line(line.rstrip()) if has_own_text(event) else [truncate_text(line.rstrip())]:
                self._output.err(indent_result_lookalike(part))

    def _under_its_source(self, log: Log) -> list[str]:
        """Return the line of a log; a long source is not repeated in each line, but printed above the first."""
        if len(log.source) <= _MAX_SOURCE_COLUMNS:
            return render_plain_lines(log)
        head = [] if log.source == self._log_source else [f"{log.source}:"]
        self._log_source = log.source
        return [*head, f"  | {log.text}"]

    def close(self) -> None:
        """Do nothing: there is nothing to restore."""


def has_own_text(event: Event) -> bool:
    """Return whether the event's text is homelab's, so that a command in it is meant to be run."""
    return isinstance(event, Start | Waiting | Finding | Result) or (
        isinstance(event, Log) and event.source == "homelab"
    )


def render_plain_lines(event: Event) -> list[str]:  # noqa: C901, PLR0911, PLR0912 - one case per event; mypy checks that all are there
    """Return the lines that plain mode prints on stderr for an event: one for most events, none for some."""
    match event:
        case Start():
            return _start(event)
        case ChainStarted():
            return [f"follows: {', '.join(_short_name(link) for link in event.links)}"]
        case StageChanged():
            return _stage(event)
        case PipelineChanged():
            return _pipeline(event)
        case WorkflowChanged(state="pending" | "created") | StepChanged(state="pending" | "created"):
            return []
        case WorkflowChanged():
            return [
                f"  {_short_name(event.title)}: {event.state}{_duration_suffix(event.took)}{_error_suffix(event.error)}"
            ]
        case StepChanged():
            code = f" (exit code {event.exit_code})" if event.exit_code else ""
            name = f"{_short_name(event.workflow_title)}/{_short_name(event.name)}"
            return [f"    {name}: {event.state}{code}{_duration_suffix(event.took)}{_error_suffix(event.error)}"]
        case Waiting():
            remedy = f"; {event.remedy}" if event.remedy else ""
            reason = truncate_text(event.reason, _MAX_REASON_COLUMNS) if remedy else event.reason
            return [f"waiting: {reason} ({durations.format_duration(event.elapsed)}){remedy}"]
        case ContactLost():
            return [
                f"no usable response: {event.reason}; retrying for up to {durations.format_duration(event.retry_for)}"
            ]
        case ContactRestored():
            return [f"reconnected after {durations.format_duration(event.away)}"]
        case Log():
            return [_log(event)]
        case RolloutChanged():
            return [_rollout(event)]
        case Finding():
            return format_finding(event)
        case BackgroundWatch():
            return [format_background_watch(event), *([f"  log: {event.log}"] if event.log else [])]
        case SettingShown() | VerbListed() | Answer():
            return ["  ".join(event)]
        case Result():
            return _closing_lines(event)
        case _:
            assert_never(event)


def format_result_line(result: Result) -> str:
    """Return the last line of output: `homelab: VERDICT exit=N key=value ...`; values contain no spaces.

    >>> from homelab_hooks.exit_codes import ExitCode
    >>> format_result_line(Result(verdict="passed", exit=ExitCode.OK, sha="9f2c", took=2.04))
    'homelab: passed exit=0 sha=9f2c took=2.0'
    """
    pairs = [
        ("exit", str(int(result.exit))),
        ("sha", result.sha),
        ("pipelines", ",".join(f"#{pipeline.number}" for pipeline in result.pipelines)),
        ("landed", "" if result.landed is None else "yes" if result.landed else "no"),
        ("url", result.url),
        ("link", quote(result.link, safe=_LINK_CHARS)),
        ("took", f"{result.took:.1f}"),
    ]
    shown = [(key, "".join(value.split())) for key, value in pairs]
    return " ".join([f"homelab: {result.verdict}", *(f"{key}={value}" for key, value in shown if value)])


_LINK_CHARS = "/:@#*,?=&+[]"
"""characters of a link that need no percent-encoding: it has no spaces then"""


def _start(event: Start) -> list[str]:
    about = " ".join(part for part in (short_sha(event.sha), event.repo, event.server and f"on {event.server}") if part)
    lines = [f"{event.command}: {about}" if about else event.command]
    return [*lines, f"to resume, run: {shlex.join(event.resume)}"] if event.resume else lines


def _stage(event: StageChanged) -> list[str]:
    detail = f": {event.detail}" if event.detail else ""
    name = _short_name(event.link) if ":" in event.link else event.stage
    if event.progress is Progress.STARTED:
        return [f"{name}{detail or ' ...'}"]
    return [f"{name} {event.progress}{detail}{_duration_suffix(event.took)}"]


def _pipeline(event: PipelineChanged) -> list[str]:
    note = f" ({event.note})" if event.note else ""
    url = f" {event.url}" if event.url and (event.status in ("created", "pending", "blocked") or event.note) else ""
    took = _duration_suffix(event.took)
    return [f"#{event.number} {_short_name(event.trigger)} {_short_name(event.ref)}: {event.status}{note}{took}{url}"]


def _log(event: Log) -> str:
    if event.source == "homelab":
        return {LogLevel.INFO: "", LogLevel.WARNING: "warning: ", LogLevel.ERROR: "error: "}[event.level] + event.text
    return f"{event.source} | {event.text}"


def format_background_watch(event: BackgroundWatch) -> str:
    """Return one line about the running or the last watch of a push."""
    push = f"{short_sha(event.sha)} on {event.branch}"
    if event.under_way:
        return f"watching: {push}, for {durations.format_duration(event.age)}"
    url = f" {event.url}" if event.url else ""
    code = "" if event.exit is None else f" exit={int(event.exit)}"
    return f"last watch: {push}: {event.verdict}{code}, {durations.format_duration(event.age)} ago{url}"


def _rollout(event: RolloutChanged) -> str:
    counts = format_pod_counts(event)
    total = f" of {event.desired}" if event.desired is not None and counts else ""
    detail = f": {event.detail}" if event.detail else ""
    return f"{event.target} {event.phase}{detail}" + (f" ({counts}{total})" if counts else "")


def format_pod_counts(event: RolloutChanged) -> str:
    """Return the known pod counts of a rollout, such as "1 updated, 2 ready"."""
    counts = [("updated", event.updated), ("ready", event.ready), ("available", event.available), ("old", event.old)]
    return ", ".join(f"{count} {name}" for name, count in counts if count is not None)


_STATUS_MARKS = {
    FindingStatus.OK: "ok",
    FindingStatus.WARNING: "!",
    FindingStatus.PROBLEM: "x",
    FindingStatus.SKIPPED: "-",
}
"""the mark in front of a finding, because plain text has no colors"""
MARK_COLUMNS, CHECK_COLUMNS = 3, 12
"""columns of the mark and of the name of the check"""


def format_finding(event: Finding) -> list[str]:
    """Return a line with the evidence and, if there is one, a line with the fix."""
    head = f"{_STATUS_MARKS[event.health]:<{MARK_COLUMNS}}{event.check:<{CHECK_COLUMNS}} "
    lines = [head + event.evidence]
    return [*lines, f"{'':<{len(head)}}-> {event.remedy}"] if event.remedy else lines


def _closing_lines(event: Result) -> list[str]:
    lines = [event.reason] if event.reason else []
    return [*lines, f"hint: {event.hint}"] if event.hint else lines


def _duration_suffix(seconds: float | None) -> str:
    return "" if seconds is None else f" [{durations.format_duration(seconds)}]"


_MAX_NAME_COLUMNS = 60
"""columns of a name in a line: a longer one would push the state off the line"""
_MAX_SOURCE_COLUMNS = 12
"""columns of the source of a log that is repeated in each line"""
_MAX_REASON_COLUMNS = 120
"""columns of a reason in front of its remedy"""


def _short_name(text: str) -> str:
    return elide_middle(text, _MAX_NAME_COLUMNS)


def _error_suffix(error: str) -> str:
    return f": {error}" if error else ""
