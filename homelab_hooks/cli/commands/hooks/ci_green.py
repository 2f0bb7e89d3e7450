"""homelab hooks ci-green: nothing is pushed onto a branch that is red in CI.

A pre-push gate: refuses (20) a push onto a branch whose newest decided pipeline failed, and names it. Where CI cannot
be asked within ten seconds, or refuses the token, the push goes on with a warning; --strict refuses it then (8 or 4).
What makes a red branch green again is pushed with SKIP=homelab-ci-green.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options, watch_setup
from homelab_hooks.app.session import Session
from homelab_hooks.cli.commands.hooks.push_arguments import add_push_arguments, read_push
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Log, LogLevel
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.hooks.pre_push import target as pre_push_target
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Unavailable
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import branch_status

QUERY_TIMEOUT_S = 10.0
"""that CI may take to answer"""
BYPASS_HINT = "SKIP=homelab-ci-green git push, or --no-verify"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_push_arguments(parser)
    parser.add_argument("--strict", action="store_true", help="refuse too where CI cannot be asked")
    options.add_options(parser, *options.CI_OPTIONS, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Refuse a push onto a red branch."""
    config, world = session.config(vars(args)), session.world
    push = read_push(args, world, "homelab-ci-green")
    if push is None or not push.branch_updates:
        return 0
    remote = pre_push_target.resolve_remote_name(world.git_readonly, push.remote)
    warned = False
    for update in push.branch_updates:
        try:
            _require_green(update.branch, remote, config, session)
        except CommandError as problem:
            landing = pre_push_target.is_git_land_push(
                world.git_readonly, (update,)
            )  # its hooks have no token of ours, and it watches CI by itself
            if problem.exit not in {ExitCode.UNREACHABLE, ExitCode.DENIED} or (args.strict and not landing):
                raise
            warned = True
            text = (
                f"{problem.message}; the push goes on, whatever colour {update.branch} has (--strict would refuse it)"
            )
            session.tell(Log(source="homelab", text=text, level=LogLevel.WARNING))
            break
    word, reason = ("nothing", "CI was not asked") if warned else ("passed", "")
    return session.finish(Verdict(exit=ExitCode.OK, label=word, sha=push.branch_updates[0].sha, reason=reason))


def _require_green(branch: str, remote: str, config: Config, session: Session) -> None:
    """Raises CommandError where the branch is red (20), or where CI cannot say (8, 4)."""
    world = session.world
    names = watch_setup.repo_names(config, world.git_readonly, lambda: remote)
    match branch_status.query_branch_status(names, branch, lambda: world.ci_provider(config), seconds=QUERY_TIMEOUT_S):
        case Found(seen):
            pipeline = seen.pipeline
            if pipeline is not None and branch_status.has_failed(pipeline):
                raise CommandError(
                    f"{branch} is red: {pipeline.run} of {pipeline.commit[:10]} ended in {pipeline.status}: "
                    f"{pipeline.url}",
                    hint=f"mend it first; to push what mends it, or all the same: {BYPASS_HINT}",
                    exit=ExitCode.REFUSED,
                )
        case Denied(reason, hint):
            raise CommandError(f"CI does not tell its colour: {reason}", hint=hint or BYPASS_HINT, exit=ExitCode.DENIED)
        case Unavailable(reason) | NotFound(reason):
            what = f"CI cannot be asked: {reason}"
            raise CommandError(
                what, hint=f"try again; without --strict it is a warning; {BYPASS_HINT}", exit=ExitCode.UNREACHABLE
            )
