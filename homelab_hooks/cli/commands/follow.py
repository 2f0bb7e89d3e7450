"""homelab follow: follow a commit from the push to the live answer.

Wait for everything that comes after the push of a commit to the target: the links of homelab.follow, by default CI and
then each configured rollout. Each link begins when the one before it has succeeded; the first that does not succeed
decides, and the last line names it. The command also resumes what git land waited for. With --receipt, print what an
earlier run found.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options, receipt_setup, watch_setup
from homelab_hooks.app.follow_setup import FollowUp
from homelab_hooks.app.session import Session
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Start
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.request import Landed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument("commit", metavar="COMMIT", nargs="?", help="any revision that git resolves (default: HEAD)")
    parser.add_argument("--receipt", action="store_true", help="print the receipt of an earlier run, and exit")
    parser.add_argument("--no-deploy", action="store_true", help="wait neither for rollouts nor for live answers")
    options.add_options(parser, *options.FOLLOW_OPTIONS, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Follow the commit, or print its receipt."""
    config, runtime = session.config(vars(args)), session.runtime
    if args.receipt:
        return session.finish(receipt_setup.show_receipt(session, args.commit))
    follow_up = FollowUp(config, session, vars(args), watching=True, deploying=not args.no_deploy)
    landed = _describe_landed(config, session, watch_setup.resolve_commit(runtime, args.commit).sha)
    again = follow_up.resume_command(landed.sha)
    server = str(runtime.server(config)) if follow_up.watching else ""
    session.tell(Start(command=session.prog, sha=landed.sha, server=server, resume=again))
    verdict = follow_up.run(landed)
    return session.finish(verdict._replace(sha=landed.sha))


def _describe_landed(config: Config, session: Session, sha: str) -> Landed:
    """Return the commit and the branch that it was pushed to. Raises CommandError if the branch is not known."""
    git = session.runtime.git_readonly
    remote = watch_setup.default_remote(config, git, git.remotes.remote_names())
    branch = watch_setup.known_target(config, git, remote)
    if not branch:
        raise CommandError(
            "could not determine the target branch",
            hint=f"pass --onto BRANCH, or run git remote set-head {remote or 'REMOTE'} --auto",
            exit=ExitCode.USAGE,
        )
    url = next(iter(git.remotes.push_urls(remote)), remote) if remote else ""
    return Landed(sha=sha, branch=branch, remote=remote, push_url=url)
