"""homelab work clean: remove a task's worktree and branch.

Removes the worktree .worktrees/TOPIC and its branch USER/TOPIC. Refuses to lose changes, or commits that no remote has.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app.session import Session
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import task_worktree
from homelab_hooks.verdict import Verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("topic", metavar="TOPIC", help="the task's name")
    parser.add_argument("--force", action="store_true", help="also with changes, and with commits that no remote has")


def run(args: argparse.Namespace, session: Session) -> int:
    """Remove it."""
    world = session.world
    said = task_worktree.remove_worktree(args.topic, git=world.git_interactive, user=world.user, force=args.force)
    return session.finish(Verdict(exit=ExitCode.OK, reason=said))
