"""homelab ci logs: print the logs of failed steps.

Print the logs of a commit's failed steps (or of --step, or of all steps with --all) to stdout, then the result line.
With --output json, the lines are `log` events. The server may deliver logs late or truncated; what has arrived is
printed. If a log cannot be read, the exit code is 8. If a workflow failed before its first step, its error is printed.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import NamedTuple

from homelab_hooks.app import options, watch_setup
from homelab_hooks.app.session import Session
from homelab_hooks.ci.model import LogLine, Pipeline, Status
from homelab_hooks.config.schema import OutputMode
from homelab_hooks.events import Event, Log, Start
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.text.redaction import sanitize_text
from homelab_hooks.text.sanitize import indent_result_lookalike, truncate_text
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import log_tail, logs
from homelab_hooks.watch.diff import build_pipeline_result
from homelab_hooks.watch.failure_report import format_config_errors
from homelab_hooks.watch.log_selection import (
    LogSelection,
    SelectedStep,
    has_selected_step,
    select_steps,
    select_workflow_errors,
)
from homelab_hooks.watch.snapshot import CommitSnapshot, take_snapshot

MAX_SHOWN_COLUMNS = 40
"""columns of an invalid value that are printed"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument("commit", metavar="COMMIT", nargs="?", help="any revision that git resolves (default: HEAD)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--step",
        default="",
        metavar="NAME",
        help="print only this step: STEP, WORKFLOW/STEP, or the text after == in the output",
    )
    which.add_argument("--all", action="store_true", help="print all steps that have started, not only failed ones")
    parser.add_argument(
        "--workflow",
        action="append",
        metavar="NAME",
        help="print only steps of this workflow; repeatable (default: all)",
    )
    parser.add_argument("--tail", type=_parse_count, metavar="N", help="print only the last N lines of each step")
    parser.add_argument(
        "-f",
        "--follow",
        dest="until_ended",  # `follow` is the name of a setting
        action="store_true",
        help="print new lines as they arrive, until the pipeline has ended or waits for approval",
    )
    options.add_options(parser, *options.CI_OPTIONS, "remote", "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Print the logs, then the result."""
    config, runtime = session.config(vars(args)), session.runtime
    about = watch_setup.resolve_context(config, runtime, args.commit)
    session.tell(
        Start(command=session.prog, sha=about.commit.sha, repo=about.names[0], server=str(runtime.server(config)))
    )
    ci = runtime.ci_provider(config)
    request = watch_setup.build_watch_request(config, runtime, about, watch_setup.build_scope(about.commit, None))
    told = watch_setup.only_contact_events(session.tell)
    seen = take_snapshot(request, watch_setup.watch_dependencies(runtime, about, ci), clock=runtime.clock, emit=told)
    if not seen.tracks or seen.repo is None:
        return session.finish(seen.verdict)
    choice = LogSelection(step=args.step, all=args.all, last_lines=args.tail, workflows=tuple(args.workflow or ()))
    printer = Printer(session, as_events=config.output is OutputMode.JSON)
    reader = logs.LogReader(ci, seen.repo, clock=runtime.clock, out=printer.print_line)
    shown = _show_logs(seen, reader, choice, follow_with=told if args.until_ended else None)
    for event in format_config_errors(seen.state):
        session.tell(event)
    verdict = _logs_verdict(seen, printer.step_count, reader, shown)
    return session.finish(_without_output(verdict, session.runtime.terminal.write_error))


class ShownPipelines(NamedTuple):
    """The pipelines whose logs were shown, as they are afterwards, and those whose steps could not be read."""

    shown: tuple[Pipeline, ...]
    unread: tuple[str, ...]


def _show_logs(
    seen: CommitSnapshot,
    reader: logs.LogReader,
    choice: LogSelection,
    *,
    follow_with: Callable[[Event], None] | None,
) -> ShownPipelines:
    """Print the logs of every pipeline.

    Args:
        follow_with: is called with events while the pipelines run; None: show what has arrived.
    """
    shown: list[Pipeline] = []
    unread: list[str] = []
    tracks = [track for track in seen.tracks if has_selected_step(seen.detail(track), choice)]
    for track in seen.tracks:
        pipeline = seen.detail(track)
        if tracks and track not in tracks:
            shown.append(pipeline)
        elif follow_with and not pipeline.status.is_final:
            shown.append(reader.follow(pipeline, choice, emit=follow_with))
        elif seen.has_detail(track) or pipeline.status is Status.ERROR:
            reader.show(pipeline, choice)
            shown.append(pipeline)
        else:
            shown.append(pipeline)
            unread.append(str(track.run))
    return ShownPipelines(tuple(shown), tuple(unread))


class Printer:
    """Writes log lines to stdout, with a heading before each step; for JSON output, as `log` events."""

    def __init__(self, session: Session, *, as_events: bool) -> None:
        self._session = session
        self._as_events = as_events
        self._step: tuple[object, str] = ("", "")
        self.step_count = 0

    def print_line(self, selected: SelectedStep, line: LogLine | None) -> None:
        """Print a line, after the step's heading if another step was printed before; None prints only the heading."""
        title = selected.title
        is_new = (selected.step.id, title) != self._step
        self._step = (selected.step.id, title)
        self.step_count += is_new
        if self._as_events:
            self._emit(selected, line)
            return
        terminal, redact = self._session.runtime.terminal, self._session.runtime.redact
        if is_new:
            terminal.out(f"== {sanitize_text(title, redact)}")
        if line is not None:
            shown = sanitize_text(log_tail.render_line(line.text), redact, color=terminal.stdout_has_color)
            terminal.out(indent_result_lookalike(shown))

    def _emit(self, selected: SelectedStep, line: LogLine | None) -> None:
        source = log_tail.format_log_source(selected.workflow, selected.step)
        if line is not None and any(line is own for own in logs.PLACEHOLDER_LINES):  # not the step's words
            self._session.tell(Log(source="homelab", text=f"{source}: {line.text.strip('()')}"))
        elif line is not None:
            self._session.tell(Log(source=source, text=log_tail.render_line(line.text)))


def _logs_verdict(seen: CommitSnapshot, step_count: int, reader: logs.LogReader, pipelines: ShownPipelines) -> Verdict:
    """Return OK only if a log was shown, or if there is none to show because nothing failed."""
    known = seen.verdict._replace(
        exit=ExitCode.OK, label="", reason="", hint="", pipelines=tuple(map(build_pipeline_result, pipelines.shown))
    )
    again = f"run the same command again, or open {known.url}"
    blocked = [one for one in pipelines.shown if one.status is Status.BLOCKED]
    unreadable = _describe_unreadable(reader, pipelines)
    if unreadable:
        return known._replace(exit=ExitCode.UNREACHABLE, reason=unreadable, hint=again)
    if blocked:
        reason = f"{blocked[0].run} is waiting for approval"
        return known._replace(exit=ExitCode.BLOCKED, reason=reason, hint=f"approve the pipeline: {blocked[0].url}")
    if not step_count:
        return _explain_nothing(known, pipelines.shown, again)
    if reader.incomplete:
        reason = f"incomplete: {', '.join(reader.incomplete)}; rerun the same command to see the rest"
        return known._replace(reason=reason)
    return known


def _without_output(verdict: Verdict, error: str) -> Verdict:
    """Return the verdict if the logs could not be written: they were not shown, so it is not OK."""
    if not error or verdict.exit is not ExitCode.OK:
        return verdict
    reason = f"could not write the logs to standard output: {error.lower()}"
    hint = "free up disk space, then run the same command again"
    return verdict._replace(exit=ExitCode.UNREACHABLE, label="", reason=reason, hint=hint)


def _describe_unreadable(reader: logs.LogReader, pipelines: ShownPipelines) -> str:
    """Return what could not be read; empty if everything could."""
    if pipelines.unread:
        return f"the steps of {', '.join(pipelines.unread)} could not be read"
    if not reader.missing:
        return ""
    name, reason = reader.missing[0]
    more = f", and {len(reader.missing) - 1} more" if len(reader.missing) > 1 else ""
    return f"could not read the log of {name}{more}: {reason}"


def _explain_nothing(known: Verdict, shown: tuple[Pipeline, ...], again: str) -> Verdict:
    """Return the verdict if no step was selected; a failed pipeline that shows neither a step nor an error is 8."""
    unexplained = [one for one in shown if one.status.is_failed and not one.config_errors and not _has_failed_step(one)]
    if unexplained:
        reason = f"{unexplained[0].run} has failed, but the server shows neither a failed step nor an error"
        return known._replace(exit=ExitCode.UNREACHABLE, reason=reason, hint=f"pass --all to see all steps; {again}")
    if any(one.status is Status.ERROR for one in shown):
        return known._replace(label="nothing", reason="nothing ran, because the configuration has errors")
    reason = "no failed step; use --all for all steps, or --step NAME for one"
    return known._replace(label="nothing", reason=reason)


def _has_failed_step(pipeline: Pipeline) -> bool:
    """Return whether the pipeline shows why it failed, also where `--workflow` does not select it."""
    return bool(select_steps(pipeline, LogSelection()) or select_workflow_errors(pipeline))


def _parse_count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"not a number of lines: {truncate_text(text, MAX_SHOWN_COLUMNS)!r}")
    return int(text)
