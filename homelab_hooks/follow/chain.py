"""Runs the links of a chain in order and returns one verdict for all of them.

Theory of operation.

The chain is a list of links that is fixed before the first one begins. Its state is the list of verdicts of the links
that have ended, so the position in the chain is the length of that list and cannot disagree with it. There is one
input, the verdict of the link that has just ended, and one decision, `decide_next`:

    verdicts so far        links left    decision
    none                   some          run the first link
    last one ended with 0  some          run the next link
    last one ended with 0  none          end with it
    last one is 8 or 124   any           end with it, and name the command that resumes this link
    any other code         any           end with it
    none                   none          end with the verdict that the caller passed in

Invariants, and what each prevents:

* A link begins only after the one before it ended with 0. A rollout is not waited for while CI can still reject the
  commit, because the wait would time out and hide the reason.
* The first code other than 0 is the chain's code. No later link can improve or worsen it.
* 8 (unreachable) and 124 (timeout) leave open how the link ends. Their hint is the command for this link, not the one
  for the whole command: running `git land` a second time would find nothing to land.
* Pipelines and the URL are carried over from earlier links. A verdict about a rollout still shows which pipelines
  built the image.
* The resume command is reported before the link runs, so that Ctrl-C in the link's first second prints it.

`decide_next` is pure. `run_chain` is the loop around it: it announces and times each link and does nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from homelab_hooks.events import Event
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.link import Link
from homelab_hooks.follow.stage import run_stage
from homelab_hooks.polling.loop import Clock
from homelab_hooks.verdict import Verdict

UNDECIDED_EXITS = frozenset({ExitCode.TIMEOUT, ExitCode.UNREACHABLE})
"""codes after which the same link can be waited for again"""


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
    )


def run_chain(
    links: Sequence[Link],
    *,
    without_links: Verdict,
    emit: Callable[[Event], None],
    clock: Clock,
    on_resume_command: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Run each link after the one before it has succeeded, and return the chain's verdict.

    Args:
        without_links: the verdict of a chain that has no links.
        on_resume_command: gets each link's resume command before the link runs.
    """
    resume_commands = [link.resume_command for link in links]
    verdicts: list[Verdict] = []
    while True:
        step = decide_next(verdicts, resume_commands, without_links=without_links)
        if isinstance(step, EndChain):
            return step.verdict
        link = links[step.index]
        on_resume_command(link.resume_command)
        with run_stage(link.stage, emit=emit, clock=clock) as report:
            verdict = link.run()
            verdicts.append(verdict)
            report.detail = verdict.reason
            if verdict.exit is not ExitCode.OK:
                report.mark_failed()
