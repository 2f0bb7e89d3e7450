"""Decides whether a push concerns the target, and whether `git land` makes it."""

from __future__ import annotations

import os
import shlex

from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.pid_file import PUSH_PID_FILE, PidFile
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.remote_url import format_remote_url
from homelab_hooks.hooks.pre_push.input import PushInput, RefUpdate
from homelab_hooks.polling.outcome import NotFound, Unavailable
from homelab_hooks.system import process_table
from homelab_hooks.system.process_table import command_line


def is_enabled(mode: str) -> bool:
    """Return whether this value of homelab.postPush enables a watch."""
    return mode != "off"


def target_updates(push: PushInput | None, config: Config, git: ReadOnlyRepository) -> tuple[RefUpdate, ...]:
    """Return the updates that bring a commit onto the target."""
    if push is None or not push.branch_updates:
        return ()
    remote = resolve_remote_name(git, push.remote)
    return tuple(update for update in push.branch_updates if is_target(update.branch, remote, config, git))


def resolve_remote_name(git: ReadOnlyRepository, remote: str) -> str:
    """Return the remote that is pushed to, given its name or a push URL; the URL itself if no remote has it."""
    names = git.remotes.remote_names()
    return (
        remote if remote in names else next((name for name in names if remote in git.remotes.push_urls(name)), remote)
    )


def is_target(branch: str, remote: str, config: Config, git: ReadOnlyRepository) -> bool:
    """Return whether a remote's branch is the target: that of the settings, else the remote's HEAD, by a query.

    Raises:
        CommandError: (refused) the target is unknown, so the push could be one to the target.
    """
    known = maybe_target(branch, remote, config, git)
    if known is not None:
        return known
    asked = git.remotes.head_branch(remote)
    if not isinstance(asked, NotFound | Unavailable):
        return branch == asked.value
    name = format_remote_url(remote)
    why = f"cannot reach {name}: {asked.reason}" if isinstance(asked, Unavailable) else f"{name} has no HEAD branch"
    raise CommandError(
        f"could not determine the target branch: {why}",
        hint=f"run git config homelab.target BRANCH, or git remote set-head {shlex.quote(name)} BRANCH",
        exit=ExitCode.REFUSED,
    )


def maybe_target(branch: str, remote: str, config: Config, git: ReadOnlyRepository) -> bool | None:
    """Return whether it is the target, as far as this is known without a request; None otherwise."""
    if config.remote and config.remote != remote:
        return False
    target = config.onto or git.remotes.known_head_branch(remote)
    return branch == target if target else None


def is_git_land_push(git: ReadOnlyRepository, updates: tuple[RefUpdate, ...]) -> bool:
    """Return whether `git land` makes this push: the push process it recorded is an ancestor and pushes these updates.

    An environment variable is not used: the verification's own pushes would inherit it, and a shell could keep it.
    """
    number = PidFile(git.location, PUSH_PID_FILE).read()
    if not number:
        return False
    command = command_line(number)
    ours = any(process.id == number for process in process_table.ancestors(os.getpid()))
    return ours and all(f"{update.sha}:{update.ref}" in command for update in updates)
