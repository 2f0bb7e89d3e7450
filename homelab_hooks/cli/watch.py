"""homelab-watch: wait until CI has decided about a commit.

Waits until CI has decided about a commit; the exit code is the verdict.
COMMIT is anything git resolves (default HEAD); a tag's name selects the tag's pipelines; a full sha works outside a
repository when --repo is given.
"""

from __future__ import annotations

import argparse
import shlex

from homelab_hooks.cli import options, watching
from homelab_hooks.cli.session import Session
from homelab_hooks.events import Start
from homelab_hooks.watch import watch


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("commit", metavar="COMMIT", nargs="?", help="what git resolves to a commit (default: HEAD)")
    parser.add_argument("--event", action="append", metavar="EVENT", help="only pipelines of this event decide")
    parser.add_argument("--fail-fast", action="store_true", help="end at the first red pipeline")
    options.add(parser, *options.CI, "remote", *options.PATIENCE, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Watch."""
    config, world = session.config(args), session.world
    server = world.server(config)
    about = watching.subject(config, world, args.commit)
    decides = watching.scope(about.commit, args.event)
    again = ["homelab-watch", about.commit.sha, *options.given(args, *options.CI, "remote", *options.PATIENCE)]
    again += [word for event in args.event or () for word in ("--event", event)]
    session.tell(
        Start(
            command=session.prog,
            sha=about.commit.sha,
            repo=about.names[0],
            server=str(server),
            resume=shlex.join(again),
        )
    )
    asked = watching.request(config, world, about, decides, fail_fast=args.fail_fast)
    sources = watching.sources(world, about, world.ci(config), world.listener(config))
    verdict = watch.run(asked, sources, clock=world.clock, tell=session.tell)
    return session.finish(verdict)
