"""homelab agent wake: (internal) wait for background watchers, for a hook that wakes a coding agent.

Exit with 0 at once if no background watcher of this repository is running, or if another call waits for it. Otherwise
wait for its end, print its result on stderr, and exit with 2, which wakes the agent.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app.agent_wake import wait_for_watchers
from homelab_hooks.app.session import Session
from homelab_hooks.exit_codes import ExitCode

WAKE_EXIT = ExitCode.USAGE
"""2: the exit code on which a client shows stderr to its model (agent/claude.py)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the hook has no options."""


def run(args: argparse.Namespace, session: Session) -> int:
    """Wait, and report."""
    del args
    lines = wait_for_watchers(session)
    for line in lines:
        session.runtime.terminal.err(line)
    return int(WAKE_EXIT) if lines else 0
