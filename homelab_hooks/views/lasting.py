"""What the live view leaves behind: a row for each stage and pipeline that ended, every word that must not pass."""

from __future__ import annotations

from homelab_hooks import durations
from homelab_hooks.events import (
    Back,
    Event,
    Finding,
    Health,
    Level,
    Log,
    PipelineChanged,
    Progress,
    Result,
    StageChanged,
    Start,
    Watched,
)
from homelab_hooks.views import rows, wording
from homelab_hooks.views.board import Board, Moment, fold, passing
from homelab_hooks.views.row import Row, Span, Tone, entry, mark, sign, tone

_LEVELS = {Level.INFO: Tone.PLAIN, Level.WARNING: Tone.LOUD, Level.ERROR: Tone.BAD}
_HEALTH = {Health.OK: Tone.GOOD, Health.WARNING: Tone.LOUD, Health.PROBLEM: Tone.BAD, Health.SKIPPED: Tone.QUIET}
_STAGES = {Progress.DONE: "done", Progress.FAILED: "failed", Progress.SKIPPED: "skipped"}
_BEFORE_DETAIL = 20
"""columns of a stage's row before its last word"""


def lasting(board: Board, event: Event, at: Moment, columns: int) -> list[Row]:  # noqa: C901, PLR0911 - one row an event
    """The rows that an event adds to what stays; `board` is from before it."""
    match event:
        case Start():
            return [_whole(wording.lines(event)[0])]
        case Watched():
            return [_whole(line, Tone.QUIET) for line in wording.lines(event)]
        case StageChanged() if event.progress is not Progress.STARTED:
            return [*_ended(board, at, columns), _stage(event)]
        case PipelineChanged() if event.deciding:
            return _news(board, event)
        case Back() if board.lost:
            return [_whole(f"lost contact for {durations.text(event.away)}: {board.lost.event.reason}", Tone.QUIET)]
        case Log() if not passing(event):
            return _log(board, event)
        case Finding():
            return _finding(event)
        case Result():
            return [*_ended(_decided(board, event, at), at, columns), *_last_words(board, event, columns)]
        case _:
            return []


def _whole(text: str, kind: Tone = Tone.PLAIN) -> Row:
    return Row((Span(text, kind),), whole=True)


def _stage(event: StageChanged) -> Row:
    """A failure's last word is its reason, which is never cut."""
    time = "" if event.took is None or event.progress is Progress.SKIPPED else durations.text(event.took)
    skipped = "skipped: " if event.progress is Progress.SKIPPED and event.detail else ""
    head = Span(f" {event.stage:<9}{time:>7}  ")
    state = _STAGES[event.progress]
    kind = Tone.BAD if event.progress is Progress.FAILED else Tone.QUIET
    said = Span(f"{skipped}{event.detail or state}", kind)
    return Row((mark(state), head, said), whole=event.progress is Progress.FAILED)


def _finding(event: Finding) -> list[Row]:
    """The evidence, and below it what to do."""
    kind = _HEALTH[event.health]
    head, *remedy = wording.finding(event)
    said = Span(head[wording.MARK :], Tone.PLAIN if kind is Tone.GOOD else kind)
    return [Row((sign(kind), Span(" "), said), whole=True), *(_whole(line) for line in remedy)]


def _decided(board: Board, event: Result, at: Moment) -> Board:
    """The board with the statuses that the result is about."""
    for last in event.pipelines:
        told = board.pipelines.get(last.number)
        if told:
            board = fold(board, told.event._replace(status=last.status), at)
    return board


def _ended(board: Board, at: Moment, columns: int) -> list[Row]:
    """The pipelines with what broke in them, and the rollouts where there are several."""
    found: list[Row] = []
    for number in sorted(board.pipelines):
        told = board.pipelines[number]
        time = rows.pipeline_time(told, at)
        name = rows.title(told.event)
        column = max(10, min(len(name) + 2, columns - 19))
        found.append(entry(name, told.event.status, time, indent=0, column=column, rank=0))
        found += _culprits(board, number) if tone(told.event.status) is Tone.BAD else []
    if len(board.rollouts) > 1:
        events = [told.event for _, told in sorted(board.rollouts.items())]
        found += [
            Row((mark(event.phase), Span(f" {event.target}  "), Span(event.phase, tone(event.phase)),
                 Span(f"  {event.detail}" if event.detail else "", Tone.QUIET)))
            for event in events
        ]  # fmt: skip
    return found


def _culprits(board: Board, number: int) -> list[Row]:
    events = [told.event for key, told in sorted(board.steps.items()) if key[0] == number]
    return [
        Row((Span("  "), mark(event.state), Span(f" {line.strip()}")), whole=True)
        for event in events
        if event.state in {"failure", "error"}
        for line in wording.lines(event)
    ]


def _news(board: Board, event: PipelineChanged) -> list[Row]:
    """Where a pipeline can be seen, and why another has taken its place."""
    words = [event.note] if event.note else []
    words += [event.url] if event.url and event.number not in board.pipelines else []
    return [_whole(f"{rows.title(event)}: {word}", Tone.QUIET) for word in words]


def _log(board: Board, event: Log) -> list[Row]:
    """Whose line it is, is said once."""
    if event.source == "homelab":
        return [_whole(wording.lines(event)[0], _LEVELS[event.level])]
    head = [] if event.source == board.speaker else [_whole(event.source)]
    kind = Tone.COLOURED if "\x1b" in event.text else _LEVELS[event.level]
    return [*head, Row((Span("  │ ", Tone.QUIET), Span(event.text, kind)), whole=True)]


def _last_words(board: Board, event: Result, columns: int) -> list[Row]:
    """The reason, unless it stands there whole as the last stage's word, and what to do."""
    shown = event.reason == board.said and (bool(event.exit) or len(event.reason) + _BEFORE_DETAIL < columns)
    kind = Tone.BAD if event.exit else Tone.GOOD
    said = [_whole(event.reason, kind)] if event.reason and not shown else []
    return [*said, _whole(f"hint: {event.hint}")] if event.hint else said
