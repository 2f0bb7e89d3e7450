"""A generated history on the stand-in: its rows as scripts, its troubles as faults."""

from __future__ import annotations

from homelab_hooks.demo import faults
from homelab_hooks.demo.faults import Fault, Moment, Rule
from homelab_hooks.demo.script import GONE, At, Script, Step, Workflow
from homelab_hooks.demo.woodpecker import Woodpecker
from homelab_hooks.demo.woodpecker_book import Row as Scripted
from homelab_hooks.model import Stopped
from tests.watch.history import SETTLED, History, Row

FAULTS: dict[str, tuple[tuple[Fault, ...], str]] = {
    "missed": (
        (
            faults.Cut(Moment.BEFORE),
            faults.Status(code=503),
            faults.BAD_GATEWAY,
            faults.Truncated(),
            faults.Body(),
            faults.Garbage(),
        ),
        "/api/(user|repos)",
    ),
    "page": ((faults.WEB_PAGE, faults.Redirect("https://sso.example.test/")), "/api/(user|repos)"),
    "slow-401": ((faults.LOCKED_DATABASE,), "/api/(user|repos)"),
    "empty-list": ((faults.Vanished(),), r"pipelines\?"),
    "older": ((faults.Older(5.0),), "pipelines"),
    "no-detail": ((faults.Status(code=500), faults.Body(content=b"null"), faults.Cut(Moment.BODY)), r"pipelines/\d"),
}
"""what a trouble may be, and which requests meet it"""


def play(site: Woodpecker, history: History) -> None:
    """From the stand-in's second 0 on it answers as the history goes."""
    site.book.rows += [_scripted(index, row) for index, row in enumerate(history.rows)]
    rules = []
    for number, trouble in enumerate(history.troubles):
        kinds, path = FAULTS[trouble.kind]
        fault = kinds[(history.seed + number) % len(kinds)]
        rules.append(Rule(fault=fault, path=path, since=trouble.since, until=trouble.until))
    site.fail(*rules)


def _scripted(index: int, row: Row) -> Scripted:
    begin = row.life[0][0]
    frames = [
        At(t - begin, status.value, _flows(row, t), cancel_info=_info(row.stopped) if status.stopped else None)
        for t, status in row.life
    ]
    if row.gone_at < SETTLED:
        frames.append(At(row.gone_at - begin, GONE))
    script = Script(tuple(frames))
    return Scripted(
        id=1000 + index,
        number=row.number,
        repo_id=8,
        commit=row.commit,
        created=begin,
        script=script,
        original=script,
        first_workflow=100 * index + 1,
        first_step=100 * index + 5001,
        event=row.event,
        ref=row.ref,
    )


def _flows(row: Row, t: float) -> tuple[Workflow, ...]:
    detail = row.detail(t)
    assert detail is not None
    return tuple(Workflow(w.name, w.state.value, (Step("step", w.state.value),)) for w in detail.workflows)


def _info(stopped: Stopped | None) -> tuple[tuple[str, str | int], ...]:
    if stopped is None:
        return ()
    known: tuple[tuple[str, str | int], ...] = (
        ("canceled_by_user", stopped.by_user),
        ("canceled_by_step", stopped.by_step),
        ("superseded_by", stopped.superseded_by),
    )
    return tuple(pair for pair in known if pair[1])
