"""homelab agent status: show whether a coding agent is set up.

The verdict is `ok` if everything is installed as this version would install it, otherwise `nothing`. The exit code is 0
in both cases.
"""

from __future__ import annotations

import argparse

from homelab_hooks.agent.model import AgentClient
from homelab_hooks.agent.plan import FileRefused, plan_install
from homelab_hooks.app import agent_setup
from homelab_hooks.app.session import Session
from homelab_hooks.cli.commands.agent import add_client_arguments, install_hint, list_files
from homelab_hooks.events import Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.verdict import Verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    add_client_arguments(parser)


def run(args: argparse.Namespace, session: Session) -> int:
    """Print the state of each file."""
    session.config(vars(args))
    client = AgentClient(args.client)
    folders = agent_setup.find_folders(client, session, in_project=args.project)
    missing = 0
    for file, planned in agent_setup.inspect_files(
        list_files(client, folders, session), folders, session, plan_install
    ):
        missing += planned is not None
        state = f"{planned.reason}" if isinstance(planned, FileRefused) else "not installed" if planned else "installed"
        session.tell(Log(source="homelab", text=f"{file.path}: {state}"))
    if missing:
        hint = f"to install, run: {install_hint(args)}"
        return session.finish(agent_setup.nothing_to_do("not installed")._replace(hint=hint))
    return session.finish(Verdict(exit=ExitCode.OK, reason="installed"))
