"""homelab ci restart: restart the failed pipelines of a commit and watch them.

Restart the failed pipelines of a commit, then watch them. If a restart would cancel the running pipeline of a newer
commit, the command is refused, unless --force is given.

A commit without a pipeline has nothing to restart. If the webhook of its push was lost, --redeliver asks the forge to
send the push to CI again, and waits for the pipeline. GitHub sends the original event. Gitea and Forgejo can only send
the latest commit of the default branch, without the list of changed files. --manual starts a manual pipeline on the
branch whose latest commit this is: other workflows may run, and path conditions do not apply.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

from homelab_hooks.app import options, watch_setup
from homelab_hooks.app.session import Session
from homelab_hooks.app.watch_setup import CommitContext
from homelab_hooks.ci.model import Pipeline
from homelab_hooks.ci.provider import Provider
from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Start
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.verdict import Verdict, build_resume_line
from homelab_hooks.watch import run as watch_run
from homelab_hooks.watch.diff import build_pipeline_result
from homelab_hooks.watch.poller import WatchRequest
from homelab_hooks.watch.restart_plan import ManualRun, NothingToDo, plan_restart
from homelab_hooks.watch.restart_request import add_problems, apply_restart_plan
from homelab_hooks.watch.snapshot import ONE_POLL, CommitSnapshot, make_one_poll_timeouts, take_snapshot
from homelab_hooks.watch.start_search import find_redelivered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument("commit", metavar="COMMIT", nargs="?", help="any revision that git resolves (default: HEAD)")
    parser.add_argument(
        "--force", action="store_true", help="restart even if this cancels the running pipeline of a newer commit"
    )
    parser.add_argument("--no-watch", action="store_true", help="exit once the pipelines have been started")
    lost = parser.add_mutually_exclusive_group()
    lost.add_argument(
        "--redeliver", action="store_true", help="ask the forge to send the push to CI again, after a lost webhook"
    )
    lost.add_argument("--manual", action="store_true", help="start a manual pipeline for a commit without a pipeline")
    options.add_options(
        parser, *options.CI_OPTIONS, "remote", *options.FORGE_OPTIONS, *options.TIMEOUT_OPTIONS, "output"
    )


def run(args: argparse.Namespace, session: Session) -> int:
    """Restart the pipelines, and watch them."""
    config, runtime = session.config(vars(args)), session.runtime
    about = watch_setup.resolve_context(config, runtime, args.commit)
    events = [_push_event(about)] if args.redeliver else None
    name = args.commit if about.commit.tag else about.commit.sha
    again = watch_setup.watch_resume_command(vars(args), name, events=events or ())
    server = str(runtime.server(config))
    session.tell(Start(command=session.prog, sha=about.commit.sha, repo=about.names[0], server=server))
    ci = runtime.ci_provider(config) if args.no_watch else runtime.waiting_ci_provider(config)
    decides = watch_setup.build_scope(about.commit, events)
    request = watch_setup.build_watch_request(config, runtime, about, decides)
    seen = take_snapshot(
        request,
        watch_setup.watch_dependencies(runtime, about, ci),
        clock=runtime.clock,
        emit=watch_setup.only_contact_events(session.tell),
        timeouts=ONE_POLL if args.no_watch else make_one_poll_timeouts(min(config.timeout, config.unreachable_timeout)),
    )
    restart = Restart(session, about, ci, request, again)
    if args.redeliver:
        return _redeliver(restart, config, seen, is_watching=not args.no_watch)
    return _restart(restart, seen, args)


class Restart(NamedTuple):
    """What both ways to start a pipeline need."""

    session: Session
    about: CommitContext
    ci: Provider
    request: WatchRequest
    resume_command: str


def _push_event(about: CommitContext) -> str:
    return "tag" if about.commit.tag else "push"


def _redeliver(restart: Restart, config: Config, seen: CommitSnapshot, *, is_watching: bool) -> int:
    """Send the push to CI again, and watch the pipeline that it starts."""
    from homelab_hooks.app.redelivery import redeliver

    session, sha = restart.session, restart.about.commit.sha
    outcome = redeliver(config, session, restart.about, seen, restart.ci.traits)
    if not is_watching:
        reason = "" if outcome.is_confirmed else "the redelivery was not confirmed"
        exit_ = ExitCode.OK if outcome.is_confirmed else ExitCode.UNREACHABLE
        hint = "" if outcome.is_confirmed else "to check, run: homelab ci status"
        return session.finish(Verdict(exit=exit_, sha=sha, reason=reason, hint=hint))
    started: tuple[Pipeline, ...] = ()
    if seen.tracks and seen.repo:
        started = (find_redelivered(seen, restart.ci, timeout_s=config.appear_timeout, clock=session.runtime.clock),)
    return session.finish(_watch(restart, started))


def _restart(restart: Restart, seen: CommitSnapshot, args: argparse.Namespace) -> int:
    """Restart what has failed, or start a manual pipeline, and watch it."""
    session, sha = restart.session, restart.about.commit.sha
    git, clock = session.runtime.git_readonly, session.runtime.clock
    remote = restart.about.remote()
    manual = ManualRun(
        is_requested=args.manual,
        branches=git.remotes.tracking_branches_at(remote, sha) if remote else (),
        has_config=git.history.has_ci_configuration(sha, restart.ci.traits.config_paths) is not False,
    )
    wanted = plan_restart(seen, sha, manual=manual, force=args.force)
    if isinstance(wanted, NothingToDo):
        found = seen.verdict
        return session.finish(found._replace(exit=ExitCode.OK, label="nothing", reason=wanted.reason, hint=""))
    started, problems = apply_restart_plan(wanted, seen, restart.ci, clock=clock, emit=session.tell)
    if args.no_watch:
        results = tuple(map(build_pipeline_result, started))
        verdict = Verdict(exit=ExitCode.OK, sha=sha, pipelines=results, url=started[0].url)
        return session.finish(add_problems(verdict, problems))
    return session.finish(add_problems(_watch(restart, started), problems))


def _watch(restart: Restart, started: tuple[Pipeline, ...]) -> Verdict:
    session, runtime = restart.session, restart.session.runtime
    session.set_resume_command(restart.resume_command)  # only now: before, it would lead to the old result
    session.tell(build_resume_line(restart.resume_command))
    sources = watch_setup.watch_dependencies(runtime, restart.about, restart.ci, listen=True)
    request = restart.request._replace(started=started)
    return watch_run.run_watch(request, sources, clock=runtime.clock, emit=session.tell)
