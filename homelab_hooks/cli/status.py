"""homelab ci status: the verdict from one look.

Says what CI has decided about a commit so far, without waiting: the codes of homelab-watch, 124 while it is undecided.
"""

from __future__ import annotations

import argparse

from homelab_hooks.cli import options, watching
from homelab_hooks.cli.session import Session
from homelab_hooks.events import Start
from homelab_hooks.watch import watch
from homelab_hooks.watch.state import Patience

PATIENCE = 15.0
"""seconds for the one look to succeed, flaps included"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("commit", metavar="COMMIT", nargs="?", help="what git resolves to a commit (default: HEAD)")
    parser.add_argument("--event", action="append", metavar="EVENT", help="only pipelines of this event decide")
    options.add(parser, *options.CI, "remote", "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Look once."""
    config, world = session.config(args), session.world
    server = world.server(config)
    about = watching.subject(config, world, args.commit)
    decides = watching.scope(about.commit, args.event)
    session.tell(Start(command=session.prog, sha=about.commit.sha, repo=about.names[0], server=str(server)))
    asked = watching.request(config, world, about, decides)
    once = asked._replace(patience=Patience(timeout=PATIENCE, appear=0.0, unreachable=PATIENCE, once=True))
    verdict = watch.run(once, watching.sources(world, about, world.ci(config)), clock=world.clock, tell=session.tell)
    return session.finish(verdict)
