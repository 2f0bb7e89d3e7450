"""homelab-watch: wait until CI has decided about a commit.

Waits until CI has decided about a commit; the exit code is the verdict.
COMMIT is anything git resolves (default HEAD); a tag's name selects the tag's pipelines; a full sha works outside a
repository when --repo is given.
With --deploy, a green commit's rollout is waited for too, and counts.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from homelab_hooks.cli import options, watching
from homelab_hooks.cli.session import Session
from homelab_hooks.config import Config
from homelab_hooks.events import Stage, Start
from homelab_hooks.exits import Exit
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import watch

if TYPE_CHECKING:
    from homelab_hooks.cli import chain


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("commit", metavar="COMMIT", nargs="?", help="what git resolves to a commit (default: HEAD)")
    parser.add_argument("--event", action="append", metavar="EVENT", help="only pipelines of this event decide")
    parser.add_argument("--fail-fast", action="store_true", help="end at the first red pipeline")
    options.add(parser, *options.CI, "remote", *options.PATIENCE, "deploy", *options.ROLLOUT, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Watch."""
    config, world = session.config(args), session.world
    server = world.server(config)
    about = watching.subject(config, world, args.commit)
    decides = watching.scope(about.commit, args.event)
    name = args.commit if about.commit.tag else about.commit.sha
    again = watching.again(args, name, deploy=args.deploy or (), events=args.event or ())
    again += " --fail-fast" if args.fail_fast else ""
    session.tell(
        Start(command=session.prog, sha=about.commit.sha, repo=about.names[0], server=str(server), resume=again)
    )
    asked = watching.request(config, world, about, decides, fail_fast=args.fail_fast)
    # Configured targets are waited for after a landing; a watch waits only for those that it is given.
    rollout = _rollout(args, config, session, about) if args.deploy else None
    sources = watching.sources(world, about, watching.server(config, world), world.listener(config))

    def watched() -> Verdict:
        return watch.run(asked, sources, clock=world.clock, tell=session.tell)

    if rollout is None:
        return session.finish(watched())
    from homelab_hooks.cli import chain

    links = [chain.Link(Stage.WATCH, watched, again), rollout]
    return session.finish(chain.run(links, session, Verdict(exit=Exit.OK, sha=about.commit.sha)))


def _rollout(args: argparse.Namespace, config: Config, session: Session, about: watching.Subject) -> chain.Link:
    """The wait for the targets; loaded only where it is wanted. Raises Problem for a malformed target."""
    from homelab_hooks.cli import chain, deploying

    asked = deploying.request(config, deploying.targets(config.deploy), about.commit.sha)

    def deployed() -> Verdict:
        world, remote = session.world, about.remote()
        target = watching.target(config, world.git, remote)
        return deploying.wait(asked, session, remote=remote, target=target, kubectl=world.kubectl())

    return chain.Link(Stage.DEPLOY, deployed, deploying.again(args, config.deploy, about.commit.sha))
