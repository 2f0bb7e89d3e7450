"""homelab ci logs: print the logs of failed steps.

Prints the logs of a commit's failed steps (or of --step, or of all steps with --all) to stdout, then the result line.
The server may deliver logs late or truncated; what has arrived is printed.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options, watch_setup
from homelab_hooks.app.session import Session
from homelab_hooks.ci.model import LogLine
from homelab_hooks.events import Start
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.text.sanitize import sanitize_text
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import log_tail, logs
from homelab_hooks.watch.snapshot import CommitSnapshot, take_snapshot


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument("commit", metavar="COMMIT", nargs="?", help="any revision that git resolves (default: HEAD)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--step", default="", metavar="NAME", help="print only this step, given as STEP or WORKFLOW/STEP"
    )
    which.add_argument("--all", action="store_true", help="print all steps that have started, not only failed ones")
    parser.add_argument("--tail", type=_parse_count, metavar="N", help="print only the last N lines of each step")
    parser.add_argument(
        "--follow", "-f", action="store_true", help="print new lines as they arrive, until the pipeline has ended"
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
    choice = logs.LogSelection(step=args.step, all=args.all, last_lines=args.tail)
    printer = Printer(session)
    reader = logs.LogReader(ci, seen.repo, clock=runtime.clock, out=printer.line)
    for thread in seen.tracks:
        pipeline = seen.detail(thread)
        if args.follow and not pipeline.status.is_final:
            reader.follow(pipeline, choice)
        else:
            reader.show(pipeline, choice)
    return session.finish(_logs_verdict(seen, printer.steps, reader.incomplete))


class Printer:
    """Writes log lines to stdout, with a heading before each step."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._title = ""
        self.steps = 0

    def line(self, title: str, line: LogLine | None) -> None:
        """Print a line, after the step's heading if another step was printed before; None prints only the heading."""
        terminal, redact = self._session.runtime.terminal, self._session.runtime.redact
        if title != self._title:
            terminal.out(f"== {sanitize_text(title, redact)}")
            self._title = title
            self.steps += 1
        if line is not None:
            terminal.out(sanitize_text(log_tail.render_line(line.text), redact, colour=terminal.stdout_has_colour))


def _logs_verdict(seen: CommitSnapshot, steps: int, late: tuple[str, ...]) -> Verdict:
    known = seen.verdict
    reason = "" if steps else "no failed step; use --all for all steps, or --step NAME for one"
    if late:
        names = ", ".join(title.partition(":")[0] for title in late)
        reason = f"incomplete: {names}; rerun the same command to see the rest"
    return Verdict(exit=ExitCode.OK, reason=reason, sha=known.sha, pipelines=known.pipelines, url=known.url)


def _parse_count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"not a number of lines: {text!r}")
    return int(text)
