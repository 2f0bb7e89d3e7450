"""homelab hooks land-only: reject pushes to the target unless made by git land.

A pre-push gate. Reject (20) a push to the target branch that git land does not make. Deletions and pushes to other
branches pass.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options
from homelab_hooks.app.session import Session
from homelab_hooks.cli.commands.hooks.push_arguments import add_push_arguments, read_push
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.hooks.pre_push import target as pre_push_target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    add_push_arguments(parser)
    options.add_options(parser, "remote", "onto", "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Reject a push to the target; print nothing about any other push."""
    config = session.config(vars(args))
    updates = pre_push_target.target_updates(
        read_push(args, session.runtime, "homelab-land-only"), config, session.runtime.git_readonly
    )
    if not updates or pre_push_target.is_git_land_push(session.runtime.git_readonly, updates):
        return 0
    raise CommandError(
        f"only git land may push to {updates[0].branch}",
        hint="run git land on your branch; to push anyway: SKIP=homelab-land-only git push, or --no-verify",
        exit=ExitCode.REFUSED,
    )
