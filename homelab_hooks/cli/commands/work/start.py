"""homelab work start: a worktree for a task.

Makes a worktree .worktrees/TOPIC beside the main one, on a new branch USER/TOPIC that begins at the target as it is
now. Prints its path and nothing else on stdout: cd "$(homelab work start TOPIC)".
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options
from homelab_hooks.app.session import Session
from homelab_hooks.land import task_worktree
from homelab_hooks.text.sanitize import sanitize_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("topic", metavar="TOPIC", help="the task's name, as git takes it in a branch's name")
    options.add_options(parser, "remote", "onto")


def run(args: argparse.Namespace, session: Session) -> int:
    """Make it."""
    config, world = session.config(vars(args)), session.world
    path = task_worktree.start_worktree(
        args.topic, git=world.git_interactive, user=world.user, remote=config.remote, onto=config.onto
    )
    # A program needs the name as it is; a terminal would act on what is in it.
    world.terminal.out(sanitize_text(str(path), world.redact) if world.terminal.stdout_is_tty else str(path))
    return 0
