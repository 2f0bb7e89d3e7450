"""Applies the steps of a plan: each step completely or not at all, so that an interrupted run can be repeated."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.hook_config import HookConfig
from homelab_hooks.hooks.install.model import TEMP_SUFFIX
from homelab_hooks.hooks.install.plan import (
    Backup,
    InstallPlan,
    InstallRefused,
    InstallStep,
    RemoveEmptyDir,
    RemoveFile,
    RestoreBackup,
    SetHookConfig,
    UnsetHookConfig,
    WriteShim,
)
from homelab_hooks.system.atomic_file import replace_file


def require_plan(decided: InstallPlan | InstallRefused) -> InstallPlan:
    """Return the plan. Raises CommandError if it was refused."""
    if isinstance(decided, InstallRefused):
        raise CommandError(decided.reason, hint=decided.remedy, exit=ExitCode.REFUSED)
    return decided


def apply_steps(steps: Iterable[InstallStep], git: HookConfig) -> None:
    """Apply the steps in order. Raises CommandError if one fails; running the command again continues from there."""
    for step in steps:
        try:
            _apply_step(step, git)
        except OSError as error:
            where = error.filename2 or error.filename or step
            raise CommandError(
                f"could not write {where}: {error.strerror}",
                hint="fix the permissions, then run the command again",
                exit=ExitCode.REFUSED,
            ) from None


def _apply_step(step: InstallStep, git: HookConfig) -> None:
    match step:
        case Backup(path, kept):
            _backup_name(path, kept)
        case WriteShim(path, text):
            _write_shim(path, text)
        case RestoreBackup(path, kept):
            kept.replace(path)
        case RemoveFile(path):
            path.unlink(missing_ok=True)
        case RemoveEmptyDir(path):
            with contextlib.suppress(OSError):  # not empty, or missing
                path.rmdir()
        case SetHookConfig(option, section, event, command):
            git.set_hook(option, section, event=event, command=command)
        case UnsetHookConfig(option, section):
            git.unset_hook(option, section)


def _backup_name(path: Path, kept: Path) -> None:
    """Hard-link the hook to its backup name, so that git can run it at any time; copy it if links are not supported."""
    try:
        os.link(path, kept, follow_symlinks=False)
    except OSError:
        shutil.copy2(path, kept, follow_symlinks=False)


def _write_shim(path: Path, text: str) -> None:
    """Write a temporary file next to the hook, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text, mode=0o755, infix=TEMP_SUFFIX)
