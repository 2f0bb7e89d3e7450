"""The arguments of a pre-push hook, and the push they describe."""

from __future__ import annotations

import argparse

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.hooks.pre_push.input import PushInput, from_pre_commit, parse_git_input
from homelab_hooks.hooks.pre_push.skip import is_skipped
from homelab_hooks.system import terminal


def add_push_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what git passes to a pre-push hook. pre-commit and prek pass no arguments; they set variables."""
    parser.add_argument("pushed_to", metavar="REMOTE", nargs="?", help="remote, as git passes it to a pre-push hook")
    parser.add_argument("url", metavar="URL", nargs="?", help="its URL; the refs are then read from standard input")


def read_push(args: argparse.Namespace, runtime: Runtime, hook_id: str) -> PushInput | None:
    """Return the push that is about to be made; None if the hook is skipped, run by hand, or run to verify a landing.

    Args:
        hook_id: the name by which SKIP skips the hook.
    """
    if is_skipped(runtime.environ, hook_id):
        return None
    if args.pushed_to:
        return parse_git_input(args.pushed_to, args.url or "", terminal.read_stdin())

    def resolve(name: str) -> str:
        found = runtime.git_readonly.history.resolve(name)
        return found.sha if found else ""

    return from_pre_commit(runtime.environ, resolve)
