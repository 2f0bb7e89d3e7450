"""Waits for a git that a landing started and that still runs after the landing was killed."""

from __future__ import annotations

from collections.abc import Callable

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.landing import Landing

ORPHAN_TIMEOUT_S = 60.0
"""seconds to wait for it"""
_POLL_INTERVAL_S = 0.5


def wait_for_push(landing: Landing) -> None:
    """Wait until no push of this landing runs. Raises CommandError (unreachable) after ORPHAN_TIMEOUT_S."""
    transfer, sha = landing.git.transfer, landing.state.pushed_commit
    _wait_until_ended(landing, "push", lambda: transfer.running_push_pid(sha), exit=ExitCode.UNREACHABLE)
    transfer.clear_push_pid()


def wait_for_merge(landing: Landing) -> None:
    """Wait until no merge or rebase of this landing runs: it would move the branch after the landing was undone.

    Raises CommandError (refused) after ORPHAN_TIMEOUT_S.
    """
    operations, target = landing.git.operations, landing.state.target_commit
    _wait_until_ended(landing, "merge", lambda: operations.running_pid(target), exit=ExitCode.REFUSED)
    operations.clear_pid()


def _wait_until_ended(landing: Landing, what: str, find: Callable[[], int], *, exit: ExitCode) -> None:  # noqa: A002 - the glossary's word
    clock, pid = landing.dependencies.clock, find()
    until = clock.now() + ORPHAN_TIMEOUT_S
    if pid:
        landing.log(f"a {what} by this landing is still running (pid {pid}); waiting for it to finish", source=what)
    while pid:
        if clock.now() >= until:
            raise CommandError(
                f"a {what} by this landing is still running (pid {pid})",
                hint="wait for the other process to finish or stop it, then run the same command again",
                exit=exit,
            )
        clock.sleep(_POLL_INTERVAL_S)
        pid = find()
