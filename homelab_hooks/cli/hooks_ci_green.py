"""homelab hooks ci-green: nothing is pushed onto a branch that is red in CI.

A pre-push gate: refuses (20) a push onto a branch whose newest decided pipeline failed, and names it. Where CI cannot
be asked within ten seconds, or refuses the token, the push goes on with a warning; --strict refuses it then (8 or 4).
What makes a red branch green again is pushed with SKIP=homelab-ci-green.
"""

from __future__ import annotations

import argparse

from homelab_hooks.cli import options, watching
from homelab_hooks.cli.session import Session
from homelab_hooks.config import Config
from homelab_hooks.errors import Problem
from homelab_hooks.events import Level, Log
from homelab_hooks.exits import Exit
from homelab_hooks.hooks import colour, gate
from homelab_hooks.looks import Absent, Denied, Missed, Seen
from homelab_hooks.verdict import Verdict

QUERY_TIMEOUT_S = 10.0
"""that CI may take to answer"""
BYPASS_HINT = "SKIP=homelab-ci-green git push, or --no-verify"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    gate.add_push_arguments(parser)
    parser.add_argument("--strict", action="store_true", help="refuse too where CI cannot be asked")
    options.add_options(parser, *options.CI_OPTIONS, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Refuse a push onto a red branch."""
    config, world = session.config(args), session.world
    push = gate.read_push(args, world, "homelab-ci-green")
    if push is None or not push.branch_updates:
        return 0
    remote = gate.resolve_remote_name(world.git, push.remote)
    warned = False
    for update in push.branch_updates:
        try:
            _require_green(update.branch, remote, config, session)
        except Problem as problem:
            landing = gate.is_git_land_push(
                world.git, (update,)
            )  # its hooks have no token of ours, and it watches CI by itself
            if problem.exit not in {Exit.UNREACHABLE, Exit.DENIED} or (args.strict and not landing):
                raise
            warned = True
            text = f"{problem.what}; the push goes on, whatever colour {update.branch} has (--strict would refuse it)"
            session.tell(Log(source="homelab", text=text, level=Level.WARNING))
            break
    word, reason = ("nothing", "CI was not asked") if warned else ("passed", "")
    return session.finish(Verdict(exit=Exit.OK, word=word, sha=push.branch_updates[0].sha, reason=reason))


def _require_green(branch: str, remote: str, config: Config, session: Session) -> None:
    """Raises Problem where the branch is red (20), or where CI cannot say (8, 4)."""
    world = session.world
    names = watching.repo_names(config, world.git, lambda: remote)
    server = world.server(config)
    match colour.query_branch_status(names, branch, lambda: world.ci(config), seconds=QUERY_TIMEOUT_S):
        case Seen(seen):
            pipeline = seen.pipeline
            if pipeline is not None and colour.has_failed(pipeline):
                url = f"{server}/repos/{seen.repo.id}/pipeline/{pipeline.number}"
                raise Problem(
                    f"{branch} is red: #{pipeline.number} of {pipeline.commit[:10]} ended in {pipeline.status}: {url}",
                    hint=f"mend it first; to push what mends it, or all the same: {BYPASS_HINT}",
                    exit=Exit.REFUSED,
                )
        case Denied(reason, hint):
            raise Problem(f"CI does not tell its colour: {reason}", hint=hint or BYPASS_HINT, exit=Exit.DENIED)
        case Missed(reason) | Absent(reason):
            what = f"CI cannot be asked: {reason}"
            raise Problem(
                what, hint=f"try again; without --strict it is a warning; {BYPASS_HINT}", exit=Exit.UNREACHABLE
            )
