"""The hooks: what a plain `git push` does afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.cli.doctor.aside import DoctorCheck
from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.git.hook_config import HookConfig
from homelab_hooks.hooks import gate, places, status


def hooks_check(config: Config, world: Runtime) -> DoctorCheck:
    """Hooks are no condition of a landing: the worst that is said is a warning."""
    return DoctorCheck("hooks", lambda: _check_hooks(config, world), "try it: homelab hooks status")


def _check_hooks(config: Config, world: Runtime) -> Iterator[Finding]:
    git = HookConfig(world.git_readonly.executor)
    if git.common_dir() is None or git.is_bare():
        return
    if status.is_active(places.inspect_repository(git)) or status.is_active(places.inspect_global(git, world.environ)):
        watched = gate.is_enabled(config.post_push)
        said = (
            "a plain git push is watched"
            if watched
            else f"after a plain git push {status.after_push_text(config.post_push)}"
        )
        yield Finding("hooks", FindingStatus.OK if watched else FindingStatus.SKIPPED, said)
