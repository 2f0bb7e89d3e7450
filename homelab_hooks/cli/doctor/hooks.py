"""The hooks: what a plain `git push` does afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from homelab_hooks.cli.doctor.aside import Examination
from homelab_hooks.config import Config
from homelab_hooks.events import Finding, Health
from homelab_hooks.git.hooking import Hooking
from homelab_hooks.hooks import gate, places, status
from homelab_hooks.world import World


def examination(config: Config, world: World) -> Examination:
    """Hooks are no condition of a landing: the worst that is said is a warning."""
    return Examination("hooks", lambda: _examine(config, world), "try it: homelab hooks status")


def _examine(config: Config, world: World) -> Iterator[Finding]:
    git = Hooking(world.git.executor)
    if git.common_dir() is None or git.bare():
        return
    if status.fires(places.repository(git)) or status.fires(places.everywhere(git, world.environ)):
        watched = gate.watched(config.post_push)
        said = "a plain git push is watched" if watched else f"after a plain git push {status.after(config.post_push)}"
        yield Finding("hooks", Health.OK if watched else Health.SKIPPED, said)
