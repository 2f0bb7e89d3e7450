"""homelab hooks uninstall: remove the git hooks and restore the previous ones.

Remove the hooks of this repository, and restore the hooks that were there before, byte for byte. With --global, remove
the config hooks and the hooks in the global core.hooksPath.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app.session import Session
from homelab_hooks.cli.commands.hooks.install import add_hook_options
from homelab_hooks.events import Log
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.hooks.install import apply as install_apply, discover, plan as install_plan
from homelab_hooks.verdict import Verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    add_hook_options(parser)


def run(args: argparse.Namespace, session: Session) -> int:
    """Remove the hooks."""
    session.config(vars(args))
    git, environ = session.runtime.hook_config, session.runtime.environ
    facts = discover.inspect_global(git, environ) if args.all else discover.inspect_repository(git)
    decided = install_plan.plan_uninstall(facts)
    install_apply.apply_steps(decided.steps, git)
    for line in decided.messages:
        session.tell(Log(source="homelab", text=line))
    if not decided.steps:
        return session.finish(Verdict(exit=ExitCode.OK, reason="nothing was installed", label="nothing"))
    return session.finish(Verdict(exit=ExitCode.OK, reason="uninstalled"))
