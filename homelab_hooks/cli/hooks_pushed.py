"""homelab hooks pushed: what follows a plain `git push`.

Run by the reference-transaction hook when a push has moved a tracking ref. Watches the commit if the branch is the
target: in the foreground, in the background or not at all, as homelab.postPush says. Nothing is said about other
branches. Git ignores the exit code.
"""

from __future__ import annotations

import argparse

from homelab_hooks.cli import options
from homelab_hooks.cli.session import Session
from homelab_hooks.config import Config
from homelab_hooks.events import Level, Log
from homelab_hooks.hooks import gate
from homelab_hooks.hooks.ticket import Ticket, leave

_TRACKING = "refs/remotes/"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("ref", metavar="REF", help="the tracking ref that the push moved: refs/remotes/REMOTE/BRANCH")
    parser.add_argument("sha", metavar="SHA", help="where to")
    options.add(parser, *options.WATCHING, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Watch, leave a waiter, or do nothing."""
    world = session.world
    session.resume = f"homelab-watch {args.sha}"
    remote, branch = _taken_apart(args.ref, world.git.remotes())
    config = session.config(args)
    mode = config.post_push or ("foreground" if world.terminal.attended else "background")
    mine = gate.may_be_target(branch, remote, config, world.git) if remote and gate.watched(mode) else False
    if mine is False:
        return 0
    ticket = Ticket(
        sha=args.sha,
        branch=branch,
        remote=remote,
        directory=str(world.git.top_level() or world.directory),
        options=options.kept(args, *options.WATCHING),
    )
    if mode == "background":
        return _leave(session, ticket)
    return _stay(session, ticket, config)


def _stay(session: Session, ticket: Ticket, config: Config) -> int:
    from homelab_hooks.hooks.vigil import in_sight

    return in_sight(session, ticket, config)


def _leave(session: Session, ticket: Ticket) -> int:
    try:
        log = leave(session.world, ticket)
    except OSError as error:
        session.tell(Log(source="homelab", text=f"nobody watches this push: {error}", level=Level.WARNING))
        return 0
    if log:
        text = f"CI is watched in the background; homelab ci status tells how it stands; log: {log}"
        session.tell(Log(source="homelab", text=text))
    return 0


def _taken_apart(ref: str, remotes: tuple[str, ...]) -> tuple[str, str]:
    """Remote and branch; a remote's name may hold a slash, so the longest that fits counts.

    >>> _taken_apart("refs/remotes/team/up/main", ("team", "team/up"))
    ('team/up', 'main')
    >>> _taken_apart("refs/heads/main", ("origin",))
    ('', '')
    """
    rest = ref.removeprefix(_TRACKING) if ref.startswith(_TRACKING) else ""
    fits = [name for name in remotes if rest.startswith(f"{name}/")]
    remote = max(fits, key=len, default="")
    return (remote, rest.removeprefix(f"{remote}/")) if remote else ("", "")
