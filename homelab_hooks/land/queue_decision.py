"""Decides whether a landing may push to a branch on which pipelines run: push, wait for their end, or refuse.

Theory of operation.

The facts of one poll are the newest push pipelines of the target branch, what the server does to a running pipeline
when a newer one starts, and the first sign that a run depends on the commit before it. `find_occupants` selects what
occupies the branch: each active push pipeline, and the tip as long as its own pipeline has not appeared. `decide_push`
then chooses by the setting:

    branch       setting   cancels and depends   decision
    free         any       any                   PushNow
    occupied     push      any                   PushNow, with what runs
    occupied     refuse    any                   RefusePush
    occupied     wait      any                   WaitForEnd
    occupied     auto      yes                   WaitForEnd
    occupied     auto      no                    PushNow, with what runs and why it loses nothing

Invariants, and what each prevents:

* The tip counts as occupied until its pipeline has been seen, for the appear-timeout at most. Between a push and the
  webhook the list is empty, and a second landing would cancel the pipeline that starts a second later.
* A pipeline that was seen once and then vanished was filtered out. It is not waited for again.
* A push is accepted only if the tip is still the one that was evaluated, because git compares and swaps. So two
  landings that find the branch free at the same moment cannot both push; the loser evaluates the new tip.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, assert_never

from homelab_hooks.ci.model import Pipeline, Status
from homelab_hooks.config.schema import WhenBusy
from homelab_hooks.text.durations import format_duration
from homelab_hooks.text.humanize import pluralize, short_sha
from homelab_hooks.text.sanitize import strip_control_chars

SAMPLE_SIZE = 5
"""earlier successful pipelines that the usual duration is taken from"""
MAX_NAMED_COUNT = 3
"""pipelines that a message names"""


class TargetTip(NamedTuple):
    """The tip of the target branch that the landing has merged; `sha` is empty if it is not known yet."""

    sha: str = ""
    since: float = 0.0
    """when it was first seen as the tip, in seconds of the clock"""
    gets_no_pipeline: str = ""
    """why CI runs nothing for it, in words; empty if it may get a pipeline"""


class Occupants(NamedTuple):
    """What occupies a branch."""

    active: tuple[Pipeline, ...] = ()
    """the newest first"""
    awaited_tip: str = ""
    """the tip, if its pipeline has not appeared; empty: it has, or it is not waited for"""

    @property
    def is_free(self) -> bool:
        """Return whether nothing occupies the branch."""
        return not self.active and not self.awaited_tip


class PushNow(NamedTuple):
    """Nothing keeps the landing from pushing; `note` says what runs nevertheless."""

    note: str = ""


class WaitForEnd(NamedTuple):
    """Wait until the branch is free; `why` is empty if the setting asks for it."""

    why: str = ""


class RefusePush(NamedTuple):
    """The setting refuses to push now."""

    reason: str


PushPermit = PushNow | WaitForEnd | RefusePush


def select_pushes(rows: Iterable[Pipeline], branch: str) -> tuple[Pipeline, ...]:
    """Return the push pipelines of a branch; older servers ignore the filter of the request."""
    return tuple(row for row in rows if row.event == "push" and row.branch == branch)


def find_occupants(
    rows: Sequence[Pipeline], tip: TargetTip, *, appeared: frozenset[str], now: float, appear_s: float
) -> Occupants:
    """Return what occupies the branch.

    Args:
        rows: its newest push pipelines.
        appeared: commits whose pipelines have been seen before.
        appear_s: seconds for which the pipeline of a new tip is waited for.
    """
    active = tuple(row for row in rows if not row.status.is_final)
    has_appeared = tip.sha in appeared or any(row.commit == tip.sha for row in rows)
    is_awaited = bool(tip.sha) and not has_appeared and not tip.gets_no_pipeline and now < tip.since + appear_s
    return Occupants(active, tip.sha if is_awaited else "")


def decide_push(occupants: Occupants, when_busy: WhenBusy, *, branch: str, cancels: bool, sign: str) -> PushPermit:
    """Return whether the landing may push.

    Args:
        cancels: whether the server cancels running push pipelines of a branch when a newer one starts.
        sign: the first sign that a run depends on the commit before it, in words; empty if there is none.
    """
    if occupants.is_free:
        return PushNow()
    what = describe_occupants(occupants)
    match when_busy:
        case WhenBusy.PUSH:
            return PushNow(f"{branch} is busy: {what}{'; CI will cancel it' if cancels and occupants.active else ''}")
        case WhenBusy.REFUSE:
            return RefusePush(f"{branch} is busy: {what}")
        case WhenBusy.WAIT:
            return WaitForEnd()
        case WhenBusy.AUTO if cancels and sign:
            return WaitForEnd(f"a push would cancel it, and its work may not be repeated: {sign}")
        case WhenBusy.AUTO:
            harmless = "the next pipeline repeats its work" if cancels else "CI does not cancel it"
            return PushNow(f"{branch} is busy: {what}; {harmless}")
        case _:
            assert_never(when_busy)


def describe_occupants(occupants: Occupants, usual_s: float | None = None) -> str:
    """Return what occupies the branch, in words, for a message.

    Args:
        usual_s: how many seconds earlier successful pipelines took.
    """
    named = [_describe_pipeline(row) for row in occupants.active[:MAX_NAMED_COUNT]]
    more = len(occupants.active) - len(named)
    named += [f"{pluralize(more, 'more pipeline')}"] if more else []
    if occupants.awaited_tip:
        named.append(f"the pipeline of {short_sha(occupants.awaited_tip)}, which has not appeared yet")
    usual = f"; usually {format_duration(usual_s)}" if usual_s is not None else ""
    return ", ".join(named) + usual


def _describe_pipeline(row: Pipeline) -> str:
    author = strip_control_chars(row.author)
    status = row.raw_status or row.status.value
    state = "waiting for approval" if row.status is Status.BLOCKED else strip_control_chars(status)
    return f"{row.run} of {short_sha(row.commit)}{f' by {author}' if author else ''} ({state})"


def find_usual_duration(rows: Sequence[Pipeline]) -> float | None:
    """Return the median seconds of the last successful pipelines; None if there is none.

    >>> find_usual_duration([]) is None
    True
    """
    durations = [row.duration_s for row in rows if row.status is Status.SUCCESS and row.duration_s]
    durations = sorted(durations[:SAMPLE_SIZE])
    return float(durations[len(durations) // 2]) if durations else None
