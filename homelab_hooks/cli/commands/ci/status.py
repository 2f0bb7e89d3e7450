"""homelab ci status: show the current CI status and exit.

Print the CI result of a commit so far, without waiting for running pipelines. The exit codes are those of
homelab-watch, and 124 while a pipeline is still running. Also list this repository's background watchers, and the
result of the last one that ended.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options, watch_setup
from homelab_hooks.app.session import Session
from homelab_hooks.ci.model import Pipeline
from homelab_hooks.events import BackgroundWatch, Event, Log, LogLevel, PipelineChanged, Start
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.hooks.background.registry import WatchRegistry
from homelab_hooks.system.browser import open_page
from homelab_hooks.text import durations
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.text.redaction import Redactor, sanitize_text
from homelab_hooks.text.sanitize import truncate_text
from homelab_hooks.verdict import Verdict
from homelab_hooks.views.select import is_live_view
from homelab_hooks.watch.run import explain_failure
from homelab_hooks.watch.snapshot import CommitSnapshot, select_recent_pipelines, take_snapshot


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument("commit", metavar="COMMIT", nargs="?", help="any revision that git resolves (default: HEAD)")
    parser.add_argument("--web", action="store_true", help="open the pipeline's page in the browser too")
    options.add_event_option(parser)
    options.add_options(parser, *options.CI_OPTIONS, "remote", *options.DECIDING_OPTIONS, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Print the status from one poll, which is retried for a while if the server does not respond."""
    config, runtime = session.config(vars(args)), session.runtime
    server = runtime.server(config)
    about = watch_setup.resolve_context(config, runtime, args.commit, events=args.event)
    for watched in _watch_events(session, about.commit.sha):
        session.tell(watched)
    decides = watch_setup.build_scope(about.commit, args.event)
    session.tell(Start(command=session.prog, sha=about.commit.sha, repo=about.names[0], server=str(server)))
    request, ci = watch_setup.build_watch_request(config, runtime, about, decides), runtime.ci_provider(config)
    shown: set[int] = set()

    def emit(event: Event) -> None:
        if isinstance(event, PipelineChanged):
            shown.add(event.number)
        session.tell(event)

    seen = take_snapshot(request, watch_setup.watch_dependencies(runtime, about, ci), clock=runtime.clock, emit=emit)
    if seen.repo and seen.verdict.exit is ExitCode.FAILED:
        explain_failure(seen.state, ci, seen.repo, clock=runtime.clock, emit=session.tell)
    if is_live_view(config.output, runtime.terminal):
        _show_others(seen, shown, session)
    if args.web:
        _open_page(seen.verdict, session)
    return session.finish(seen.verdict)


def _open_page(verdict: Verdict, session: Session) -> None:
    """Open the page that the result names; a warning if there is none, or no browser."""
    if not verdict.url:
        problem = "there is no pipeline whose page could be opened"
    elif open_page(verdict.url, session.runtime.process_runner):
        return
    else:
        problem = "no browser could be started; set BROWSER, or open the URL of the result"
    session.tell(Log(source="homelab", text=problem, level=LogLevel.WARNING))


def _watch_events(session: Session, sha: str) -> tuple[BackgroundWatch, ...]:
    """Return the background watches that run now, and the last one that ended, if it is about this commit or recent."""
    common = session.runtime.git_readonly.location.common_dir()
    return WatchRegistry(common).summaries(session.runtime.clock.wall(), sha=sha) if common else ()


def _show_others(seen: CommitSnapshot, shown: set[int], session: Session) -> None:
    """Print the newest pipelines of the branch that are not shown yet, for a user at a terminal."""
    runtime = session.runtime
    branch = seen.tracks[0].pipeline.branch if seen.tracks else runtime.git_readonly.history.current_branch()
    others = [row for row in select_recent_pipelines(seen, branch) if row.number not in shown]
    rows = [_row_cells(row, runtime.clock.wall(), runtime.redact) for row in others]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(5)]
    if rows:
        name = f" of {branch}" if branch else ""
        session.tell(Log(source="homelab", text=sanitize_text(f"other pipelines{name}:", runtime.redact)))
    for row in rows:
        text = "  ".join(["", *(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        session.tell(Log(source="homelab", text=truncate_text(text, max(20, runtime.terminal.columns - 1))))


def _row_cells(row: Pipeline, wall: float, redact: Redactor) -> tuple[str, ...]:
    took = durations.format_duration(row.duration_s) if row.duration_s else "-"
    age = f"{durations.format_duration(max(0.0, wall - row.created))} ago" if row.created else "-"
    message = row.message.splitlines()[0] if row.message else ""
    told = (row.raw_status or row.status.value, row.event, took, age, f"{short_sha(row.commit)} {message}")
    return str(row.run), *(sanitize_text(text, redact) for text in told)
