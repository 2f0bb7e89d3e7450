"""The live view's rows: what a board shows now, in order, and what goes first where there is no room."""

from __future__ import annotations

from collections.abc import Sequence

from homelab_hooks import durations
from homelab_hooks.events import PipelineChanged, Stage, StepChanged, WorkflowChanged
from homelab_hooks.text import short
from homelab_hooks.views.board import Board, Moment, Told
from homelab_hooks.views.row import Row, Span, Tone, bar, entry, mark, tone
from homelab_hooks.views.wording import pods

PROMPTS = frozenset({Stage.PREFLIGHT, Stage.FETCH, Stage.MERGE, Stage.PUSH, Stage.CONFIRM})
"""stages in which git may ask for a password: nothing is redrawn over its question, so no time runs"""
NAME, STATE, CLOCK = 60, 8, 7
"""columns for a pipeline's name at most, for a state and for a time"""
ROOMY = 60
"""columns from which on there is room for more than words"""
BUSY = "running"
SETTLED_TONES = (Tone.GOOD, Tone.BAD)
FIRST, HIGH, MIDDLE, LOW, LEAST = range(5)
"""ranks: what matters least has the highest and is left out first"""


def rows(board: Board, at: Moment, columns: int) -> list[Row]:
    """Everything that is worth showing, from top to bottom."""
    return [
        *_stage(board, at),
        *_contact(board, at),
        *(row for number in sorted(board.pipelines) for row in _pipeline(board, number, at, columns)),
        *(row for name in sorted(board.rollouts) for row in _rollout(board, name, columns)),
        *_waiting(board, at),
        *_tail(board),
    ]


def cropped(all_rows: Sequence[Row], height: int) -> list[Row]:
    """At most `height` rows: what matters least is left out, of equals the upper ones, and how much is said.

    >>> [row.text for row in cropped([Row((Span(c),), rank) for c, rank in (("a", 0), ("b", 2), ("c", 2))], 2)]
    ['a', '… 2 more']
    """
    if len(all_rows) <= height:
        return list(all_rows)
    order = sorted(range(len(all_rows)), key=lambda place: (all_rows[place].rank, -place))
    kept = sorted(order[: max(0, height - 1)])
    return [*(all_rows[place] for place in kept), Row((Span(f"… {len(all_rows) - len(kept)} more", Tone.QUIET),))]


def clock(seconds: float) -> str:
    """A running time: whole seconds, for a tenth is past before it is read.

    >>> clock(0.4), clock(75.9)
    ('0s', '1m15s')
    """
    whole = int(min(max(0.0, seconds), durations.FAR))
    return f"{whole}s" if whole < 60 else durations.text(whole)  # noqa: PLR2004 - a minute


def _stage(board: Board, at: Moment) -> list[Row]:
    if board.stage is None:
        return []
    stage = board.stage.event.stage
    time = "" if stage in PROMPTS else clock(at.now - board.stage.at.now)
    spans = (mark(BUSY), Span(f" {stage:<9}{time:>{CLOCK}}"), Span(f"  {board.stage.event.detail}", Tone.QUIET))
    return [Row(spans)]


def _contact(board: Board, at: Moment) -> list[Row]:
    if board.lost is None:
        return []
    left = board.lost.event.patience - (at.now - board.lost.at.now)
    return [
        Row((Span("! ", Tone.LOUD), Span(f"lost contact: {board.lost.event.reason}", Tone.LOUD))),
        Row((Span(f"  trying on for {clock(left)}"),), HIGH),
    ]


def _pipeline(board: Board, number: int, at: Moment, columns: int) -> list[Row]:
    told = board.pipelines[number]
    flows = [flow for key, flow in sorted(board.workflows.items()) if key[0] == number]
    steps = [step for key, step in sorted(board.steps.items()) if key[0] == number]
    names = [*(flow.event.name for flow in flows), *(step.event.name for step in steps)]
    longest = max(len(title(told.event)) + 2, *(len(name) + 6 for name in names), 0)
    column = max(10, min(longest, columns - STATE - CLOCK - 4))
    rank = FIRST if told.event.deciding else LOW
    time = pipeline_time(told, at)
    found = [entry(title(told.event), told.event.status, time, indent=0, column=column, rank=rank)]
    found += _progress(told, at, columns)
    for flow in flows:
        found.append(_part(flow, at, indent=2, column=column))
        found += [_part(step, at, indent=4, column=column) for step in steps if _within(step.event, flow.event, flows)]
    return found


def _within(step: StepChanged, flow: WorkflowChanged, flows: Sequence[Told[WorkflowChanged]]) -> bool:
    """Whether a step is this workflow's; of several with the same name it is the last one numbered before the step."""
    alike = [each.event.pid for each in flows if each.event.name == step.workflow]
    before = [pid for pid in alike if pid < step.pid] or alike
    return flow.name == step.workflow and flow.pid == before[-1]


def _part(told: Told[WorkflowChanged] | Told[StepChanged], at: Moment, *, indent: int, column: int) -> Row:
    event = told.event
    if event.took is not None:
        time = durations.text(event.took)
    elif event.state == BUSY:
        time = clock(at.now - told.at.now) + ("" if told.witnessed else "+")
    else:
        time = ""
    code = f"exit code {event.exit_code}" if isinstance(event, StepChanged) and event.exit_code else event.error
    kind = tone(event.state)
    ranks = {Tone.BAD: FIRST, Tone.BUSY: HIGH, Tone.GOOD: LEAST}
    rank = MIDDLE if indent == 2 and kind is not Tone.BAD else ranks.get(kind, LOW)  # noqa: PLR2004 - a workflow
    return entry(event.name, event.state, time, note=code, indent=indent, column=column, rank=rank)


def pipeline_time(told: Told[PipelineChanged], at: Moment) -> str:
    """How long it has run, or took; empty where that cannot be known."""
    event = told.event
    if tone(event.status) in SETTLED_TONES:
        return durations.text(max(0.0, told.at.wall - event.started)) if event.started and told.witnessed else ""
    if event.status == BUSY and event.started:
        return clock(at.wall - event.started)
    return clock(at.now - told.at.now)


def _progress(told: Told[PipelineChanged], at: Moment, columns: int) -> list[Row]:
    """A bar to the expected end, where earlier successful pipelines say when that is."""
    event = told.event
    if event.status != BUSY or not event.started or not event.expected:
        return []
    elapsed = max(0.0, at.wall - event.started)
    usual = durations.text(event.expected)
    text = f"  {clock(elapsed)} of about {usual}" if elapsed <= event.expected else f"  usually {usual}"
    width = max(4, min(30, columns - 5 - len(text)))
    return [Row((Span("  "), *bar(elapsed / event.expected, width), Span(text, Tone.QUIET)), HIGH)]


def _rollout(board: Board, name: str, columns: int) -> list[Row]:
    event = board.rollouts[name].event
    found = [Row((mark(event.phase), Span(f" {name}  "), Span(event.phase, tone(event.phase))))]
    if event.desired is not None:
        full = (event.updated or 0) / event.desired if event.desired else 1.0
        drawn = (*bar(full, 8), Span("  ")) if columns >= ROOMY else ()
        found.append(Row((Span("  "), *drawn, Span(f"{pods(event)} of {event.desired}")), HIGH))
    if event.detail:
        found.append(Row((Span(f"  {event.detail}", Tone.QUIET),), MIDDLE))
    return found


def _waiting(board: Board, at: Moment) -> list[Row]:
    """What is waited for, unless the pipelines above say it."""
    if board.waiting is None or (board.pipelines and not board.waiting.event.remedy):
        return []
    event, since = board.waiting.event, board.waiting.at.now
    time = clock(event.elapsed + at.now - since)
    found = [Row((mark("waiting"), Span(f" {event.reason}"), Span(f"  {time}", Tone.QUIET)), HIGH)]
    return [*found, Row((Span(f"  {event.remedy}", Tone.LOUD),), HIGH)] if event.remedy else found


def _tail(board: Board) -> list[Row]:
    last = len(board.tail) - 1
    return [
        Row((Span("  │ ", Tone.QUIET), Span(line, Tone.QUIET)), HIGH if place == last else LOW)
        for place, line in enumerate(board.tail)
    ]


def title(event: PipelineChanged) -> str:
    """A pipeline as it is called on one row."""
    also = "" if event.deciding else " (also)"
    ref = event.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    return short(f"#{event.number} {event.trigger} {ref}{also}".replace("  ", " "), NAME)
