"""Installs and removes as the commands do, in this process, and looks at what is left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from homelab_hooks.git.hook_config import HookConfig
from homelab_hooks.git.runner import DirectRunner
from homelab_hooks.hooks.install import apply as install_apply, discover, plan as install_plan, shims
from homelab_hooks.hooks.install.model import HookFacts
from homelab_hooks.hooks.install.plan import InstallPlan
from tests.hooks.install.sandbox import HookSandbox

USERS = '#!/bin/sh\n{ echo "$(basename "$0")|$*"; cat; } >>"$LOG"\nexit "${CODE:-0}"\n'
"""a hook of the user's, which writes down what it was given"""

Snapshot = Mapping[str, tuple[int, bytes]]


def facts(sandbox: HookSandbox, *, everywhere: bool = False, at: Path | None = None) -> HookFacts:
    """What is there."""
    git = hooking(sandbox, at)
    return discover.inspect_global(git, sandbox.environ) if everywhere else discover.inspect_repository(git)


def hooking(sandbox: HookSandbox, at: Path | None = None) -> HookConfig:
    """Git in the sandbox."""
    return HookConfig(DirectRunner(sandbox.environ, at or sandbox.mine.path))


def texts(program: str = "/gone/homelab") -> dict[str, str]:
    """The shims as they are written."""
    return {name: shims.shim_text(name, program) for name in shims.INSTALLED_HOOKS}


def put_in(sandbox: HookSandbox, *, everywhere: bool = False, at: Path | None = None) -> InstallPlan:
    """Install; what was done."""
    done = install_apply.require_plan(install_plan.plan_install(facts(sandbox, everywhere=everywhere, at=at), texts()))
    install_apply.apply_steps(done.steps, hooking(sandbox, at))
    return done


def take_out(sandbox: HookSandbox, *, everywhere: bool = False) -> InstallPlan:
    """Uninstall; what was done."""
    done = install_plan.plan_uninstall(facts(sandbox, everywhere=everywhere))
    install_apply.apply_steps(done.steps, hooking(sandbox))
    return done


def write(path: Path, text: str, mode: int = 0o755) -> Path:
    """A hook."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def snapshot(*folders: Path) -> Snapshot:
    """Every file with its mode and bytes, a symbolic link with its target."""
    return {
        str(path): (path.lstat().st_mode, str(path.readlink()).encode() if path.is_symlink() else path.read_bytes())
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }  # fmt: skip


def private(sandbox: HookSandbox) -> Snapshot:
    """What installing could change: hooks, our own directory, settings."""
    git = sandbox.mine.path / ".git"
    home = sandbox.folder / "home"
    found = snapshot(git / "hooks", git / "homelab", home, sandbox.mine.path / ".husky")
    return {**found, "config": (0, (git / "config").read_bytes())}
