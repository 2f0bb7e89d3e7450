"""homelab work start: create a worktree for a task.

Create a worktree in .worktrees/TOPIC inside the main worktree, on a new branch USER/TOPIC that starts at the latest
commit of the target branch. Only the path is printed to stdout, so that cd "$(homelab work start TOPIC)" works.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options
from homelab_hooks.app.session import Session
from homelab_hooks.events import Answer, Log
from homelab_hooks.land import task_worktree
from homelab_hooks.text.redaction import sanitize_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument("topic", metavar="TOPIC", help="name of the task, which becomes part of the branch name")
    options.add_options(parser, "remote", "onto", "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Create the worktree, and print its path."""
    config, runtime = session.config(vars(args)), session.runtime
    path = task_worktree.start_worktree(
        args.topic,
        git=runtime.git_interactive,
        user=runtime.user,
        remote=config.remote,
        onto=config.onto,
        report=lambda text: session.tell(Log(source="homelab", text=text)),
    )
    # A program needs the exact name; a terminal would interpret control characters in it.
    shown = sanitize_text(str(path), runtime.redact) if runtime.terminal.stdout_is_tty else str(path)
    session.answer(Answer(str(path)), shown)
    return session.finish_answer()
