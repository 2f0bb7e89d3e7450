"""homelab ci restart: restart the failed pipelines of a commit and watch them.

Restart the failed pipelines of a commit, then watch them. If the latest commit of a branch has no pipeline because the
webhook was lost, start one manually. If a restart would cancel the running pipeline of a newer commit, the command is
refused, unless --force is given.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options, watch_setup
from homelab_hooks.app.session import Session
from homelab_hooks.app.watch_setup import CommitContext
from homelab_hooks.ci.provider import Provider
from homelab_hooks.events import Log, Start
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import run as watch_run
from homelab_hooks.watch.diff import build_pipeline_result
from homelab_hooks.watch.poller import WatchRequest
from homelab_hooks.watch.restart_plan import NothingToDo, plan_restart
from homelab_hooks.watch.restart_request import add_problems, apply_restart_plan
from homelab_hooks.watch.snapshot import ONE_POLL, make_one_poll_timeouts, take_snapshot


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument("commit", metavar="COMMIT", nargs="?", help="any revision that git resolves (default: HEAD)")
    parser.add_argument(
        "--force", action="store_true", help="restart even if this cancels the running pipeline of a newer commit"
    )
    parser.add_argument("--no-watch", action="store_true", help="exit once the pipelines have been started")
    options.add_options(parser, *options.CI_OPTIONS, "remote", *options.TIMEOUT_OPTIONS, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Restart the pipelines, and watch them."""
    config, runtime = session.config(vars(args)), session.runtime
    about = watch_setup.resolve_context(config, runtime, args.commit)
    sha = about.commit.sha
    again = watch_setup.watch_resume_command(vars(args), args.commit if about.commit.tag else sha)
    server = str(runtime.server(config))
    session.tell(Start(command=session.prog, sha=sha, repo=about.names[0], server=server))
    ci = runtime.ci_provider(config) if args.no_watch else runtime.waiting_ci_provider(config)
    decides = watch_setup.build_scope(about.commit, None)
    request = watch_setup.build_watch_request(config, runtime, about, decides)
    seen = take_snapshot(
        request,
        watch_setup.watch_dependencies(runtime, about, ci),
        clock=runtime.clock,
        emit=watch_setup.only_contact_events(session.tell),
        timeouts=ONE_POLL if args.no_watch else make_one_poll_timeouts(min(config.timeout, config.unreachable_timeout)),
    )
    remote = about.remote()
    branches = runtime.git_readonly.remotes.tracking_branches_at(remote, sha) if remote else ()
    wanted = plan_restart(seen, sha, branches=branches, force=args.force)
    if isinstance(wanted, NothingToDo):
        found = seen.verdict
        return session.finish(found._replace(exit=ExitCode.OK, label="nothing", reason=wanted.reason, hint=""))
    started, problems = apply_restart_plan(wanted, seen, ci, clock=runtime.clock, emit=session.tell)
    if args.no_watch:
        results = tuple(map(build_pipeline_result, started))
        verdict = Verdict(exit=ExitCode.OK, sha=sha, pipelines=results, url=started[0].url)
        return session.finish(add_problems(verdict, problems))
    session.set_resume_command(again)  # only now: before, it would lead to the old result
    session.tell(Log(source="homelab", text=f"to resume, run: {again}"))
    verdict = _watch_restarted(request._replace(started=started), session, about, ci)
    return session.finish(add_problems(verdict, problems))


def _watch_restarted(request: WatchRequest, session: Session, about: CommitContext, ci: Provider) -> Verdict:
    runtime = session.runtime
    sources = watch_setup.watch_dependencies(runtime, about, ci, listen=True)
    return watch_run.run_watch(request, sources, clock=runtime.clock, emit=session.tell)
