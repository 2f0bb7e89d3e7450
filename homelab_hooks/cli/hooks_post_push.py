"""homelab hooks post-push: before a push, leave somebody behind who watches it if it lands.

For the pre-push stage of pre-commit and prek, where no post-push stage exists. Returns at once; a detached waiter sees
whether the push landed, watches CI and the rollouts, and notifies. Pushes to other branches than the target, and those
of git land, which watches by itself, leave nobody behind.
"""

from __future__ import annotations

import argparse

from homelab_hooks.cli import options
from homelab_hooks.cli.session import Session
from homelab_hooks.errors import Problem
from homelab_hooks.events import Level, Log
from homelab_hooks.hooks import gate
from homelab_hooks.hooks.ticket import Ticket, leave, pusher


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    gate.arguments(parser)
    options.add(parser, *options.WATCHING, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Leave a waiter for the push to the target; whatever goes wrong here, the push goes on."""
    if session.world.environ.get("HOMELAB_NO_WATCH"):
        return 0
    try:
        _leave(args, session)
    except (Problem, OSError) as error:
        text = f"nobody watches this push: {error}"
        session.tell(Log(source="homelab", text=text, level=Level.WARNING))
    return 0


def _leave(args: argparse.Namespace, session: Session) -> None:
    config, world = session.config(args), session.world
    push = gate.pushing(args, world, "homelab-post-push")
    updates = gate.for_target(push, config, world.git)
    if push is None or not updates or config.post_push == "off" or gate.lands(world.git, updates):
        return
    process = pusher()
    if process is None:
        session.tell(Log(source="homelab", text="no git push runs here: nothing to wait for"))
        return
    remote = gate.remote_of(world.git, push.remote)
    for update in updates:
        ticket = Ticket(
            sha=update.sha,
            branch=update.branch,
            remote=remote,
            directory=str(world.git.top_level() or world.directory),
            moves=world.git.moves(remote, update.branch),
            push=process,
            options=options.kept(args, *options.WATCHING),
        )
        log = leave(world, ticket)
        text = f"if the push lands, CI is watched in the background; log: {log}" if log else "it is watched already"
        session.tell(Log(source="homelab", text=text))
