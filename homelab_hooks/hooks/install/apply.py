"""Carries out the steps of a plan: each is whole or not done, and what was cut short can be gone on with."""

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
    """The plan. Raises CommandError where it was refused."""
    if isinstance(decided, InstallRefused):
        raise CommandError(decided.reason, hint=decided.remedy, exit=ExitCode.REFUSED)
    return decided


def apply_steps(steps: Iterable[InstallStep], git: HookConfig) -> None:
    """Do them in their order. Raises CommandError where one fails; running it again goes on from there."""
    for step in steps:
        try:
            _apply_step(step, git)
        except OSError as error:
            where = error.filename2 or error.filename or step
            raise CommandError(
                f"{where} cannot be written: {error.strerror}",
                hint="make it writable, then run it again",
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
            with contextlib.suppress(OSError):  # not empty, or never there
                path.rmdir()
        case SetHookConfig(option, section, event, command):
            git.set_hook(option, section, event=event, command=command)
        case UnsetHookConfig(option, section):
            git.unset_hook(option, section)


def _backup_name(path: Path, kept: Path) -> None:
    """The same file under both names, so that git has it all the time; a copy where a file has but one name."""
    try:
        os.link(path, kept, follow_symlinks=False)
    except OSError:
        shutil.copy2(path, kept, follow_symlinks=False)


def _write_shim(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text, mode=0o755, infix=TEMP_SUFFIX)
