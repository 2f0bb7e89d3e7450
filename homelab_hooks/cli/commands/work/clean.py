"""homelab work clean: remove a task's worktree and branch.

Remove the worktree .worktrees/TOPIC and its branch USER/TOPIC. If the worktree has uncommitted changes, or the branch
has commits that are on no remote, the command is refused, unless --force is given.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options
from homelab_hooks.app.session import Session
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import task_worktree
from homelab_hooks.verdict import Verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument("topic", metavar="TOPIC", help="name of the task, as given to homelab work start")
    parser.add_argument(
        "--force", action="store_true", help="delete uncommitted changes, and commits that are on no remote, too"
    )
    options.add_options(parser, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Remove the worktree and the branch."""
    session.config(vars(args))
    runtime = session.runtime
    said = task_worktree.remove_worktree(args.topic, git=runtime.git_interactive, user=runtime.user, force=args.force)
    return session.finish(Verdict(exit=ExitCode.OK, reason=said))
