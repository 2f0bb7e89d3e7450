"""homelab follow: follow a commit from the push to the live answer.

Wait for everything that comes after the push of a commit to the target: the links of homelab.follow, by default CI and
then each configured rollout. Each link begins when the one before it has succeeded; the first that does not succeed
decides, and the last line names it. The command also resumes what git land waited for, and attaches to a background
watcher that follows the same. With --timeout, a background watcher continues after the command has returned 124. With
--receipt, print what an earlier run found.
"""

from __future__ import annotations

import argparse
import shlex

from homelab_hooks.app import attached_follow, options, resolve_names
from homelab_hooks.app.session import Session
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Start
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.landed import Landed
from homelab_hooks.verdict import Verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument("commit", metavar="COMMIT", nargs="?", help="any revision that git resolves (default: HEAD)")
    shows = parser.add_mutually_exclusive_group()
    shows.add_argument("--receipt", action="store_true", help="print the receipt of an earlier run, and exit")
    shows.add_argument("--list", action="store_true", help="list the background watchers and how they ended, and exit")
    shows.add_argument("--detach", action="store_true", help="leave a background watcher running, and exit")
    parser.add_argument("--no-deploy", action="store_true", help="wait neither for rollouts nor for live answers")
    options.add_options(parser, *options.FOLLOW_OPTIONS, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Follow the commit, or print its receipt."""
    config, runtime = session.config(vars(args)), session.runtime
    if args.receipt:
        from homelab_hooks.app import receipt_setup

        return session.finish(receipt_setup.show_receipt(session, args.commit))
    if args.list:
        return session.finish(attached_follow.list_watchers(session))
    landed = _describe_landed(config, session, resolve_names.resolve_commit(runtime, args.commit).sha)
    again = options.follow_command(vars(args), landed.sha)
    server = config.server.origin if config.server else ""
    session.tell(Start(command=session.prog, sha=landed.sha, server=server, resume=tuple(shlex.split(again))))
    return _follow(args, config, session, landed)


def _follow(args: argparse.Namespace, config: Config, session: Session, landed: Landed) -> int:
    """Follow the commit; --timeout bounds this call, and the links have the timeouts of the other settings."""
    slice_s = config.timeout if args.timeout is not None and not args.detach else None
    until = None if slice_s is None else session.runtime.clock.now() + slice_s
    call = attached_follow.FollowCall(
        landed,
        given=vars(args),
        detach=args.detach,
        slice_s=slice_s,
        deploying=not args.no_deploy,
    )
    link_config = config if slice_s is None else session.config({**vars(args), "timeout": None})

    def follow_here() -> Verdict:
        from homelab_hooks.app.follow_setup import FollowScope, FollowUp

        scope = FollowScope(deploying=not args.no_deploy, until=until)
        follow_up = FollowUp(link_config, session, vars(args), scope)
        return follow_up.run(landed)

    follow = attached_follow.AttachedFollow(call, link_config, session, follow_here)
    code = session.finish(follow.run()._replace(sha=landed.sha))
    follow.mark_delivered()
    return code


def _describe_landed(config: Config, session: Session, sha: str) -> Landed:
    """Return the commit and the branch that it was pushed to. Raises CommandError if the branch is not known."""
    git = session.runtime.git_readonly
    remote = resolve_names.default_remote(config, git, git.remotes.remote_names())
    branch = resolve_names.known_target(config, git, remote)
    if not branch:
        raise CommandError(
            "could not determine the target branch",
            hint=f"pass --onto BRANCH, or run git remote set-head {remote or 'REMOTE'} --auto",
            exit=ExitCode.USAGE,
        )
    return Landed(sha=sha, branch=branch, remote=remote)
