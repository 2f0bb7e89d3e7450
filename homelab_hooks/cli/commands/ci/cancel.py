"""homelab ci cancel: cancel the running and pending pipelines of a commit.

Cancel all pipelines of a commit that run or wait for an agent, of every event. A pipeline that waits for approval is
left alone. If nothing can be cancelled, the verdict is `nothing`, with exit code 0.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options, watch_setup
from homelab_hooks.app.session import Session
from homelab_hooks.events import Start
from homelab_hooks.exit_codes import ExitCode, choose_worst_exit
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.cancel_plan import select_cancellable
from homelab_hooks.watch.cancel_request import CancelOutcome, cancel_pipelines
from homelab_hooks.watch.diff import build_pipeline_result
from homelab_hooks.watch.snapshot import CommitSnapshot, take_snapshot

_UNKNOWN = (ExitCode.DENIED, ExitCode.UNREACHABLE)
"""the exit codes of a poll that did not find out which pipelines there are"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument("commit", metavar="COMMIT", nargs="?", help="any revision that git resolves (default: HEAD)")
    options.add_options(parser, *options.CI_OPTIONS, "remote", "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Cancel the pipelines, and report each."""
    config, runtime = session.config(vars(args)), session.runtime
    server = runtime.server(config)
    about = watch_setup.resolve_context(config, runtime, args.commit)
    sha = about.commit.sha
    session.tell(Start(command=session.prog, sha=sha, repo=about.names[0], server=str(server)))
    ci = runtime.ci_provider(config)
    decides = watch_setup.build_scope(about.commit, list(ci.traits.all_events))
    request = watch_setup.build_watch_request(config, runtime, about, decides)
    seen = take_snapshot(
        request,
        watch_setup.watch_dependencies(runtime, about, ci),
        clock=runtime.clock,
        emit=watch_setup.only_contact_events(session.tell),
    )
    if seen.repo is None or (seen.verdict.exit in _UNKNOWN and not seen.rows):
        return session.finish(seen.verdict)
    rows = select_cancellable(seen)
    outcome = cancel_pipelines(rows, ci, seen.repo, clock=runtime.clock, emit=session.tell)
    return session.finish(build_verdict(outcome, seen, sha))


def build_verdict(outcome: CancelOutcome, seen: CommitSnapshot, sha: str) -> Verdict:
    """Return the verdict: the worst problem, otherwise whether anything was cancelled."""
    if outcome.problems:
        worst = choose_worst_exit(problem.exit for problem in outcome.problems)
        problem = next(problem for problem in outcome.problems if problem.exit is worst)
        return Verdict(exit=worst, reason=problem.message, hint=problem.hint, sha=sha)
    if not outcome.cancelled:
        reason = _describe_nothing(outcome, seen)
        return Verdict(exit=ExitCode.OK, label="nothing", reason=reason, sha=sha)
    results = tuple(map(build_pipeline_result, outcome.cancelled))
    return Verdict(exit=ExitCode.OK, sha=sha, pipelines=results, url=outcome.cancelled[0].url)


def _describe_nothing(outcome: CancelOutcome, seen: CommitSnapshot) -> str:
    if outcome.ended:
        return "nothing was cancelled: the pipelines had already ended"
    statuses = ", ".join(f"{track.run} is {track.pipeline.status}" for track in seen.tracks)
    return f"nothing to cancel: {statuses or 'the commit has no pipeline'}"
