"""homelab mcp: serve status, follow, logs, doctor, deploy_wait, and land to an MCP client on standard input and output.

Start it in the repository: its tools work there only. They accept no command, URL, path, or option, and have the
same results as the commands. Waits are slices of 45 seconds; a background watcher continues between them. Needs the
extra mcp; if it is not installed, the command that installs it is printed.
"""

from __future__ import annotations

import argparse

from homelab_hooks import __version__
from homelab_hooks.app.session import Session
from homelab_hooks.errors import CommandError
from homelab_hooks.system.installation import format_install_command
from homelab_hooks.system.signals import interrupt_event_loop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no arguments: the tools have some."""
    del parser


def run(args: argparse.Namespace, session: Session) -> int:
    """Serve until the client closes standard input. Only the protocol is written to standard output."""
    del args
    session.reserve_stdout()
    try:
        from homelab_hooks.app.mcp_server import serve
    except ModuleNotFoundError as error:
        raise CommandError(
            f"homelab mcp needs the extra mcp ({error.name} is not installed)",
            hint=f"to install it, run: {format_install_command('mcp')}",
        ) from None
    session.runtime.require_directory()
    with interrupt_event_loop():
        serve(session.runtime.environ, session.runtime.directory, __version__)
    return 0
