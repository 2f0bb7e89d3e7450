"""homelab completion: print the completion script of a shell.

The script completes homelab, homelab-watch, and git land, without starting Python. Bash and zsh load it with eval, fish
with source.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app.installed_files import read_installed_file
from homelab_hooks.app.session import Session

PLACES = {
    "bash": "share/bash-completion/completions/{}",
    "zsh": "share/zsh/site-functions/_{}",
    "fish": "share/fish/vendor_completions.d/{}.fish",
}
"""where the wheel installs the script of a program, by the shell"""
PROGRAMS = ("homelab", "homelab-watch", "git-land")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's argument."""
    parser.add_argument("shell", metavar="SHELL", choices=tuple(PLACES), help="bash, zsh, or fish")


def run(args: argparse.Namespace, session: Session) -> int:
    """Print the script."""
    scripts = [read_installed_file(PLACES[args.shell].format(program)) for program in PROGRAMS]
    session.runtime.terminal.out("\n".join(script.rstrip("\n") for script in scripts))
    return 0
