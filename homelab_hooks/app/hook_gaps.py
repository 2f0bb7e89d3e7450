"""Finds reasons why a plain push would not be watched."""

from __future__ import annotations

from homelab_hooks.app import resolve_names
from homelab_hooks.app.runtime import Runtime
from homelab_hooks.config.resolve import Config
from homelab_hooks.hooks.install.gaps import Gap, WatchedRemote, find_gaps


def current_gaps(config: Config, runtime: Runtime) -> tuple[Gap, ...]:
    """Return why a push from this repository to the target would not be detected by an installed hook."""
    git = runtime.git_readonly
    names = git.remotes.remote_names()
    name = resolve_names.default_remote(config, git, names)
    if name not in names:
        return find_gaps(None, runtime.hook_config.process_name())
    target = resolve_names.known_target(config, git, name)
    remote = WatchedRemote(name, git.remotes.fetch_refspecs(name), target)
    return find_gaps(remote, runtime.hook_config.process_name())
