"""homelab trust list: list the approved commands of this repository.

A command that a tracked file sets, such as verify in .homelab.toml, is run only after you have approved its exact text
once. The verdict is `ok`, or `nothing` if no command was approved.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app.command_trust import TrustedCommands, format_command
from homelab_hooks.app.session import Session
from homelab_hooks.events import Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.text.humanize import pluralize
from homelab_hooks.verdict import Verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    from homelab_hooks.app import options

    options.add_options(parser, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """List the commands."""
    session.config(vars(args))
    commands = TrustedCommands(session.runtime.git_readonly.location.homelab_dir()).commands()
    for command in commands:
        session.tell(Log(source="homelab", text=format_command(command)))
    reason = f"{pluralize(len(commands), 'command')} approved"
    return session.finish(Verdict(exit=ExitCode.OK, label="ok" if commands else "nothing", reason=reason))
