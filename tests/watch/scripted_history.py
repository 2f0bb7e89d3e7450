"""A generated history on the simulated server: its rows as scripts, its troubles as faults."""

from __future__ import annotations

from homelab_hooks.ci.model import Cancellation
from homelab_hooks.simulators import faults
from homelab_hooks.simulators.faults import FaultPoint, FaultRule, HttpFault
from homelab_hooks.simulators.woodpecker.script import DELETED, Frame, PipelineTimeline, ScriptedStep, ScriptedWorkflow
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.simulators.woodpecker.store import PipelineRow as Scripted
from tests.watch.random_history import SETTLED, PipelineCourse, RandomHistory

FAULTS: dict[str, tuple[tuple[HttpFault, ...], str]] = {
    "missed": (
        (
            faults.Cut(FaultPoint.BEFORE),
            faults.StatusFault(code=503),
            faults.BAD_GATEWAY,
            faults.Truncated(),
            faults.BodyFault(),
            faults.NotHttp(b"\x00\xff\xfe\r\n"),
        ),
        "/api/(user|repos)",
    ),
    "page": ((faults.WEB_PAGE, faults.Redirect("https://sso.example.test/")), "/api/(user|repos)"),
    "slow-401": ((faults.LOCKED_DATABASE,), "/api/(user|repos)"),
    "empty-list": ((faults.MissingPipelines(),), r"pipelines\?"),
    "older": ((faults.StaleAnswer(5.0),), "pipelines"),
    "no-detail": (
        (faults.StatusFault(code=500), faults.BodyFault(content=b"null"), faults.Cut(FaultPoint.BODY)),
        r"pipelines/\d",
    ),
}
"""what a trouble may be, and which requests meet it"""


def play(woodpecker: WoodpeckerSimulator, history: RandomHistory) -> None:
    """Make the simulated server answer by the history from its second 0 on."""
    woodpecker.store.rows += [_scripted(index, row) for index, row in enumerate(history.rows)]
    rules = []
    for number, trouble in enumerate(history.troubles):
        kinds, path = FAULTS[trouble.kind]
        fault = kinds[(history.seed + number) % len(kinds)]
        rules.append(FaultRule(fault=fault, path=path, since=trouble.since, until=trouble.until))
    woodpecker.fail(*rules)


def _scripted(index: int, row: PipelineCourse) -> Scripted:
    begin = row.life[0][0]
    frames = [
        Frame(t - begin, status.value, _flows(row, t), cancel_info=_info(row.stopped) if status.is_cancelled else None)
        for t, status in row.life
    ]
    if row.gone_at < SETTLED:
        frames.append(Frame(row.gone_at - begin, DELETED))
    script = PipelineTimeline(tuple(frames))
    return Scripted(
        id=1000 + index,
        number=row.number,
        repo_id=8,
        commit=row.commit,
        created=begin,
        timeline=script,
        original_timeline=script,
        first_workflow=100 * index + 1,
        first_step=100 * index + 5001,
        event=row.event,
        ref=row.ref,
    )


def _flows(row: PipelineCourse, t: float) -> tuple[ScriptedWorkflow, ...]:
    detail = row.detail(t)
    assert detail is not None
    return tuple(
        ScriptedWorkflow(w.name, w.state.value, (ScriptedStep("step", w.state.value),)) for w in detail.workflows
    )


def _info(stopped: Cancellation | None) -> tuple[tuple[str, str | int], ...]:
    if stopped is None:
        return ()
    known: tuple[tuple[str, str | int], ...] = (
        ("canceled_by_user", stopped.by_user),
        ("canceled_by_step", stopped.by_step),
        ("superseded_by", int(str(stopped.superseded_by or "#0")[1:])),
    )
    return tuple(pair for pair in known if pair[1])
