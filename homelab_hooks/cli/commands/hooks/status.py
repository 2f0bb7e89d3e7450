"""homelab hooks status: show the installed git hooks and what runs when.

Print where git looks for hooks, which hooks are installed and by which tool, and what happens after a plain git push.
The verdict is `ok` if the hooks of homelab are installed, otherwise `nothing`. The exit code is 0 in both cases.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app.hook_gaps import current_gaps
from homelab_hooks.app.session import Session
from homelab_hooks.cli.commands.hooks.install import add_hook_options
from homelab_hooks.events import Log, LogLevel
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.hooks.install import discover, status as install_status
from homelab_hooks.verdict import Verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    add_hook_options(parser)


def run(args: argparse.Namespace, session: Session) -> int:
    """Print the status."""
    config, git, environ = (
        session.config(vars(args)),
        session.runtime.hook_config,
        session.runtime.environ,
    )
    every = discover.inspect_global(git, environ)
    facts = every if args.all else discover.inspect_repository(git)
    aim = install_status.StatusInput(
        target=config.onto,
        target_source=config.source("onto"),
        mode=config.post_push,
        post_push=None if args.all else discover.read_hook_file(git.location.git_path("hooks") / "post-push"),
        program=discover.find_homelab(environ),
    )
    standing = install_status.hook_status(facts, None if args.all else every, aim)
    for line in standing.lines:
        session.tell(Log(source="homelab", text=line))
    if not standing.installed:
        return session.finish(Verdict(exit=ExitCode.OK, reason="not installed", hint=standing.hint, label="nothing"))
    for gap in () if args.all else current_gaps(config, session.runtime):
        session.tell(Log(source="homelab", text=f"{gap.reason}; {gap.hint}", level=LogLevel.WARNING))
    return session.finish(Verdict(exit=ExitCode.OK, reason="installed"))
