"""homelab hooks land-only: the target takes only what git land pushes.

A pre-push gate: refuses (20) a push to the target that does not come from git land. Deletions and other branches pass.
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
    """What the command takes."""
    add_push_arguments(parser)
    options.add_options(parser, "remote", "onto", "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Refuse, or say nothing."""
    config = session.config(vars(args))
    updates = pre_push_target.target_updates(
        read_push(args, session.world, "homelab-land-only"), config, session.world.git_readonly
    )
    if not updates or pre_push_target.is_git_land_push(session.world.git_readonly, updates):
        return 0
    raise CommandError(
        f"{updates[0].branch} is landed on with git land, which merges, verifies, pushes and watches",
        hint="on your branch: git land; to push all the same: SKIP=homelab-land-only git push, or --no-verify",
        exit=ExitCode.REFUSED,
    )
