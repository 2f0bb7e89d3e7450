"""How the views word events: what plain mode says about each, and the result line."""

from __future__ import annotations

from typing import assert_never

from homelab_hooks import durations
from homelab_hooks.events import (
    Back,
    Event,
    Finding,
    Health,
    Level,
    Log,
    LostContact,
    PipelineChanged,
    Progress,
    Result,
    RolloutChanged,
    StageChanged,
    Start,
    StepChanged,
    Waiting,
    Watched,
    WorkflowChanged,
)
from homelab_hooks.text import short


def lines(event: Event) -> list[str]:  # noqa: C901, PLR0911, PLR0912 - one row an event, and mypy sees that none is missing
    """What plain mode says about an event on stderr; most say one line, some none."""
    match event:
        case Start():
            return _start(event)
        case StageChanged():
            return _stage(event)
        case PipelineChanged():
            return _pipeline(event)
        case WorkflowChanged(state="pending" | "created") | StepChanged(state="pending" | "created"):
            return []
        case WorkflowChanged():
            return [f"  {_name(event.name)}: {event.state}{_took(event.took)}{_because(event.error)}"]
        case StepChanged():
            code = f" (exit code {event.exit_code})" if event.exit_code else ""
            name = f"{_name(event.workflow)}/{_name(event.name)}"
            return [f"    {name}: {event.state}{code}{_took(event.took)}{_because(event.error)}"]
        case Waiting():
            remedy = f"; {event.remedy}" if event.remedy else ""
            return [f"waiting: {event.reason} ({durations.text(event.elapsed)}){remedy}"]
        case LostContact():
            return [f"lost contact: {event.reason}; trying on for {durations.text(event.patience)}"]
        case Back():
            return [f"back after {durations.text(event.away)}"]
        case Log():
            return [_log(event)]
        case RolloutChanged():
            return [_rollout(event)]
        case Finding():
            return finding(event)
        case Watched():
            return [watched(event), *([f"  log: {event.log}"] if event.log else [])]
        case Result():
            return _last_words(event)
        case _:
            assert_never(event)


def result_line(result: Result) -> str:
    """The last line: `homelab: VERDICT exit=N key=value ...`; values never contain spaces.

    >>> from homelab_hooks.exits import Exit
    >>> result_line(Result(verdict="passed", exit=Exit.OK, sha="9f2c", took=2.04))
    'homelab: passed exit=0 sha=9f2c took=2.0'
    """
    pairs = [
        ("exit", str(int(result.exit))),
        ("sha", result.sha),
        ("pipelines", ",".join(f"#{pipeline.number}" for pipeline in result.pipelines)),
        ("landed", "" if result.landed is None else "yes" if result.landed else "no"),
        ("url", result.url),
        ("took", f"{result.took:.1f}"),
    ]
    told = [(key, "".join(value.split())) for key, value in pairs]
    return " ".join([f"homelab: {result.verdict}", *(f"{key}={value}" for key, value in told if value)])


def _start(event: Start) -> list[str]:
    about = " ".join(part for part in (event.sha[:12], event.repo, event.server and f"on {event.server}") if part)
    said = [f"{event.command}: {about}" if about else event.command]
    return [*said, f"to go on later: {event.resume}"] if event.resume else said


def _stage(event: StageChanged) -> list[str]:
    detail = f": {event.detail}" if event.detail else ""
    if event.progress is Progress.STARTED:
        return [f"{event.stage}{detail or ' ...'}"]
    return [f"{event.stage} {event.progress}{detail}{_took(event.took)}"]


def _pipeline(event: PipelineChanged) -> list[str]:
    note = f" ({event.note})" if event.note else ""
    url = f" {event.url}" if event.url and (event.status in ("created", "pending", "blocked") or event.note) else ""
    return [f"#{event.number} {_name(event.trigger)} {_name(event.ref)}: {event.status}{note}{url}"]


def _log(event: Log) -> str:
    if event.source == "homelab":
        return {Level.INFO: "", Level.WARNING: "warning: ", Level.ERROR: "error: "}[event.level] + event.text
    return f"{event.source} | {event.text}"


def watched(event: Watched) -> str:
    """One line about a push that something else watches, or watched last."""
    what = f"{event.sha[:12]} on {event.branch}"
    if event.under_way:
        return f"watched now: {what}, for {durations.text(event.age)}"
    url = f" {event.url}" if event.url else ""
    code = "" if event.exit is None else f" exit={int(event.exit)}"
    return f"watched last: {what}: {event.verdict}{code}, {durations.text(event.age)} ago{url}"


def _rollout(event: RolloutChanged) -> str:
    told = pods(event)
    of = f" of {event.desired}" if event.desired is not None and told else ""
    detail = f": {event.detail}" if event.detail else ""
    return f"{event.target} {event.phase}{detail}" + (f" ({told}{of})" if told else "")


def pods(event: RolloutChanged) -> str:
    """How many pods are what, as far as it is known."""
    counts = [("updated", event.updated), ("ready", event.ready), ("available", event.available), ("old", event.old)]
    return ", ".join(f"{count} {name}" for name, count in counts if count is not None)


_MARKS = {Health.OK: "ok", Health.WARNING: "!", Health.PROBLEM: "x", Health.SKIPPED: "-"}
"""how a finding begins, where there is no colour to say it"""
MARK, _CHECK = 3, 12
"""columns of the mark, and of what was examined"""


def finding(event: Finding) -> list[str]:
    """The evidence, and below it what to do."""
    head = f"{_MARKS[event.health]:<{MARK}}{event.check:<{_CHECK}} "
    said = [head + event.evidence]
    return [*said, f"{'':<{len(head)}}-> {event.remedy}"] if event.remedy else said


def _last_words(event: Result) -> list[str]:
    said = [event.reason] if event.reason else []
    return [*said, f"hint: {event.hint}"] if event.hint else said


def _took(seconds: float | None) -> str:
    return "" if seconds is None else f" [{durations.text(seconds)}]"


_NAME = 60
"""columns of a name in a sentence: a longer one would push what is said about it off the line"""


def _name(text: str) -> str:
    return short(text, _NAME)


def _because(error: str) -> str:
    return f": {error}" if error else ""
