"""Runs the links of a chain in order and returns one verdict for all of them.

Theory of operation.

The chain is a list of links that is fixed before the first one begins. Its state is the list of results of the links
that have ended, so the position in the chain is the length of that list and cannot disagree with it. There is one
input, the verdict of the link that has just ended, and one decision, `decide_next`:

    results so far         links left    decision
    none                   some          run the first link
    last one ended with 0  some          run the next link
    last one ended with 0  none          end with it
    last one is 8 or 124   any           end with it, and name the command that resumes the chain at this link
    any other code         any           end with it
    none                   none          end with the verdict that the caller passed in

Invariants, and what each prevents:

* A link begins only after the one before it ended with 0. A rollout is not waited for while CI can still reject the
  commit, because the wait would time out and hide the reason.
* The first code other than 0 is the chain's code, and that link is named. No later link can improve or worsen it.
* 8 (unreachable) and 124 (timeout) leave open how the link ends. Their hint is the command that resumes at this link,
  not the one for the whole command: running `git land` a second time would find nothing to land.
* Pipelines, workloads, and the URL are carried over from earlier links. A verdict about a rollout still shows which
  pipelines built the image.
* The receipt has every link in order. One that did not begin has nothing but its name, so it cannot be taken for one
  that succeeded.
* The resume command is reported before the link runs, so that Ctrl-C in the link's first second prints it.

`decide_next` is pure. `run_chain` is the loop around it: it announces the chain and each link, times each link, and
does nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from homelab_hooks.config.link_spec import LinkKind
from homelab_hooks.errors import CommandError
from homelab_hooks.events import ChainStarted, Event, LinkResult
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.link import Link
from homelab_hooks.follow.stage import run_stage
from homelab_hooks.polling.loop import Clock
from homelab_hooks.verdict import SuccessWord, Verdict

UNDECIDED_EXITS = frozenset({ExitCode.TIMEOUT, ExitCode.UNREACHABLE})
"""codes after which the same link can be waited for again"""
_END_LABELS: dict[LinkKind, SuccessWord] = {
    LinkKind.LIVE: "live",
    LinkKind.DEPLOY: "deployed",
    LinkKind.CI: "passed",
    LinkKind.ACTIONS: "passed",
    LinkKind.STATUS: "passed",
}
"""the verdict of a chain whose last link is of this kind; of another kind: ok"""


class WallClock(Clock, Protocol):
    """A clock that also knows the time of day."""

    def wall(self) -> float:
        """Return Unix time in seconds."""


@dataclass(frozen=True, slots=True)
class RunLink:
    """The link at this index comes next."""

    index: int


@dataclass(frozen=True, slots=True)
class EndChain:
    """The chain has ended with this verdict."""

    verdict: Verdict


def decide_next(
    verdicts: Sequence[Verdict], resume_commands: Sequence[str], *, without_links: Verdict
) -> RunLink | EndChain:
    """Return the next step, given the verdicts of the links that have ended.

    Args:
        resume_commands: one for each link of the chain, in order.
        without_links: the verdict of a chain that has no links.

    >>> green, red = Verdict(exit=ExitCode.OK), Verdict(exit=ExitCode.FAILED)
    >>> decide_next([green], ["watch", "wait"], without_links=green)
    RunLink(index=1)
    >>> decide_next([red], ["watch", "wait"], without_links=green).verdict.exit.name
    'FAILED'
    >>> decide_next([Verdict(exit=ExitCode.TIMEOUT)], ["watch", "wait"], without_links=green).verdict.hint
    'to resume, run: watch'
    """
    if not verdicts:
        return RunLink(0) if resume_commands else EndChain(without_links)
    last = verdicts[-1]
    if last.exit is ExitCode.OK and len(verdicts) < len(resume_commands):
        return RunLink(len(verdicts))
    merged = _with_earlier_results(verdicts, without_links)
    if last.exit in UNDECIDED_EXITS:
        return EndChain(merged._replace(hint=f"to resume, run: {resume_commands[len(verdicts) - 1]}"))
    return EndChain(merged)


def _with_earlier_results(verdicts: Sequence[Verdict], first: Verdict) -> Verdict:
    """Return the last verdict, with the newest pipelines and URL that any link reported."""
    newest_first = (*reversed(verdicts), first)
    return verdicts[-1]._replace(
        pipelines=next((verdict.pipelines for verdict in newest_first if verdict.pipelines), ()),
        url=next((verdict.url for verdict in newest_first if verdict.url), ""),
        deploys=tuple(deploy for verdict in verdicts for deploy in verdict.deploys),
    )


def name_end(kind: LinkKind) -> SuccessWord:
    """Return the verdict of a chain that succeeded and whose last link is of this kind.

    >>> name_end(LinkKind.LIVE), name_end(LinkKind.MIRROR)
    ('live', 'ok')
    """
    return _END_LABELS.get(kind, "ok")


def build_receipt(links: Sequence[Link], results: Sequence[LinkResult]) -> tuple[LinkResult, ...]:
    """Return an entry for each link in order; one that did not begin has only its name."""
    return (*results, *(LinkResult(link=link.name) for link in links[len(results) :]))


def run_chain(
    links: Sequence[Link],
    *,
    without_links: Verdict,
    emit: Callable[[Event], None],
    clock: WallClock,
    on_resume_command: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Run each link after the one before it has succeeded, and return the chain's verdict with its receipt.

    A link that cannot begin raises CommandError; that is its verdict.

    Args:
        without_links: the verdict of a chain that has no links.
        on_resume_command: gets each link's resume command before the link runs.
    """
    resume_commands = [link.resume_command for link in links]
    verdicts: list[Verdict] = []
    results: list[LinkResult] = []
    if len(links) > 1:
        emit(ChainStarted(tuple(link.name for link in links)))
    while True:
        step = decide_next(verdicts, resume_commands, without_links=without_links)
        if isinstance(step, EndChain):
            return _end_chain(step.verdict, links, results)
        link = links[step.index]
        on_resume_command(link.resume_command)
        began_at, began = clock.wall(), clock.now()
        verdict = _run_link(link, emit=emit, clock=clock)
        verdicts.append(verdict)
        results.append(make_link_result(link, verdict, began_at=began_at, took=clock.now() - began))


def _run_link(link: Link, *, emit: Callable[[Event], None], clock: Clock) -> Verdict:
    with run_stage(link.stage, emit=emit, clock=clock, link=link.name) as report:
        try:
            verdict = link.run()
        except CommandError as problem:
            verdict = Verdict(exit=problem.exit, reason=problem.message, hint=problem.hint)
        report.detail = verdict.reason
        if verdict.exit is not ExitCode.OK:
            report.mark_failed()
    return verdict


def make_link_result(link: Link, verdict: Verdict, *, began_at: float, took: float) -> LinkResult:
    """Return the receipt's entry of a link that has ended.

    Args:
        began_at: unix seconds.
        took: in seconds.
    """
    label = verdict.label or (name_end(link.kind) if verdict.exit is ExitCode.OK else verdict.exit.verdict)
    return LinkResult(
        link=link.name,
        verdict=label,
        exit=verdict.exit,
        evidence=verdict.reason,
        url=verdict.url,
        began=format_wall_time(began_at),
        took=took,
    )


def format_wall_time(seconds: float) -> str:
    """Return unix seconds as a UTC time in RFC 3339 format.

    >>> format_wall_time(0.25)
    '1970-01-01T00:00:00.250+00:00'
    """
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _end_chain(verdict: Verdict, links: Sequence[Link], results: Sequence[LinkResult]) -> Verdict:
    """Return the verdict with the receipt, the link that decided, and for a success the word for its last link."""
    if not results:
        return verdict
    decided = links[len(results) - 1]
    label = verdict.label or (name_end(decided.kind) if verdict.exit is ExitCode.OK else "")
    return verdict._replace(label=label, link=decided.name, links=build_receipt(links, results))
