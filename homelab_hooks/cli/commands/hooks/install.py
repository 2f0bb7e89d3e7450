"""homelab hooks install: install git hooks that watch CI after each push.

Install the reference-transaction and pre-push hooks in this repository. With --global, install them for all
repositories: as config hooks with git 2.54 or later, otherwise in the global core.hooksPath. Existing hooks are
preserved and run first. Hooks that another tool manages are not changed. Running the command again changes nothing;
`homelab hooks uninstall` restores everything.
"""

from __future__ import annotations

import argparse

from homelab_hooks.app import options
from homelab_hooks.app.hook_gaps import current_gaps
from homelab_hooks.app.session import Session
from homelab_hooks.events import Log, LogLevel
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.hooks.install import apply as install_apply, discover, plan as install_plan, shims
from homelab_hooks.verdict import Verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and options."""
    add_hook_options(parser)


def add_hook_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the commands that concern the hooks of one or all repositories."""
    parser.add_argument(
        "--global", dest="all", action="store_true", help="for all repositories of this user, not only this one"
    )
    options.add_options(parser, "output")


def run(args: argparse.Namespace, session: Session) -> int:
    """Install the hooks."""
    config = session.config(vars(args))
    git, environ = session.runtime.hook_config, session.runtime.environ
    facts = discover.inspect_global(git, environ) if args.all else discover.inspect_repository(git)
    texts = {name: shims.shim_text(name, discover.find_homelab(environ)) for name in shims.INSTALLED_HOOKS}
    decided = install_apply.require_plan(install_plan.plan_install(facts, texts))
    install_apply.apply_steps(decided.steps, git)
    for line in decided.messages:
        session.tell(Log(source="homelab", text=line))
    for gap in () if args.all else current_gaps(config, session.runtime):
        session.tell(Log(source="homelab", text=f"{gap.reason}; {gap.hint}", level=LogLevel.WARNING))
    hint = "" if args.all else "homelab hooks status shows what runs when"
    if not decided.steps:
        return session.finish(Verdict(exit=ExitCode.OK, reason="already installed", hint=hint, label="nothing"))
    return session.finish(Verdict(exit=ExitCode.OK, reason="installed", hint=hint))
