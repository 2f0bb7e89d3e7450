"""Describes the installed hooks: which exist, which tool wrote them, and what runs when."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.config.resolve import TRACKED_FILE
from homelab_hooks.hooks.install import shims
from homelab_hooks.hooks.install.managers import HookManager
from homelab_hooks.hooks.install.model import HookFacts, HookFile, HooksDir, HookSlot
from homelab_hooks.hooks.install.plan import CONFIG_HOOKS_VERSION, InstallRefused, plan_install


class StatusInput(NamedTuple):
    """The settings that decide what runs after a push.

    Args:
        target: the branch whose pushes are watched; empty: the remote's HEAD branch.
        mode: homelab.postPush; empty for the default.
        post_push: the repository's own post-push hook, which `git land` runs.
    """

    target: str = ""
    target_source: str = ""
    mode: str = ""
    post_push: HookFile | None = None
    program: str = ""


class HookStatus(NamedTuple):
    """Whether the hooks are installed, and the lines of the report."""

    installed: bool
    lines: tuple[str, ...]
    hint: str = ""


def hook_status(facts: HookFacts, every: HookFacts | None, aim: StatusInput) -> HookStatus:
    """Describe the hooks of one scope.

    Args:
        every: the hooks for all repositories, if the scope is one repository.
    """
    lines = [*_location_lines(facts), *_config_lines(facts), *(_config_lines(every) if every else ())]
    here = is_active(facts) or (every is not None and is_active(every))
    lines += _stage_lines(aim) if here else ["nothing runs after a plain git push"]
    if aim.post_push and aim.post_push.exists:
        lines.append(f"post-push: {_owner_name(aim.post_push.owner)}; git land runs it instead of its own watch")
    elif here:
        lines.append("post-push: none; git land uses its own watch")
    if here:
        return HookStatus(here, tuple(lines))
    option = " --global" if facts.scope.option == "--global" else ""
    plan = plan_install(facts, dict.fromkeys(shims.INSTALLED_HOOKS, ""))
    if isinstance(plan, InstallRefused):
        lines.append(f"homelab hooks install{option} would be refused: {plan.reason}")
        return HookStatus(here, tuple(lines), plan.remedy)
    return HookStatus(here, tuple(lines), f"run homelab hooks install{option}")


def is_active(facts: HookFacts) -> bool:
    """Return whether the reference-transaction hook is installed, as a file that git runs or as a config hook."""
    settings = dict(facts.hook_config)
    hooks = {hook.name: hook for hook in facts.hooks_dir.hooks} if facts.hooks_dir else {}
    trigger = hooks.get(shims.TRANSACTION_HOOK)
    named = facts.git >= CONFIG_HOOKS_VERSION and shims.config_section(shims.TRANSACTION_HOOK) in settings
    return named or bool(trigger and trigger.installed and trigger.installed.executable)


def _location_lines(facts: HookFacts) -> Iterator[str]:
    folder = facts.hooks_dir
    if folder is None:
        return
    yield f"git looks for hooks in {folder.path}" + (f" ({folder.origin})" if folder.origin else "")
    if folder.problem:
        yield folder.problem
    for hook in folder.hooks:
        yield f"{hook.name}: {_hook_line(hook)}"
        if facts.uses_lfs and hook.name == shims.PRE_PUSH_HOOK and hook.installed:
            yield f"git-lfs: {hook.name} runs git lfs pre-push, which uploads the objects"
    yield from _idle_lines(facts.other_dirs)


def _hook_line(hook: HookSlot) -> str:
    ours = hook.installed
    yours = f", runs after your hook ({hook.backup.path.name})" if hook.backup.exists else ""
    if ours and ours is hook.legacy:
        return f"managed by {hook.file.owner}, which calls homelab ({ours.path.name}){yours}"
    if ours:
        gone = known if (known := shims.embedded_path(ours.text or "")) and not os.access(known, os.X_OK) else ""
        weak = "" if ours.executable else ", not executable: git does not run it"
        return f"homelab{yours}{weak}" + (f"; {gone} is missing; the hook looks for homelab on PATH" if gone else "")
    if not hook.file.exists:
        return "none"
    return _owner_name(hook.file.owner) + ("; homelab is not installed" if hook.file.owner is HookManager.USER else "")


def _owner_name(owner: HookManager) -> str:
    return "your hook" if owner is HookManager.USER else "homelab" if owner is HookManager.OURS else f"{owner}'s"


def _idle_lines(also: HooksDir | None) -> Iterator[str]:
    """Return our hooks in a directory that git does not use."""
    for hook in also.hooks if also else ():
        if hook.file.owner is HookManager.OURS:
            remedy = "to remove it, run homelab hooks uninstall"
            yield f"{hook.file.path}: homelab, but git does not use that directory; {remedy}"


def _config_lines(facts: HookFacts) -> Iterator[str]:
    shelved: Mapping[str, str] = dict(facts.installed_shims)
    for section, _ in facts.hook_config:
        name = section.removeprefix("homelab-")
        old = "" if facts.git >= CONFIG_HOOKS_VERSION else "; this git is too old for config hooks"
        gone = "" if name in shelved else f"; {Path(facts.scope.shim_dir, name)} is missing, so it does nothing"
        yield f"{name}: homelab, from git config {facts.scope.option} hook.{section}{old}{gone}"


_MODES = {
    "": "CI is watched in the foreground on a terminal, else in the background (homelab.postPush is not set)",
    "foreground": "CI is watched in the foreground (homelab.postPush)",
    "background": "CI is watched in the background (homelab.postPush)",
    "off": "nothing happens (homelab.postPush is off)",
}


def after_push_text(mode: str) -> str:
    """Return what happens after a push to the target, for this value of homelab.postPush."""
    return _MODES[mode]


def _stage_lines(aim: StatusInput) -> Iterator[str]:
    branch = f"{aim.target} ({aim.target_source})" if aim.target else "the remote's HEAD branch"
    yield f"after a git push to {branch}: {after_push_text(aim.mode)}"
    yield "ignored: fetches, other branches, tags, deletions, dry runs, rejected or up-to-date pushes, git land"
    if not aim.program:
        yield f"homelab is not on PATH; it is needed to read {TRACKED_FILE} and to look up a missing remote HEAD"
