"""Decides how to install and uninstall the hooks: facts in, steps and messages or a refusal out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.git.command import MIN_VERSION
from homelab_hooks.hooks.install import shims
from homelab_hooks.hooks.install.managers import HookManager, depends_on_name
from homelab_hooks.hooks.install.model import FileKind, HookFacts, HooksDir, HookSlot
from homelab_hooks.hooks.install.shims import is_edited_shim

CONFIG_HOOKS_VERSION = (2, 54)
"""the first git with config hooks (hook.NAME.command)"""


class Backup(NamedTuple):
    """Add a second name to a hook, under which our shim calls it; git keeps running it until our shim is written."""

    path: Path
    backup: Path


class WriteShim(NamedTuple):
    """Write a shim, completely or not at all."""

    path: Path
    text: str


class RestoreBackup(NamedTuple):
    """Replace our shim with the preserved hook."""

    path: Path
    backup: Path


class RemoveFile(NamedTuple):
    """Remove one of our files."""

    path: Path


class RemoveEmptyDir(NamedTuple):
    """Remove one of our directories if it is empty."""

    path: Path


class SetHookConfig(NamedTuple):
    """Add a config hook."""

    option: str
    section: str
    event: str
    command: str


class UnsetHookConfig(NamedTuple):
    """Remove a config hook."""

    option: str
    section: str


InstallStep = Backup | WriteShim | RestoreBackup | RemoveFile | RemoveEmptyDir | SetHookConfig | UnsetHookConfig


class InstallPlan(NamedTuple):
    """Steps, ordered so that an interruption after any of them leaves working hooks, and messages."""

    steps: tuple[InstallStep, ...]
    messages: tuple[str, ...] = ()


class InstallRefused(NamedTuple):
    """The hooks cannot be installed, and nothing is changed."""

    reason: str
    remedy: str


def plan_install(facts: HookFacts, texts: Mapping[str, str]) -> InstallPlan | InstallRefused:
    """Install the shims as files, or as config hooks if another tool owns the directory and git supports them."""
    if facts.git < MIN_VERSION:
        return InstallRefused(f"git {_version_text(facts.git)} is too old for these hooks", "install git 2.36 or newer")
    ways = {name: _method(facts, name) for name in shims.INSTALLED_HOOKS}
    trigger = ways[shims.TRANSACTION_HOOK]
    if isinstance(trigger, InstallRefused):
        return trigger
    done = [_plan_hook(facts, name, way, texts[name]) for name, way in ways.items()]
    steps = [step for more, _ in done for step in more]
    left = [RemoveFile(path) for folder in (facts.hooks_dir, facts.other_dirs) if folder for path in folder.leftovers]
    return InstallPlan((*left, *steps), tuple(word for _, word in done))


def _plan_hook(
    facts: HookFacts, name: str, way: HookSlot | Path | InstallRefused, text: str
) -> tuple[list[InstallStep], str]:
    match way:
        case HookSlot():
            return _install_file(way, text)
        case InstallRefused():
            return [], f"{name}: not installed: {way.reason}; pushes are detected from git's reflog instead"
        case Path():
            return _install_config(facts, name, way, text)


def _method(facts: HookFacts, name: str) -> HookSlot | Path | InstallRefused:
    """Return the hook file to write, the shim to run from git config, or why neither is possible."""
    new = facts.git >= CONFIG_HOOKS_VERSION
    if facts.scope.option == "--global" and new:
        return facts.scope.shim_dir / name
    if facts.hooks_dir is None:
        return InstallRefused(
            f"git {_version_text(facts.git)} does not support global hooks (2.54 does), and core.hooksPath is not set",
            "run homelab hooks install in each repository",
        )
    hook = next(hook for hook in facts.hooks_dir.hooks if hook.name == name)
    refusal = next(_obstacles(facts, facts.hooks_dir, hook), None)
    if refusal is None:
        return hook
    either = new and not facts.hooks_dir.problem and not hook.is_edited  # an edited shim would run beside it
    return facts.scope.shim_dir / name if either else refusal


def _obstacles(facts: HookFacts, folder: HooksDir, hook: HookSlot) -> Iterator[InstallRefused]:
    """Yield the reasons against a file in the hooks directory, the most important first."""
    path, whose = hook.file.path, hook.file.owner
    if folder.problem:
        remedy = f"fix or unset {folder.origin}" if folder.origin else f"move {folder.path} out of the way"
        yield InstallRefused(folder.problem, remedy)
    if folder.shared and facts.scope.option != "--global":
        yield InstallRefused(
            f"{folder.path} ({folder.origin}) is used by every repository", "run homelab hooks install --global"
        )
    if hook.installed:
        yield from _edits(hook)
        return
    if hook.tracked or hook.shows_in_status:
        state = "is tracked" if hook.tracked else "would show up in git status"
        names = f"{path.name} and {hook.backup.path.name}" if hook.file.exists else path.name
        remedy = f"add {names} to .gitignore there, or run {shims.source_dir() / hook.name} from your own hook"
        yield InstallRefused(f"{path} {state}: that directory is in the working tree", remedy)
    if hook.file.kind is FileKind.FOLDER:
        yield InstallRefused(f"{path} is a directory", f"move {path} out of the way")
    if whose.is_manager:
        yield InstallRefused(
            f"{path} is managed by {whose}",
            f"use git 2.54, which can run both; or remove that hook with {whose}",
        )
    yield from _conflicts_with_yours(hook)


def _edits(hook: HookSlot) -> Iterator[InstallRefused]:
    """Yield the reason against replacing our shim if it was edited: the lines may be another tool's, or the user's."""
    if hook.installed and hook.is_edited:
        path = hook.installed.path
        remedy = f"move the added lines to another file, remove {path}, then run homelab hooks install again"
        yield InstallRefused(f"{path} was edited after it was installed", remedy)


def _conflicts_with_yours(hook: HookSlot) -> Iterator[InstallRefused]:
    """Yield the reasons against a second name for the user's hook."""
    path = hook.file.path
    if hook.file.exists and depends_on_name(hook.file.text or ""):
        yield InstallRefused(
            f"{path} depends on its own name, and would run as {hook.backup.path.name}",
            f"use git 2.54, which can run both; or run {shims.source_dir() / hook.name} from your own hook",
        )
    if hook.file.exists and hook.backup.exists and not hook.backup_is_current:
        reason = f"you have two hooks, {path} and {hook.backup.path.name}"
        yield InstallRefused(reason, f"merge both hooks into {path}")


def _install_file(hook: HookSlot, text: str) -> tuple[list[InstallStep], str]:
    """Write our shim under the hook's name, or where pre-commit or prek renamed it."""
    there = hook.installed
    path = there.path if there else hook.file.path
    word = f"{hook.name}: {path}"
    if there and there is hook.legacy:
        word += f", called by {hook.file.owner}"
    elif hook.backup.exists or (hook.file.exists and not there):
        word += f"; the existing hook runs first ({hook.backup.path.name})"
    if there and there.text == text and there.executable:
        return [], f"{word} (unchanged)"
    keep: list[InstallStep] = (
        [Backup(hook.file.path, hook.backup.path)] if hook.file.exists and not there and not hook.backup.exists else []
    )
    return [*keep, WriteShim(path, text)], word


def _install_config(facts: HookFacts, name: str, shim: Path, text: str) -> tuple[list[InstallStep], str]:
    section, command = shims.config_section(name), shims.config_command(name, shim)
    steps: list[InstallStep] = []
    if dict(facts.installed_shims).get(name) != text:
        steps.append(WriteShim(shim, text))
    if dict(facts.hook_config).get(section) != command:
        steps.append(SetHookConfig(facts.scope.option, section, name, command))
    word = f"{name}: git config {facts.scope.option} hook.{section}"
    return steps, word if steps else f"{word} (unchanged)"


def plan_uninstall(facts: HookFacts) -> InstallPlan:
    """Remove our shims wherever they are, and restore the preserved hooks."""
    steps: list[InstallStep] = []
    said: list[str] = []
    for section, _ in facts.hook_config:
        steps.append(UnsetHookConfig(facts.scope.option, section))
        said.append(f"git config {facts.scope.option} hook.{section}: removed")
    for folder in (facts.hooks_dir, facts.other_dirs):
        if folder is None or (folder.shared and facts.scope.option != "--global"):
            continue
        for hook in folder.hooks:
            more = list(_remove_one(hook))
            steps += [step for step, _ in more if step]
            said += [word for _, word in more]
        steps += [RemoveFile(path) for path in folder.leftovers]
    steps += [RemoveFile(facts.scope.shim_dir / name) for name, _ in facts.installed_shims]
    steps += [RemoveFile(path) for path in facts.notes]
    if steps:
        steps += [RemoveEmptyDir(facts.scope.shim_dir), RemoveEmptyDir(facts.scope.shim_dir.parent)]
    ours = [hook for hook in (facts.hooks_dir.hooks if facts.hooks_dir else ()) if hook.file.owner is HookManager.OURS]
    if facts.uses_lfs and any(hook.name == shims.PRE_PUSH_HOOK and not hook.backup.exists for hook in ours):
        said.append("git-lfs: a push no longer uploads LFS objects; run git lfs install")
    return InstallPlan(tuple(steps), tuple(said))


def _remove_one(hook: HookSlot) -> Iterator[tuple[InstallStep | None, str]]:
    """Remove one hook; the preserved one takes its place, also if another tool calls it."""
    kept = hook.backup
    for ours in (hook.file, hook.legacy):
        if ours.owner is HookManager.OURS and is_edited_shim(hook.name, ours.text or ""):
            yield None, f"{ours.path}: kept, because it was edited after it was installed; remove it yourself"
            kept = kept._replace(kind=FileKind.MISSING)
        elif ours.owner is HookManager.OURS and kept.exists:
            yield RestoreBackup(ours.path, kept.path), f"{ours.path}: restored"
            kept = kept._replace(kind=FileKind.MISSING)
        elif ours.owner is HookManager.OURS:
            yield RemoveFile(ours.path), f"{ours.path}: removed"
    if kept.exists and not hook.file.exists:
        yield RestoreBackup(hook.file.path, kept.path), f"{hook.file.path}: restored"
    elif kept.exists and hook.backup_is_current:
        yield RemoveFile(kept.path), f"{hook.file.path}: your hook, unchanged"


def _version_text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
