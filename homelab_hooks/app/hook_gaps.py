"""Finds reasons why a plain push would not be watched."""

from __future__ import annotations

from homelab_hooks.app import watch_setup
from homelab_hooks.app.runtime import Runtime
from homelab_hooks.config.resolve import Config
from homelab_hooks.hooks.install.gaps import Gap, WatchedRemote, find_gaps


def current_gaps(config: Config, runtime: Runtime) -> tuple[Gap, ...]:
    """Return why a push from this repository to the target would not be detected by an installed hook."""
    git = runtime.git_readonly
    names = git.remotes.remote_names()
    name = watch_setup.default_remote(config, git, names)
    if name not in names:
        return find_gaps(None, runtime.hook_config.process_name())
    target = watch_setup.known_target(config, git, name)
    remote = WatchedRemote(name, git.remotes.fetch_refspecs(name), target)
    return find_gaps(remote, runtime.hook_config.process_name())
