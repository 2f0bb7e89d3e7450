"""homelab completion: print the completion script of a shell.

The script completes homelab, homelab-watch, and git land, without starting Python. It also adds the man pages to
MANPATH, so that `git land --help` finds them wherever they were installed, as after uv tool install. Bash and zsh load
it with eval, fish with source.
"""

from __future__ import annotations

import argparse
import shlex

from homelab_hooks.app.installed_files import find_installed_file
from homelab_hooks.app.session import Session

PLACES = {
    "bash": "share/bash-completion/completions/{}",
    "zsh": "share/zsh/site-functions/_{}",
    "fish": "share/fish/vendor_completions.d/{}.fish",
}
"""where the wheel installs the script of a program, by the shell"""
PROGRAMS = ("homelab", "homelab-watch", "git-land")
_BEFORE = {"zsh": "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }"}
"""what the scripts of a shell need: a zsh without a configuration has not loaded its completion system"""
_MAN_PAGE = "share/man/man1/git-land.1"
_MANPATH = {
    "bash": 'case ":${{MANPATH-}}:" in *:{0}:*) ;; *) export MANPATH="${{MANPATH-}}":{0} ;; esac',
    "fish": "set -q MANPATH; or set -gx MANPATH ''\nif not contains -- {0} $MANPATH; set -gxa MANPATH {0}; end",
}
"""what adds a folder to MANPATH; an empty element there stands for the default path"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's argument."""
    parser.add_argument("shell", metavar="SHELL", choices=tuple(PLACES), help="bash, zsh, or fish")


def run(args: argparse.Namespace, session: Session) -> int:
    """Print the script."""
    files = [find_installed_file(PLACES[args.shell].format(program)) for program in PROGRAMS]
    manuals = find_installed_file(_MAN_PAGE).parent.parent
    adding = _MANPATH.get(args.shell, _MANPATH["bash"]).format(shlex.quote(str(manuals)))
    before = [_BEFORE[args.shell]] if args.shell in _BEFORE else []
    scripts = [*before, *(file.read_text(encoding="utf-8").rstrip("\n") for file in files), adding]
    session.runtime.terminal.out("\n".join(scripts))
    return 0
