"""homelab hooks verify: the target takes only what was verified.

A pre-push gate: runs the verification command (--verify-cmd, homelab.verify, .homelab.toml, or found by itself) before
a push to the target, and refuses (22) if it fails. Pushes of git land pass, it has verified them; so do other branches.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options
from homelab_hooks.app.session import Session
from homelab_hooks.hooks.pre_push import target as pre_push_target, verify


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    pre_push_target.add_push_arguments(parser)
    options.add_options(parser, "remote", "onto", "verify", "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Verify, or say nothing."""
    config = session.config(args)
    updates = pre_push_target.target_updates(
        pre_push_target.read_push(args, session.world, "homelab-verify"), config, session.world.git_readonly
    )
    if not updates or pre_push_target.is_git_land_push(session.world.git_readonly, updates):
        return 0
    return session.finish(verify.run_gate(updates, config, session.world, session.tell))
