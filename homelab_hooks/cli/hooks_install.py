"""homelab hooks install: a post-push stage for every push of the target.

Puts the reference-transaction and pre-push hooks into this repository, or with --global into git's own settings (git
2.54), or into the global core.hooksPath. A hook that is there is kept and runs first; one that another tool looks after
is left alone. Running it again changes nothing; `homelab hooks uninstall` puts everything back.
"""

from __future__ import annotations

import argparse

from homelab_hooks.cli import options
from homelab_hooks.cli.session import Session
from homelab_hooks.events import Log
from homelab_hooks.exits import Exit
from homelab_hooks.git.hooking import Hooking
from homelab_hooks.hooks import install, places, plan, shims
from homelab_hooks.verdict import Verdict


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    everywhere(parser)
    options.add(parser, "output")


def everywhere(parser: argparse.ArgumentParser) -> None:
    """The option that means all repositories."""
    parser.add_argument("--global", dest="all", action="store_true", help="for all repositories of this account")


def run(args: argparse.Namespace, session: Session) -> int:
    """Install them."""
    session.config(args)
    git, environ = Hooking(session.world.git.executor), session.world.environ
    facts = places.everywhere(git, environ) if args.all else places.repository(git)
    texts = {name: shims.text(name, places.program(environ)) for name in shims.INSTALLED}
    decided = install.steps_of(plan.install(facts, texts))
    install.carry_out(decided.steps, git)
    for line in decided.said:
        session.tell(Log(source="homelab", text=line))
    hint = "" if args.all else "homelab hooks status says what fires when"
    if not decided.steps:
        return session.finish(Verdict(exit=Exit.OK, reason="installed already", hint=hint, word="nothing"))
    return session.finish(Verdict(exit=Exit.OK, reason="installed", hint=hint))
