"""What every gate asks first: what is pushed, whether that is for the target, and whether git land does it."""

from __future__ import annotations

import argparse
import os
import shlex

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.remote_url import format_remote_url
from homelab_hooks.git.transfer import PUSH_PID_FILE
from homelab_hooks.hooks.pre_push.input import PushInput, RefUpdate, from_pre_commit, parse_git_input
from homelab_hooks.polling.outcome import NotFound, Unavailable
from homelab_hooks.system import process_table, terminal
from homelab_hooks.system.process_table import command_line


def is_enabled(mode: str) -> bool:
    """Whether the stage is more than nothing, in this homelab.postPush."""
    return mode != "off"


def add_push_arguments(parser: argparse.ArgumentParser) -> None:
    """What git gives a pre-push hook; pre-commit and prek give nothing, but set variables."""
    parser.add_argument("pushed_to", metavar="REMOTE", nargs="?", help="as git tells its pre-push hook")
    parser.add_argument("url", metavar="URL", nargs="?", help="the same; then standard input tells the refs")


def read_push(args: argparse.Namespace, world: Runtime, which: str) -> PushInput | None:
    """The push that is about to be made; None where there is none: run by hand, or to verify a landing.

    Args:
        which: the gate's id, which SKIP can name wherever it is called from, as with pre-commit.
    """
    if which in world.environ.get("SKIP", "").split(","):
        return None
    if args.pushed_to:
        return parse_git_input(args.pushed_to, args.url or "", terminal.read_stdin())

    def resolve(name: str) -> str:
        found = world.git_readonly.history.resolve(name)
        return found.sha if found else ""

    return from_pre_commit(world.environ, resolve)


def target_updates(push: PushInput | None, config: Config, git: ReadOnlyRepository) -> tuple[RefUpdate, ...]:
    """The updates that bring something onto the target."""
    if push is None or not push.branch_updates:
        return ()
    remote = resolve_remote_name(git, push.remote)
    return tuple(update for update in push.branch_updates if is_target(update.branch, remote, config, git))


def resolve_remote_name(git: ReadOnlyRepository, told: str) -> str:
    """The remote that is pushed to: by its name, or by the URL that it pushes to; a URL of none is its own answer."""
    names = git.remotes.remote_names()
    return told if told in names else next((name for name in names if told in git.remotes.push_urls(name)), told)


def is_target(branch: str, remote: str, config: Config, git: ReadOnlyRepository) -> bool:
    """Whether a remote's branch is what landings go to; the remote itself is asked where nothing else tells.

    Raises CommandError (refused) where nobody says it: a gate that cannot tell must not open.
    """
    known = maybe_target(branch, remote, config, git)
    if known is not None:
        return known
    asked = git.remotes.head_branch(remote)
    if not isinstance(asked, NotFound | Unavailable):
        return branch == asked.value
    why = f"cannot be asked: {asked.reason}" if isinstance(asked, Unavailable) else "does not say"
    raise CommandError(
        f"it is not known whether {branch} is the target: {format_remote_url(remote)} {why}",
        hint="git config homelab.target BRANCH, or git remote set-head "
        f"{shlex.quote(format_remote_url(remote))} --auto",
        exit=ExitCode.REFUSED,
    )


def maybe_target(branch: str, remote: str, config: Config, git: ReadOnlyRepository) -> bool | None:
    """The same without asking anybody: None where only the remote can tell."""
    if config.remote and config.remote != remote:
        return False
    target = config.onto or git.remotes.known_head_branch(remote)
    return branch == target if target else None


def is_git_land_push(git: ReadOnlyRepository, updates: tuple[RefUpdate, ...]) -> bool:
    """Whether `git land` makes this push: the process that it noted is one we descend from, and pushes just this.

    A variable could be inherited by a push that the verification makes, or be left in a shell; this cannot.
    """
    try:
        number = int(git.location.git_path(PUSH_PID_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return False
    command = command_line(number)
    ours = any(process.id == number for process in process_table.ancestors(os.getpid()))
    return ours and all(f"{update.sha}:{update.ref}" in command for update in updates)
