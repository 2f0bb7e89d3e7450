"""Lays out the live region: builds its rows from the state, and drops the least important ones if they do not fit."""

from __future__ import annotations

from collections.abc import Sequence

from homelab_hooks.events import PipelineChanged, Stage, StepChanged, WorkflowChanged, format_running_source
from homelab_hooks.text import durations
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.text.sanitize import elide_middle, truncate_text
from homelab_hooks.views.live.cells import Row, Span, Style, choose_style, make_bar, make_state_symbol, make_tree_row
from homelab_hooks.views.live.chain_row import MIN_NAME_COLUMNS, RUNNING, ChainCell, make_chain_spans
from homelab_hooks.views.live.state import LiveState, Timestamp, Tracked
from homelab_hooks.views.plain import format_pod_counts

STAGES_THAT_PROMPT = frozenset({Stage.PREFLIGHT, Stage.FETCH, Stage.MERGE, Stage.PUSH, Stage.CONFIRM})
"""stages in which git may prompt for a password: a running clock would overwrite the prompt"""
NAME_COLUMNS, STATE_COLUMNS, CLOCK_COLUMNS = 60, 8, 7
"""maximum columns of a pipeline's name; columns of a state and of a time"""
MIN_WIDE_COLUMNS = 60
"""columns from which on progress bars of rollouts are shown"""
FINAL_STYLES = (Style.GOOD, Style.BAD)
ENDED_STYLES = (*FINAL_STYLES, Style.MUTED)
"""of steps that run no longer, or never will"""
HIGHEST, HIGH, MIDDLE, LOW, LOWEST, FILLER = range(6)
"""priorities of rows: the highest number is dropped first; fillers are shown only where there is room"""


def build_rows(state: LiveState, at: Timestamp, columns: int) -> list[Row]:
    """Return all rows of the live region, from top to bottom."""
    return [
        *_stage(state, at),
        *build_chain_rows(state, at, columns),
        *_contact(state, at),
        *(row for number in sorted(state.pipelines) for row in _pipeline(state, number, at, columns)),
        *(row for name in sorted(state.rollouts) for row in _rollout(state, name, columns)),
        *_waiting(state, at),
        *_tail(state),
    ]


def fit_rows_to_height(all_rows: Sequence[Row], height: int) -> list[Row]:
    """Return at most `height` rows: drop the least important, upper ones first, and count them in the last row.

    >>> three = [Row((Span(text),), priority) for text, priority in (("a", 0), ("b", 2), ("c", 2))]
    >>> [row.text for row in fit_rows_to_height(three, 2)]
    ['a', '… 2 more']
    """
    fillers = [place for place, row in enumerate(all_rows) if row.priority == FILLER]
    left_out = set(fillers[: max(0, len(all_rows) - height)])
    all_rows = [row for place, row in enumerate(all_rows) if place not in left_out]
    if len(all_rows) <= height:
        return all_rows
    order = sorted(range(len(all_rows)), key=lambda place: (all_rows[place].priority, -place))
    kept = sorted(order[: max(0, height - 1)])
    return [*(all_rows[place] for place in kept), Row((Span(f"… {len(all_rows) - len(kept)} more", Style.MUTED),))]


def format_clock(seconds: float) -> str:
    """Return a running time in whole seconds: tenths would change before they can be read.

    >>> format_clock(0.4), format_clock(75.9)
    ('0s', '1m15s')
    """
    whole = int(min(max(0.0, seconds), durations.MAX_DURATION_S))
    return f"{whole}s" if whole < 60 else durations.format_duration(whole)  # noqa: PLR2004 - a minute


def _stage(state: LiveState, at: Timestamp) -> list[Row]:
    if state.stage is None:
        return []
    stage = state.stage.event.stage
    time = "" if stage in STAGES_THAT_PROMPT else format_clock(at.now - state.stage.since.now)
    spans = (
        make_state_symbol(RUNNING),
        Span(f" {stage:<9}{time:>{CLOCK_COLUMNS}}"),
        Span(f"  {state.stage.event.detail}", Style.MUTED),
    )
    return [Row(spans)]


def build_chain_rows(state: LiveState, at: Timestamp, columns: int) -> list[Row]:
    """Return the row of the chain; none if no chain of several links has begun."""
    times = [_format_link_time(cell, at) for cell in state.chain]
    return [Row(make_chain_spans(state.chain, times, columns - 1), HIGH)] if state.chain else []


def _format_link_time(cell: ChainCell, at: Timestamp) -> str:
    if cell.took is not None:
        return durations.format_duration(cell.took)
    return format_clock(at.now - cell.since) if cell.state == RUNNING else ""


def _contact(state: LiveState, at: Timestamp) -> list[Row]:
    if state.contact_lost is None:
        return []
    left = state.contact_lost.event.retry_for - (at.now - state.contact_lost.since.now)
    return [
        Row((Span("! ", Style.WARNING), Span(f"no usable response: {state.contact_lost.event.reason}", Style.WARNING))),
        Row((Span(f"  retrying for up to {format_clock(left)}"),), HIGH),
    ]


def _pipeline(state: LiveState, number: int, at: Timestamp, columns: int) -> list[Row]:
    tracked = state.pipelines[number]
    flows = [flow for key, flow in sorted(state.workflows.items()) if key[0] == number]
    steps = [step for key, step in sorted(state.steps.items()) if key[0] == number]
    names = [*(flow.event.title for flow in flows), *(step.event.name for step in steps)]
    longest = max(len(format_pipeline_title(tracked.event)) + 2, *(len(name) + 6 for name in names), 0)
    column = max(10, min(longest, columns - STATE_COLUMNS - CLOCK_COLUMNS - 4))
    priority = HIGHEST if tracked.event.deciding else LOW
    time = format_pipeline_time(tracked, at)
    found = [
        make_tree_row(
            format_pipeline_title(tracked.event),
            tracked.event.status,
            time,
            indent=0,
            column=column,
            priority=priority,
            url=tracked.event.url,
        )
    ]
    found += _progress(tracked, [step.event for step in steps], at, columns)
    for flow in flows:
        found.append(_child_row(flow, at, indent=2, column=column))
        for step in steps:
            if _belongs_to(step.event, flow.event, flows):
                found += [_child_row(step, at, indent=4, column=column), *_output(state, step.event)]
    return found


def _output(state: LiveState, step: StepChanged) -> list[Row]:
    """Return the last lines of a running step."""
    lines = state.outputs.get(format_running_source(step.pipeline, step.pid), ())
    return [Row((Span("      │ ", Style.MUTED), Span(line, Style.MUTED)), FILLER) for line in lines]


def _belongs_to(step: StepChanged, flow: WorkflowChanged, flows: Sequence[Tracked[WorkflowChanged]]) -> bool:
    """Return whether a step belongs to a workflow: of several with that name and axes, to the last one before it."""
    alike = [each.event.pid for each in flows if each.event.title == step.workflow_title]
    before = [pid for pid in alike if pid < step.pid] or alike
    return flow.title == step.workflow_title and flow.pid == before[-1]


def _child_row(
    tracked: Tracked[WorkflowChanged] | Tracked[StepChanged], at: Timestamp, *, indent: int, column: int
) -> Row:
    event = tracked.event
    if event.took is not None:
        time = durations.format_duration(event.took)
    elif event.state == RUNNING:
        time = format_clock(at.now - tracked.since.now) + ("" if tracked.transition_seen else "+")
    else:
        time = ""
    code = f"exit code {event.exit_code}" if isinstance(event, StepChanged) and event.exit_code else event.error
    style = choose_style(event.state)
    priorities = {Style.BAD: HIGHEST, Style.ACTIVE: HIGH, Style.GOOD: LOWEST}
    priority = MIDDLE if indent == 2 and style is not Style.BAD else priorities.get(style, LOW)  # noqa: PLR2004 - a workflow
    name = event.title if isinstance(event, WorkflowChanged) else event.name
    return make_tree_row(name, event.state, time, note=code, indent=indent, column=column, priority=priority)


def format_pipeline_time(tracked: Tracked[PipelineChanged], at: Timestamp) -> str:
    """Return how long a pipeline has been running, or took; empty if that is unknown."""
    event = tracked.event
    if event.took is not None:
        return durations.format_duration(event.took)
    if choose_style(event.status) in FINAL_STYLES:
        return (
            durations.format_duration(max(0.0, tracked.since.wall - event.started))
            if event.started and tracked.transition_seen
            else ""
        )
    if event.status == RUNNING and event.started:
        return format_clock(at.wall - event.started)
    return format_clock(at.now - tracked.since.now)


def _progress(
    tracked: Tracked[PipelineChanged], steps: Sequence[StepChanged], at: Timestamp, columns: int
) -> list[Row]:
    """Return a progress bar: of the time if that of earlier successful pipelines is known, else of the steps."""
    event = tracked.event
    ended = count_ended_steps(steps)
    count = f"  {ended}/{len(steps)} steps" if steps else ""
    if event.status != RUNNING:
        return []
    if event.started and event.expected:
        elapsed = max(0.0, at.wall - event.started)
        usual = durations.format_duration(event.expected)
        text = f"  {format_clock(elapsed)} of about {usual}" if elapsed <= event.expected else f"  usually {usual}"
        share = elapsed / event.expected
    elif steps:
        text, share = "", ended / len(steps)
    else:
        return []
    width = max(4, min(30, columns - 5 - len(text + count)))
    return [Row((Span("  "), *make_bar(share, width), Span(text + count, Style.MUTED)), HIGH)]


def count_ended_steps(steps: Sequence[StepChanged]) -> int:
    """Return how many steps run no longer, or never will."""
    return sum(choose_style(step.state) in ENDED_STYLES for step in steps)


def _rollout(state: LiveState, name: str, columns: int) -> list[Row]:
    event = state.rollouts[name].event
    style = choose_style(event.phase)
    commit = Span(f"  waits for {short_sha(event.sha)}" if event.sha and style not in FINAL_STYLES else "")
    room = columns - len(f"●   {event.phase} ")
    is_beside = len(name) + len(commit.text) <= room
    shown = name if is_beside else elide_middle(name, max(MIN_NAME_COLUMNS, room))
    spans = (make_state_symbol(event.phase), Span(f" {shown}  "), Span(event.phase, style))
    found = [Row((*spans, commit))] if is_beside else [Row(spans), *([Row((commit,))] if commit.text else [])]
    if event.desired is not None:
        full = (event.updated or 0) / event.desired if event.desired else 1.0
        bar = (*make_bar(full, 8), Span("  ")) if columns >= MIN_WIDE_COLUMNS else ()
        found.append(Row((Span("  "), *bar, Span(f"{format_pod_counts(event)} of {event.desired}")), HIGH))
    if event.detail:
        found.append(Row((Span(f"  {event.detail}", Style.MUTED),), MIDDLE))
    return found


def _waiting(state: LiveState, at: Timestamp) -> list[Row]:
    """Return what the command waits for, unless the pipelines above show it, or its clock would overwrite a prompt."""
    is_shown = any(tracked.event.deciding for tracked in state.pipelines.values())
    if state.waiting is None or (is_shown and not state.waiting.event.remedy):
        return []
    if state.stage and state.stage.event.stage in STAGES_THAT_PROMPT:
        return []
    event, since = state.waiting.event, state.waiting.since.now
    time = format_clock(event.elapsed + at.now - since)
    found = [Row((make_state_symbol("waiting"), Span(f" {event.reason}"), Span(f"  {time}", Style.MUTED)), HIGH)]
    return [*found, Row((Span(f"  {event.remedy}", Style.WARNING),), HIGH)] if event.remedy else found


def _tail(state: LiveState) -> list[Row]:
    last = len(state.tail) - 1
    return [
        Row((Span("  │ ", Style.MUTED), Span(line, Style.MUTED)), HIGH if place == last else LOW)
        for place, line in enumerate(state.tail)
    ]


def format_pipeline_title(event: PipelineChanged) -> str:
    """Return the title of a pipeline: number, event, and ref."""
    suffix = "" if event.deciding else " (info)"
    ref = event.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    return truncate_text(f"#{event.number} {event.trigger} {ref}{suffix}".replace("  ", " "), NAME_COLUMNS)
