"""The errors for a target that could not be fetched or queried."""

from __future__ import annotations

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.transport_error import TransportFault, read_transport_error
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.system.completed import Completed


def fetch_error(done: Completed, target: str) -> CommandError:
    """Return the error for a fetch without a commit: 20 if the remote does not have the branch, else 24.

    Args:
        done: how `git fetch` ended.
        target: `REMOTE/BRANCH`, fit to be shown.
    """
    if done.ok:
        hint = "run git for-each-ref refs/homelab, and check whether a reference-transaction hook rejects the update"
        return CommandError(f"the fetch returned no commit for {target}", hint=hint, exit=ExitCode.PUSH_FAILED)
    error = read_transport_error(done.err)
    if error.fault is TransportFault.NO_BRANCH:
        return _missing_branch(target)
    hint = f"{error.hint}, then run the same command again"
    return CommandError(f"could not fetch {target}: {error.reason}", hint=hint, exit=ExitCode.PUSH_FAILED)


def require_tip(answer: Poll[str], target: str) -> str:
    """Return the commit that `ls-remote` found. Raises CommandError: 20 if the branch does not exist, else 24.

    Args:
        target: `REMOTE/BRANCH`, fit to be shown.
    """
    match answer:
        case Found(tip):
            return str(tip)
        case NotFound():
            raise _missing_branch(target)
        case Unavailable(reason) | Denied(reason):
            raise CommandError(f"could not query {target}: {reason}", exit=ExitCode.PUSH_FAILED)


def _missing_branch(target: str) -> CommandError:
    hint = "pass another branch with --onto BRANCH"
    return CommandError(f"there is no branch {target}", hint=hint, exit=ExitCode.REFUSED)
