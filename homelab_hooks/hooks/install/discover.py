"""Reads which hooks a repository has, and which ones apply to all repositories."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from homelab_hooks.config.files import read_bounded_file
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.hook_config import HookConfig
from homelab_hooks.hooks.install import shims
from homelab_hooks.hooks.install.model import (
    BACKUP_SUFFIX,
    LEGACY_SUFFIX,
    TEMP_SUFFIX,
    FileKind,
    HookFacts,
    HookFile,
    HooksDir,
    HookSlot,
    InstallScope,
)

STATE_FILES = ("pushing", "pushed", "clock")
"""files that the shims write to <common directory>/homelab"""
_ROOT = Path("/")
_SHARED_SCOPES = {"global", "system", "command"}
"""scopes in which core.hooksPath applies to other repositories too"""


def inspect_repository(git: HookConfig) -> HookFacts:
    """Return the hooks of this repository. Raises CommandError outside a repository, or in a bare one."""
    ours, path = git.location.homelab_dir(), git.location.git_path("hooks")
    common = ours.parent
    if git.is_bare():
        raise CommandError(
            "bare repositories are not supported",
            hint="run this in a repository or worktree that you push from",
            exit=ExitCode.REFUSED,
        )
    own = common / "hooks"
    scope = InstallScope("--local", ours / "hooks")
    return HookFacts(
        scope=scope,
        git=git.location.version_tuple(),
        hooks_dir=_hooks_dir(git, path, inside=(common, git.location.top_level() or common)),
        other_dirs=_hooks_dir(git, own, inside=(common,)) if path.resolve() != own.resolve() else None,
        notes=tuple(ours / name for name in STATE_FILES if (ours / name).exists()),
        hook_config=_hook_config(git, scope),
        installed_shims=_installed_shims(scope),
        uses_lfs=_uses_lfs(common, git.location.top_level()),
    )


def inspect_global(git: HookConfig, environ: Mapping[str, str]) -> HookFacts:
    """Return the hooks that apply to all repositories."""
    scope = InstallScope("--global", _data_home(environ) / "homelab-hooks" / "hooks")
    named = git.global_hooks()
    folder = _hooks_dir(git, Path(named), origin="git config --global core.hooksPath", shared=True) if named else None
    if folder and not folder.path.is_absolute():
        folder = folder._replace(problem=f"core.hooksPath {named} is a different directory in each repository")
    return HookFacts(
        scope=scope,
        git=git.location.version_tuple(),
        hooks_dir=folder,
        hook_config=_hook_config(git, scope),
        installed_shims=_installed_shims(scope),
    )


def find_homelab(environ: Mapping[str, str]) -> str:
    """Return the path of `homelab`: next to this Python, else on PATH; empty if it is in neither place."""
    beside = Path(sys.executable).parent / "homelab"
    return str(beside) if beside.exists() else shutil.which("homelab", path=environ.get("PATH")) or ""


def _uses_lfs(common: Path, top: Path | None) -> bool:
    """Return whether the repository uses git-lfs, as the pre-push shim finds out.

    With lfs.storage, git-lfs keeps its objects elsewhere (git-lfs-config(5)); then the attributes show that it is used.
    """
    files = [common / "info/attributes", *([top / ".gitattributes"] if top else [])]
    return (common / "lfs").is_dir() or any("filter=lfs" in (_read_text(path) or "") for path in files)


def _data_home(environ: Mapping[str, str]) -> Path:
    """Return the user's data directory (XDG)."""
    return Path(environ.get("XDG_DATA_HOME") or Path(environ.get("HOME") or "~").expanduser() / ".local" / "share")


def _hook_config(git: HookConfig, scope: InstallScope) -> tuple[tuple[str, str], ...]:
    there = git.hook_commands(scope.option)
    sections = [shims.config_section(name) for name in shims.INSTALLED_HOOKS]
    return tuple((section, there[section]) for section in sections if section in there)


def _installed_shims(scope: InstallScope) -> tuple[tuple[str, str], ...]:
    found = [(name, _read_text(scope.shim_dir / name)) for name in shims.INSTALLED_HOOKS]
    return tuple((name, text) for name, text in found if text is not None)


def _hooks_dir(
    git: HookConfig, path: Path, *, inside: tuple[Path, ...] = (), origin: str = "", shared: bool = False
) -> HooksDir:
    """Return the hooks directory at this path.

    Args:
        inside: directories of the repository, the git directory first.
        origin: the setting that names the path, if it is known already.
        shared: other repositories use it too, if it is known already.
    """
    if inside:
        entry = next(
            (entry for entry in reversed(git.location.config_entries()) if entry.key == "core.hookspath"), None
        )
        origin = f"git config core.hooksPath ({entry.scope})" if entry else ""
        own = any(path.resolve().is_relative_to(part.resolve()) for part in inside)
        shared = entry is not None and entry.scope in _SHARED_SCOPES and not own
    problem = f"{path} is not a directory" if path.exists() and not path.is_dir() else ""
    if path == _ROOT and origin:
        problem = "core.hooksPath is empty, so git looks for hooks in / and runs none of this repository"
    within = git.at(path) if path.is_dir() else _nearest_git(git, path)
    private = bool(inside) and path.resolve().is_relative_to(inside[0].resolve())
    seen = not problem and not private and within.in_work_tree()
    return HooksDir(
        path=path,
        hooks=tuple(_hook_slot(within if seen else None, path, name) for name in shims.INSTALLED_HOOKS),
        origin=origin,
        shared=shared,
        problem=problem,
        leftovers=tuple(sorted(path.glob(f"*{TEMP_SUFFIX}*"))) if path.is_dir() else (),
    )


def _nearest_git(git: HookConfig, path: Path) -> HookConfig:
    """Return git in the nearest existing parent directory."""
    return git.at(next(above for above in path.absolute().parents if above.is_dir()))


def _hook_slot(git: HookConfig | None, folder: Path, name: str) -> HookSlot:
    """Return the hook of this name.

    Args:
        git: None if the directory is not part of a working tree.
    """
    found, kept = read_hook_file(folder / name), read_hook_file(folder / f"{name}{BACKUP_SUFFIX}")
    tracked = git is not None and git.is_tracked(str(folder / name))
    names = (name, f"{name}{BACKUP_SUFFIX}") if found.exists else (name,)
    visible = git is not None and not all(git.location.is_ignored(str(folder / one)) for one in names)
    return HookSlot(
        name, found, kept, read_hook_file(folder / f"{name}{LEGACY_SUFFIX}"), tracked=tracked, shows_in_status=visible
    )


def read_hook_file(path: Path) -> HookFile:
    """Return the file at this path, or its absence."""
    if path.is_symlink():
        return HookFile(path, FileKind.LINK, _read_text(path), executable=os.access(path, os.X_OK))
    if path.is_dir():
        return HookFile(path, FileKind.FOLDER)
    if path.exists():
        return HookFile(path, FileKind.FILE, _read_text(path), executable=os.access(path, os.X_OK))
    return HookFile(path)


def _read_text(path: Path) -> str | None:
    """Return the text of a file, undecodable bytes kept as surrogates; None if it cannot be read."""
    try:
        return read_bounded_file(path).decode("utf-8", "surrogateescape")
    except OSError:
        return None
