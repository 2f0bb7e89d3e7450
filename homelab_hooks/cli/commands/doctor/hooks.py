"""Check of the hooks: what happens after a plain `git push`."""

from __future__ import annotations

from collections.abc import Iterator

from homelab_hooks.app.hook_gaps import current_gaps
from homelab_hooks.app.runtime import Runtime
from homelab_hooks.cli.commands.doctor.parallel import DoctorCheck
from homelab_hooks.config.resolve import Config
from homelab_hooks.events import Finding, FindingStatus
from homelab_hooks.hooks.install import discover, status as install_status
from homelab_hooks.hooks.pre_push import target as pre_push_target


def hooks_check(config: Config, runtime: Runtime) -> DoctorCheck:
    """Return the check of the hooks. A landing does not need them, so the worst finding is a warning."""
    return DoctorCheck("hooks", lambda: _check_hooks(config, runtime), "to see the error, run: homelab hooks status")


def _check_hooks(config: Config, runtime: Runtime) -> Iterator[Finding]:
    git = runtime.hook_config
    if git.location.common_dir() is None or git.is_bare():
        return
    if install_status.is_active(discover.inspect_repository(git)) or install_status.is_active(
        discover.inspect_global(git, runtime.environ)
    ):
        watched = pre_push_target.is_enabled(config.post_push)
        evidence = (
            "CI is watched after a plain git push"
            if watched
            else f"after a plain git push {install_status.after_push_text(config.post_push)}"
        )
        gaps = current_gaps(config, runtime) if watched else ()
        for gap in gaps:
            yield Finding("hooks", FindingStatus.WARNING, gap.reason, gap.hint)
        if not gaps:
            yield Finding("hooks", FindingStatus.OK if watched else FindingStatus.SKIPPED, evidence)
    else:
        evidence = "not installed: nothing happens after a plain git push"
        yield Finding("hooks", FindingStatus.SKIPPED, evidence, "to watch CI after it, run: homelab hooks install")
