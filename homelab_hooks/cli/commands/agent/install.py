"""homelab agent install: set up a coding agent to use this tool.

Show, then write the files of the coding agent CLIENT (claude or codex): permission rules for commands that change
nothing, a skill that explains the commands, and for Claude Code a hook that wakes it when a background watcher ends. On
a terminal, the command asks first; without one, pass --yes. `homelab agent uninstall` restores everything.
"""

from __future__ import annotations

import argparse

from homelab_hooks.agent.plan import plan_install
from homelab_hooks.app import agent_setup
from homelab_hooks.app.session import Session
from homelab_hooks.cli.commands.agent import add_client_arguments, add_consent_option, plan_changes
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.verdict import Verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    add_client_arguments(parser)
    add_consent_option(parser)


def run(args: argparse.Namespace, session: Session) -> int:
    """Write the files."""
    changes = plan_changes(args, session, plan_install)
    if not changes:
        return session.finish(agent_setup.nothing_to_do("already installed"))
    agent_setup.show_changes(changes, session)
    agent_setup.make_changes(changes, session, consent=args.yes)
    return session.finish(Verdict(exit=ExitCode.OK, reason="installed", hint=f"restart {args.client} to load it"))
