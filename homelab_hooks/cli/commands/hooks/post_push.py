"""homelab hooks post-push: start a background watcher before a push.

Start a background watcher for the push, and return at once. Use it in the pre-push stage of pre-commit and prek, which
have no post-push stage. The watcher checks whether the push landed, watches CI and the rollouts, and sends a
notification. Pushes to other branches, and pushes by git land, which watches CI itself, start no watcher.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options
from homelab_hooks.app.background import spawn_watcher
from homelab_hooks.app.session import Session
from homelab_hooks.cli.commands.hooks.push_arguments import add_push_arguments, read_push
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Log, LogLevel
from homelab_hooks.hooks.background.job import WatchJob
from homelab_hooks.hooks.background.push_check import find_git_push
from homelab_hooks.hooks.pre_push import target as pre_push_target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    add_push_arguments(parser)
    options.add_options(parser, *options.WATCH_OPTIONS, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Start a background watcher for a push to the target. An error is a warning: it must not stop the push."""
    if session.runtime.environ.get("HOMELAB_NO_WATCH"):
        return 0
    try:
        _start_watcher(args, session)
    except (CommandError, OSError) as error:
        text = f"no watcher is running for this push: {error}"
        session.tell(Log(source="homelab", text=text, level=LogLevel.WARNING))
    return 0


def _start_watcher(args: argparse.Namespace, session: Session) -> None:
    config, runtime = session.config(vars(args)), session.runtime
    push = read_push(args, runtime, "homelab-post-push")
    updates = pre_push_target.target_updates(push, config, runtime.git_readonly)
    if (
        push is None
        or not updates
        or config.post_push == "off"
        or pre_push_target.is_git_land_push(runtime.git_readonly, updates)
    ):
        return
    process = find_git_push()
    if process is None:
        session.tell(Log(source="homelab", text="not run by git push: nothing to wait for"))
        return
    remote = pre_push_target.resolve_remote_name(runtime.git_readonly, push.remote)
    for update in updates:
        job = WatchJob(
            sha=update.sha,
            branch=update.branch,
            remote=remote,
            directory=str(runtime.git_readonly.location.top_level() or runtime.directory),
            reflog_length=runtime.git_readonly.remotes.reflog_length(remote, update.branch),
            push_process=process,
            options=options.as_mapping(vars(args), *options.WATCH_OPTIONS),
        )
        log = spawn_watcher(runtime, job)
        text = f"watching CI in the background if the push lands; log: {log}" if log else "already being watched"
        session.tell(Log(source="homelab", text=text))
