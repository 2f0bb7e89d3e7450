"""What installing and removing our hooks means here: facts in; steps and words, or a refusal, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.git.command import MIN_VERSION
from homelab_hooks.hooks.install import shims
from homelab_hooks.hooks.install.managers import HookManager
from homelab_hooks.hooks.install.model import FileKind, HookFacts, HooksDir, HookSlot

CONFIG_HOOKS_VERSION = (2, 54)
"""git that reads hooks in its settings"""


class Backup(NamedTuple):
    """A hook gets a second name, under which ours will find it; git runs it on until ours is there."""

    path: Path
    backup: Path


class WriteShim(NamedTuple):
    """A shim is written, whole or not at all."""

    path: Path
    text: str


class RestoreBackup(NamedTuple):
    """A kept hook takes the place of ours."""

    path: Path
    backup: Path


class RemoveFile(NamedTuple):
    """A file of ours goes."""

    path: Path


class RemoveEmptyDir(NamedTuple):
    """A directory of ours goes, where it is empty."""

    path: Path


class SetHookConfig(NamedTuple):
    """Git's settings name a hook."""

    option: str
    section: str
    event: str
    command: str


class UnsetHookConfig(NamedTuple):
    """Git's settings forget it."""

    option: str
    section: str


InstallStep = Backup | WriteShim | RestoreBackup | RemoveFile | RemoveEmptyDir | SetHookConfig | UnsetHookConfig


class InstallPlan(NamedTuple):
    """Steps in an order in which each may be the last, and what to tell."""

    steps: tuple[InstallStep, ...]
    messages: tuple[str, ...] = ()


class InstallRefused(NamedTuple):
    """Nothing is changed."""

    reason: str
    remedy: str


def plan_install(facts: HookFacts, texts: Mapping[str, str]) -> InstallPlan | InstallRefused:
    """Put our shims in: as files where nobody is in the way, else into git's settings where git reads hooks there."""
    if facts.git < MIN_VERSION:
        return InstallRefused(f"git {_version_text(facts.git)} is too old for these hooks", "install git 2.36 or newer")
    ways = {name: _method(facts, name) for name in shims.INSTALLED_HOOKS}
    trigger = ways[shims.TRANSACTION_HOOK]
    if isinstance(trigger, InstallRefused):
        return trigger
    done = [_is_done(facts, name, way, texts[name]) for name, way in ways.items()]
    steps = [step for more, _ in done for step in more]
    left = [RemoveFile(path) for folder in (facts.hooks_dir, facts.other_dirs) if folder for path in folder.leftovers]
    return InstallPlan((*left, *steps), tuple(word for _, word in done))


def _is_done(
    facts: HookFacts, name: str, way: HookSlot | Path | InstallRefused, text: str
) -> tuple[list[InstallStep], str]:
    match way:
        case HookSlot():
            return _install_file(way, text)
        case InstallRefused():
            return [], f"{name}: left alone: {way.reason}; git's reflog tells what a push moved instead"
        case Path():
            return _install_config(facts, name, way, text)


def _method(facts: HookFacts, name: str) -> HookSlot | Path | InstallRefused:
    """A hook in the directory, a shim on the shelf for git's settings, or why neither."""
    new = facts.git >= CONFIG_HOOKS_VERSION
    if facts.scope.option == "--global" and new:
        return facts.scope.shim_dir / name
    if facts.hooks_dir is None:
        return InstallRefused(
            f"git {_version_text(facts.git)} has no global hooks (2.54 has), and core.hooksPath is not set",
            "install them in each repository: homelab hooks install",
        )
    hook = next(hook for hook in facts.hooks_dir.hooks if hook.name == name)
    refusal = next(_obstacles(facts, facts.hooks_dir, hook), None)
    if refusal is None:
        return hook
    return facts.scope.shim_dir / name if new and not facts.hooks_dir.problem else refusal


def _obstacles(facts: HookFacts, folder: HooksDir, hook: HookSlot) -> Iterator[InstallRefused]:
    """What stands against a file of ours in the hooks directory, the weightiest first."""
    path, whose = hook.file.path, hook.file.owner
    if folder.problem:
        yield InstallRefused(folder.problem, f"mend it, or unset it: {folder.origin or folder.path}")
    if folder.shared and facts.scope.option != "--global":
        yield InstallRefused(
            f"{folder.path} ({folder.origin}) serves every repository", "homelab hooks install --global"
        )
    if hook.installed:
        return
    if hook.tracked or hook.shows_in_status:
        state = "is tracked" if hook.tracked else "would be seen by git status"
        names = f"{path.name} and {hook.backup.path.name}" if hook.file.exists else path.name
        remedy = f"let git ignore {names} there, or start {shims.source_dir() / hook.name} from a hook of your own"
        yield InstallRefused(f"{path} {state}: that directory is part of the work tree", remedy)
    if hook.file.kind is FileKind.FOLDER:
        yield InstallRefused(f"{path} is a directory", "move it away")
    if whose.is_manager:
        yield InstallRefused(
            f"{path} belongs to {whose}", f"git 2.54 can have both; or take that hook out with {whose} itself"
        )
    if hook.file.exists and hook.backup.exists and not hook.backup_is_current:
        reason = f"there are two hooks of yours, {path} and {hook.backup.path.name}"
        yield InstallRefused(reason, "make one of them, under the first name")


def _install_file(hook: HookSlot, text: str) -> tuple[list[InstallStep], str]:
    """Ours under the hook's name; behind pre-commit's or prek's where they moved it there."""
    there = hook.installed
    path = there.path if there else hook.file.path
    word = f"{hook.name}: {path}"
    if there and there is hook.legacy:
        word += f", started by {hook.file.owner}'s"
    elif hook.backup.exists or (hook.file.exists and not there):
        word += f"; the hook that was there runs first ({hook.backup.path.name})"
    if there and there.text == text and there.executable:
        return [], f"{word} (as it was)"
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
    return steps, word if steps else f"{word} (as it was)"


def plan_uninstall(facts: HookFacts) -> InstallPlan:
    """Take ours out, wherever it is, and put back what was there before."""
    steps: list[InstallStep] = []
    said: list[str] = []
    for section, _ in facts.hook_config:
        steps.append(UnsetHookConfig(facts.scope.option, section))
        said.append(f"git config {facts.scope.option} hook.{section}: gone")
    for folder in (facts.hooks_dir, facts.other_dirs):
        if folder is None or (folder.shared and facts.scope.option != "--global"):
            continue
        for hook in folder.hooks:
            more = list(_remove_one(hook))
            steps += [step for step, _ in more]
            said += [word for _, word in more]
        steps += [RemoveFile(path) for path in folder.leftovers]
    steps += [RemoveFile(facts.scope.shim_dir / name) for name, _ in facts.installed_shims]
    steps += [RemoveFile(path) for path in facts.notes]
    if steps:
        steps += [RemoveEmptyDir(facts.scope.shim_dir), RemoveEmptyDir(facts.scope.shim_dir.parent)]
    return InstallPlan(tuple(steps), tuple(said))


def _remove_one(hook: HookSlot) -> Iterator[tuple[InstallStep, str]]:
    """Of one hook: the kept one goes where ours was, also behind another tool's."""
    kept = hook.backup
    for ours in (hook.file, hook.legacy):
        if ours.owner is HookManager.OURS and kept.exists:
            yield RestoreBackup(ours.path, kept.path), f"{ours.path}: yours again"
            kept = kept._replace(kind=FileKind.MISSING)
        elif ours.owner is HookManager.OURS:
            yield RemoveFile(ours.path), f"{ours.path}: gone"
    if kept.exists and not hook.file.exists:
        yield RestoreBackup(hook.file.path, kept.path), f"{hook.file.path}: yours again"
    elif kept.exists and hook.backup_is_current:
        yield RemoveFile(kept.path), f"{hook.file.path}: yours, as it was"


def _version_text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
