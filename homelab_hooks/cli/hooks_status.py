"""homelab hooks status: which git hooks are there, whose they are, and what fires when.

Ends with 0 whether or not they are installed; the result's word says which: ok, or nothing.
"""

from __future__ import annotations

import argparse

from homelab_hooks.cli import options
from homelab_hooks.cli.hooks_install import everywhere
from homelab_hooks.cli.session import Session
from homelab_hooks.events import Log
from homelab_hooks.exits import Exit
from homelab_hooks.git.hooking import Hooking
from homelab_hooks.hooks import places, status
from homelab_hooks.verdict import Verdict


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    everywhere(parser)
    options.add(parser, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Say it."""
    config, git, environ = session.config(args), Hooking(session.world.git.executor), session.world.environ
    every = places.everywhere(git, environ)
    facts = every if args.all else places.repository(git)
    aim = status.Aim(
        target=config.onto,
        target_source=config.source("onto"),
        mode=config.post_push,
        post_push=None if args.all else places.entry(git.git_path("hooks") / "post-push"),
        program=places.program(environ),
    )
    standing = status.standing(facts, None if args.all else every, aim)
    for line in standing.lines:
        session.tell(Log(source="homelab", text=line))
    if not standing.installed:
        return session.finish(Verdict(exit=Exit.OK, reason="not installed", hint=standing.hint, word="nothing"))
    return session.finish(Verdict(exit=Exit.OK, reason="installed"))
