"""homelab hooks ci-green: reject pushes to a branch whose latest pipeline failed.

A pre-push gate. Reject (20) a push to a branch whose latest pipeline failed, and name the pipeline; cancelled, skipped
and running ones do not count. With --workflow, only the named workflows do. If CI does not respond within ten seconds,
or rejects the token, the push continues with a warning; with --strict it is rejected (8 or 4). To push the fix for a
failing branch, run SKIP=homelab-ci-green git push.
"""

from __future__ import annotations

import argparse
from functools import partial

from homelab_hooks.app import options, watch_setup
from homelab_hooks.app.session import Session
from homelab_hooks.ci.model import Status
from homelab_hooks.cli.commands.hooks.push_arguments import add_push_arguments, read_push
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Log, LogLevel
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.hooks.pre_push import target as pre_push_target
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Unavailable
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import branch_status

QUERY_TIMEOUT_S = 10.0
"""seconds for all requests together"""
BYPASS_HINT = "SKIP=homelab-ci-green git push, or --no-verify"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    add_push_arguments(parser)
    parser.add_argument("--strict", action="store_true", help="reject the push if CI cannot be reached")
    options.add_options(parser, *options.CI_OPTIONS, "workflow", "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Reject a push to a branch whose latest pipeline failed."""
    config, runtime = session.config(vars(args)), session.runtime
    push = read_push(args, runtime, "homelab-ci-green")
    if push is None or not push.branch_updates:
        return 0
    remote = pre_push_target.resolve_remote_name(runtime.git_readonly, push.remote)
    warned = False
    for update in push.branch_updates:
        try:
            _require_green(update.branch, remote, config, session)
        except CommandError as problem:
            landing = pre_push_target.is_git_land_push(
                runtime.git_readonly, (update,)
            )  # hooks of its push get no token, and it watches CI itself
            if problem.exit not in {ExitCode.UNREACHABLE, ExitCode.DENIED} or (args.strict and not landing):
                raise
            warned = True
            text = (
                f"{problem.message}; the push continues without a check of {update.branch} (--strict would reject it)"
            )
            session.tell(Log(source="homelab", text=text, level=LogLevel.WARNING))
            break
    checked = Verdict(exit=ExitCode.OK, label="passed", sha=push.branch_updates[0].sha)
    return session.finish(checked._replace(label="nothing", reason="CI was not checked") if warned else checked)


def _require_green(branch: str, remote: str, config: Config, session: Session) -> None:
    """Raise CommandError if the branch's latest pipeline failed (20), or if CI cannot be read (8, 4)."""
    runtime = session.runtime
    names = watch_setup.repo_names(config, runtime.git_readonly, lambda: remote)
    connect = partial(runtime.ci_provider, config)
    workflows = config.workflow
    match branch_status.query_branch_status(names, branch, connect, seconds=QUERY_TIMEOUT_S, workflows=workflows):
        case Found(seen):
            pipeline = seen.pipeline
            if pipeline is not None and seen.is_red:
                where = f" in {', '.join(workflows)}" if workflows and pipeline.status is not Status.ERROR else ""
                raise CommandError(
                    f"the latest pipeline of {branch} failed{where}: {pipeline.run} ({short_sha(pipeline.commit)}): "
                    f"{pipeline.url}",
                    hint=f"fix the branch first; to push the fix, or to push anyway: {BYPASS_HINT}",
                    exit=ExitCode.REFUSED,
                )
        case Denied(reason, hint):
            raise CommandError(
                f"CI does not report the branch status: {reason}", hint=hint or BYPASS_HINT, exit=ExitCode.DENIED
            )
        case Unavailable(reason) | NotFound(reason):
            what = f"could not reach CI: {reason}"
            raise CommandError(
                what, hint=f"try again, or drop --strict for a warning; {BYPASS_HINT}", exit=ExitCode.UNREACHABLE
            )
