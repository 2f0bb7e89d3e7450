"""Resolves the names that a command is given or implies: the commit, the remote, and the target branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.remotes import choose_remote, find_push_settings

if TYPE_CHECKING:
    from homelab_hooks.app.runtime import Runtime
    from homelab_hooks.git.history import Commit


def resolve_commit(runtime: Runtime, name: str | None) -> Commit:
    """Resolve COMMIT. Raises CommandError if git cannot resolve it."""
    found = runtime.git_readonly.history.resolve("HEAD" if name is None else name)
    if found is not None:
        return found
    if runtime.git_readonly.location.git_dir() is None:
        hint = "run this in a repository, or pass a full SHA"
        raise CommandError("not a git repository" + (f": cannot resolve {name!r}" if name else ""), hint=hint)
    shown = "HEAD" if name is None else name
    raise CommandError(f"unknown revision {shown!r}", hint="pass a branch, a tag, or a SHA")


def default_remote(config: Config, git: ReadOnlyRepository, remotes: tuple[str, ...]) -> str:
    """Return the remote that a push would go to; empty if it is ambiguous, since a watch works without it."""
    if not remotes:
        return ""
    try:
        settings = find_push_settings(git.location.config_entries())
        pushed = settings.by_branch.get(git.history.current_branch(), "") if settings.by_branch else ""
        return choose_remote(remotes, wanted=config.remote, push_remote=pushed, push_default=settings.default).name
    except CommandError:
        if config.remote:
            raise
        return ""


def known_target(config: Config, git: ReadOnlyRepository, remote: str) -> str:
    """Return the target branch, if it is known without a request; empty if a request would be needed."""
    return config.onto or (git.remotes.known_head_branch(remote) if remote else "")
