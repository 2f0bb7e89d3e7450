"""homelab trust revoke: withdraw the approval of a command of this repository.

The command is asked about again before it is run the next time. The verdict is `ok`, or `nothing` if it had not been
approved.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options
from homelab_hooks.app.command_trust import TrustedCommands, format_command
from homelab_hooks.app.session import Session
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.verdict import Verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's argument and options."""
    parser.add_argument("command", metavar="COMMAND", nargs="?", help="the command, as homelab trust list prints it")
    parser.add_argument("--all", action="store_true", help="withdraw every approval")
    options.add_options(parser, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Withdraw approvals."""
    session.config(vars(args))
    if bool(args.command) == args.all:
        raise CommandError("pass one command, or --all", hint="to see the commands, run homelab trust list")
    trusted = TrustedCommands(session.runtime.git_readonly.location.homelab_dir())
    # A command of several lines is printed on one; the argument may be either form.
    named = [each for each in trusted.commands() if args.all or args.command in (each, format_command(each))]
    revoked = trusted.revoke(named)
    for command in revoked:
        session.tell(Log(source="homelab", text=f"no longer approved: {format_command(command)}"))
    if revoked:
        return session.finish(Verdict(exit=ExitCode.OK, label="ok"))
    reason = "no command was approved" if args.all else "this command was not approved"
    hint = "" if args.all else "to see the commands, run homelab trust list"
    return session.finish(Verdict(exit=ExitCode.OK, label="nothing", reason=reason, hint=hint))
