"""homelab hooks watcher: the background watcher of a push (internal).

The other hooks start this command. Wait for the push to end and, if it landed, watch CI and the rollouts. Write a log
and a record to the repository's private directory, and send a notification.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app.push_watch import run_background
from homelab_hooks.app.runtime import JOB_VARIABLE
from homelab_hooks.app.session import Session
from homelab_hooks.errors import CommandError
from homelab_hooks.hooks.background.job import WatchJob


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    parser.add_argument("sha", metavar="SHA", help="the commit; the rest of the job is in an environment variable")


def run(args: argparse.Namespace, session: Session) -> int:
    """Wait for the push, watch CI, and notify."""
    job = WatchJob.parse(session.runtime.environ.get(JOB_VARIABLE, ""))
    if job is None or job.sha != args.sha:
        raise CommandError("this command is started by the hooks", hint="to watch a commit: homelab-watch COMMIT")
    return run_background(session, job)
