"""homelab hooks waiter: what a push leaves behind.

Started by the other hooks, not by people: waits for the push's end, watches CI and the rollouts if it landed, writes a
log and a record into the repository's private directory, and notifies.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app.push_watch import run_background
from homelab_hooks.app.runtime import JOB_VARIABLE
from homelab_hooks.app.session import Session
from homelab_hooks.errors import CommandError
from homelab_hooks.hooks.background.job import WatchJob


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("sha", metavar="SHA", help="the commit; all else is in its ticket, a variable")


def run(args: argparse.Namespace, session: Session) -> int:
    """Wait, watch, notify."""
    ticket = WatchJob.parse(session.world.environ.get(JOB_VARIABLE, ""))
    if ticket is None or ticket.sha != args.sha:
        raise CommandError("a waiter is started by a hook, with a ticket", hint="homelab-watch watches a commit")
    return run_background(session, ticket)
