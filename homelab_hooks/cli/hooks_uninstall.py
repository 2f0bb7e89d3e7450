"""homelab hooks uninstall: take the git hooks out, and put back what was there before.

Every hook that was kept is put back byte for byte; nothing of ours is left. With --global: out of git's own settings
and the global core.hooksPath.
"""

from __future__ import annotations

import argparse

from homelab_hooks.cli import options
from homelab_hooks.cli.hooks_install import everywhere
from homelab_hooks.cli.session import Session
from homelab_hooks.events import Log
from homelab_hooks.exits import Exit
from homelab_hooks.git.hooking import Hooking
from homelab_hooks.hooks import install, places, plan
from homelab_hooks.verdict import Verdict


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    everywhere(parser)
    options.add(parser, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Take them out."""
    session.config(args)
    git, environ = Hooking(session.world.git.executor), session.world.environ
    facts = places.everywhere(git, environ) if args.all else places.repository(git)
    decided = plan.uninstall(facts)
    install.carry_out(decided.steps, git)
    for line in decided.said:
        session.tell(Log(source="homelab", text=line))
    if not decided.steps:
        return session.finish(Verdict(exit=Exit.OK, reason="nothing was installed", word="nothing"))
    return session.finish(Verdict(exit=Exit.OK, reason="uninstalled"))
