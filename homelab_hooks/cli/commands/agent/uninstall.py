"""homelab agent uninstall: remove what `homelab agent install` has written.

A file that was not changed since is restored to every byte that it had; from one that was changed, only the entries of
homelab are removed. On a terminal, the command asks first; without one, pass --yes.
"""

from __future__ import annotations

import argparse

from homelab_hooks.agent.plan import plan_uninstall
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
    """Restore the files."""
    changes = plan_changes(args, session, plan_uninstall)
    if not changes:
        return session.finish(agent_setup.nothing_to_do("nothing was installed"))
    agent_setup.show_changes(changes, session)
    changes.reverse()  # the folder of the settings was created first
    agent_setup.make_changes(changes, session, consent=args.yes)
    return session.finish(Verdict(exit=ExitCode.OK, reason="uninstalled"))
