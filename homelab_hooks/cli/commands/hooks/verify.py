"""homelab hooks verify: verify pushes to the target.

A pre-push gate. Run the verification command (--verify-cmd, homelab.verify, .homelab.toml, or auto-detected) before a
push to the target branch, and reject the push (22) if the command fails. Pushes by git land pass, since git land has
verified them; so do pushes to other branches.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import command_trust, options
from homelab_hooks.app.session import Session
from homelab_hooks.cli.commands.hooks.push_arguments import add_push_arguments, read_push
from homelab_hooks.hooks.pre_push import target as pre_push_target
from homelab_hooks.hooks.pre_push.verify import GateDependencies, choose_command, verify_push
from homelab_hooks.land.verification import probe_with


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    add_push_arguments(parser)
    options.add_options(parser, "remote", "onto", "verify", "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Verify a push to the target; print nothing about any other push."""
    config, runtime = session.config(vars(args)), session.runtime
    push = read_push(args, runtime, "homelab-verify")
    updates = pre_push_target.target_updates(push, config, runtime.git_readonly)
    if not updates or pre_push_target.is_git_land_push(runtime.git_readonly, updates):
        return 0
    command_trust.require_trusted(config, session)
    top = runtime.git_readonly.location.top_level()
    can_run = probe_with(runtime.user_command_runner)
    command = choose_command(config, top, can_run, in_pre_commit=runtime.environ.get("PRE_COMMIT") == "1")
    parts = GateDependencies(
        git=runtime.git_interactive, runner=runtime.user_command_runner, directory=top, clock=runtime.clock,
        emit=session.tell,
    )  # fmt: skip
    return session.finish(verify_push(updates, command, parts))
