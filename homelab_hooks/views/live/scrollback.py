"""Rows that the live view prints permanently: finished stages and pipelines, messages, findings, and the result."""

from __future__ import annotations

from homelab_hooks.events import (
    BackgroundWatch,
    ContactRestored,
    Event,
    Finding,
    FindingStatus,
    Log,
    LogLevel,
    PipelineChanged,
    Progress,
    Result,
    StageChanged,
    Start,
    Waiting,
)
from homelab_hooks.text import durations
from homelab_hooks.text.command_lines import find_command
from homelab_hooks.views import plain
from homelab_hooks.views.live import layout
from homelab_hooks.views.live.cells import Row, Span, Style, choose_style, make_state_symbol, make_symbol, make_tree_row
from homelab_hooks.views.live.chain_row import RUNNING
from homelab_hooks.views.live.state import LiveState, Timestamp, apply_event, is_transient
from homelab_hooks.views.live.timeline import build_timeline_rows, stop_clocks

_LEVEL_STYLES = {LogLevel.INFO: Style.PLAIN, LogLevel.WARNING: Style.WARNING, LogLevel.ERROR: Style.BAD}
_FINDING_STYLES = {
    FindingStatus.OK: Style.GOOD,
    FindingStatus.WARNING: Style.WARNING,
    FindingStatus.PROBLEM: Style.BAD,
    FindingStatus.SKIPPED: Style.MUTED,
}
_STAGE_TEXTS = {Progress.DONE: "done", Progress.FAILED: "failed", Progress.SKIPPED: "skipped"}
SLOW_STEP_S = 10.0
"""seconds from which on the time of a step is kept in the summary, although it succeeded"""
MAX_SLOW_STEPS = 3
"""steps whose times are kept"""
_REMEDY_INDENT_COLUMNS = 3
"""columns of a row of the live region in front of and behind a remedy; what does not fit there is printed once"""
_FINDING_MARK_COLUMNS = 2
"""columns of the mark of a finding"""
_DETAIL_OFFSET_COLUMNS = 20
"""columns of a stage's row before its detail"""


def build_scrollback_rows(state: LiveState, event: Event, at: Timestamp, columns: int) -> list[Row]:  # noqa: C901, PLR0911 - one case per event
    """Return the rows that an event adds to the scrollback; `state` is the state before the event."""
    match event:
        case Start():
            return [_wrapped_row(plain.render_plain_lines(event)[0])]
        case BackgroundWatch():
            return [_wrapped_row(line, Style.MUTED) for line in plain.render_plain_lines(event)]
        case StageChanged() if event.progress is not Progress.STARTED:
            return [*_finished_pipelines(state, at, columns), _stage(event)]
        case PipelineChanged() if event.deciding:
            return _pipeline_notes(state, event)
        case ContactRestored() if state.contact_lost:
            return [
                _wrapped_row(
                    f"no usable response for {durations.format_duration(event.away)}: "
                    f"{state.contact_lost.event.reason}",
                    Style.MUTED,
                )
            ]
        case Log() if not is_transient(event):
            return _log(state, event)
        case Waiting() if _is_command_cut(event, columns):
            known = state.waiting.event.remedy if state.waiting else ""
            return [_wrapped_row(event.remedy, Style.WARNING)] if event.remedy != known else []
        case Finding():
            return _finding(event, columns)
        case Result():
            return [
                *_finished_pipelines(_with_final_statuses(state, event, at), at, columns),
                *build_timeline_rows(state.timeline, stop_clocks(state.chain, at.now), columns - 1),
                *_closing_rows(state, event, columns),
            ]
        case _:
            return []


def _is_command_cut(event: Waiting, columns: int) -> bool:
    """Return whether the live region has no room for the remedy, and a command in it would be cut."""
    return find_command(event.remedy) is not None and len(event.remedy) + _REMEDY_INDENT_COLUMNS > columns


def _wrapped_row(text: str, style: Style = Style.PLAIN) -> Row:
    return Row((Span(text, style),), wraps=True, has_command=find_command(text) is not None)


def _stage(event: StageChanged) -> Row:
    """Return the row of a finished stage; the reason of a failure is not truncated."""
    time = "" if event.took is None or event.progress is Progress.SKIPPED else durations.format_duration(event.took)
    skipped = "skipped: " if event.progress is Progress.SKIPPED and event.detail else ""
    head = Span(f" {event.stage:<9}{time:>7}  ")
    progress = _STAGE_TEXTS[event.progress]
    style = Style.BAD if event.progress is Progress.FAILED else Style.MUTED
    detail = Span(f"{skipped}{event.detail or progress}", style)
    return Row((make_state_symbol(progress), head, detail), wraps=event.progress is Progress.FAILED)


def _finding(event: Finding, columns: int) -> list[Row]:
    """Return the evidence, broken between words unless a command is in it, and, below it, the fix."""
    style = _FINDING_STYLES[event.health]
    head, *remedy = plain.format_finding(event)
    text, shown = head[plain.MARK_COLUMNS :], Style.PLAIN if style is Style.GOOD else style
    lines = [text] if find_command(text) else _break_between_words(text, columns - _FINDING_MARK_COLUMNS)
    first = Row((make_symbol(style), Span(" "), Span(lines[0], shown)), wraps=True)
    others = [Row((Span(" " * _FINDING_MARK_COLUMNS), Span(line, shown)), wraps=True) for line in lines[1:]]
    return [first, *others, *(_wrapped_row(line) for line in remedy)]


def _break_between_words(text: str, columns: int) -> list[str]:
    """Return the lines of the evidence of a finding, the others below the first one's second column."""
    import textwrap

    indent = " " * plain.CHECK_COLUMNS if columns > 2 * plain.CHECK_COLUMNS else ""
    wrapped = textwrap.wrap(
        text, max(columns - 1, 1), subsequent_indent=f"{indent} ", break_long_words=False, break_on_hyphens=False,
        replace_whitespace=False, drop_whitespace=True,
    )  # fmt: skip
    return wrapped or [text]


def _with_final_statuses(state: LiveState, event: Result, at: Timestamp) -> LiveState:
    """Return the state with the final statuses of the result's pipelines."""
    for last in event.pipelines:
        tracked = state.pipelines.get(last.number)
        if tracked:
            state = apply_event(state, tracked.event._replace(status=last.status), at)
    return state


def _finished_pipelines(state: LiveState, at: Timestamp, columns: int) -> list[Row]:
    """Return the pipelines with their failed steps, and the rollouts if there are several."""
    found: list[Row] = []
    for number in sorted(state.pipelines):
        tracked = state.pipelines[number]
        time = layout.format_pipeline_time(tracked, at)
        name = layout.format_pipeline_title(tracked.event)
        column = max(10, min(len(name) + 2, columns - 19))
        url, status = tracked.event.url, tracked.event.status
        found.append(make_tree_row(name, status, time, indent=0, column=column, priority=0, url=url))
        found += _failed_steps(state, number) if choose_style(tracked.event.status) is Style.BAD else []
        found += _running_steps(state, number) if status == RUNNING else _slow_steps(state, number)
    if len(state.rollouts) > 1:
        events = [tracked.event for _, tracked in sorted(state.rollouts.items())]
        found += [
            Row((make_state_symbol(event.phase), Span(f" {event.target}  "),
            Span(event.phase, choose_style(event.phase)),
                 Span(f"  {event.detail}" if event.detail else "", Style.MUTED)))
            for event in events
        ]  # fmt: skip
    return found


def _failed_steps(state: LiveState, number: int) -> list[Row]:
    events = [tracked.event for key, tracked in sorted(state.steps.items()) if key[0] == number]
    return [
        Row((Span("  "), make_state_symbol(event.state), Span(f" {line.strip()}")), wraps=True)
        for event in events
        if event.state in {"failure", "error"}
        for line in plain.render_plain_lines(event)
    ]


def _running_steps(state: LiveState, number: int) -> list[Row]:
    """Return one row with the steps that are running, for a command that does not wait for their end."""
    steps = [tracked.event for key, tracked in sorted(state.steps.items()) if key[0] == number]
    running = ", ".join(step.name for step in steps if step.state == RUNNING)
    text = f"  {layout.count_ended_steps(steps)}/{len(steps)} steps" + (f", running: {running}" if running else "")
    return [Row((Span(text, Style.MUTED),))] if steps else []


def _slow_steps(state: LiveState, number: int) -> list[Row]:
    """Return one row with the slowest steps that succeeded and took long."""
    events = [tracked.event for key, tracked in state.steps.items() if key[0] == number]
    slow = [event for event in events if event.state == "success" and (event.took or 0.0) >= SLOW_STEP_S]
    slowest = sorted(slow, key=lambda event: -(event.took or 0.0))[:MAX_SLOW_STEPS]
    texts = [f"{event.name} {durations.format_duration(event.took or 0.0)}" for event in slowest]
    return [Row((Span(f"  slowest steps: {', '.join(texts)}", Style.MUTED),))] if texts else []


def _pipeline_notes(state: LiveState, event: PipelineChanged) -> list[Row]:
    """Return the URL of a new pipeline, and its note, such as why it was superseded."""
    notes = [event.note] if event.note else []
    is_new = event.number not in state.pipelines and choose_style(event.status) not in layout.FINAL_STYLES
    notes += [event.url] if event.url and is_new else []  # the URL of one that has ended is in the result
    return [_wrapped_row(f"{layout.format_pipeline_title(event)}: {note}", Style.MUTED) for note in notes]


def _log(state: LiveState, event: Log) -> list[Row]:
    """Return a log line, preceded by its source if that has changed."""
    if event.source == "homelab":
        return [_wrapped_row(plain.render_plain_lines(event)[0], _LEVEL_STYLES[event.level])]
    head = [] if event.source == state.last_source else [_wrapped_row(event.source)]
    style = Style.COLORED if "\x1b" in event.text else _LEVEL_STYLES[event.level]
    return [*head, Row((Span("  │ ", Style.MUTED), Span(event.text, style)), wraps=True)]


def _closing_rows(state: LiveState, event: Result, columns: int) -> list[Row]:
    """Return the hint and the reason, unless the last stage showed it as its detail or a pipeline's row shows it."""
    shown = event.reason == state.last_detail and (
        bool(event.exit) or len(event.reason) + _DETAIL_OFFSET_COLUMNS < columns
    )
    shown = shown or event.reason in {f"#{number} passed" for number in state.pipelines}
    style = Style.BAD if event.exit else Style.GOOD
    reason = [_wrapped_row(event.reason, style)] if event.reason and not shown else []
    return [*reason, _wrapped_row(f"hint: {event.hint}")] if event.hint else reason
