"""Finds out what is in a repository's hooks directory, and in the one for all repositories."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from homelab_hooks.errors import Problem
from homelab_hooks.exits import Exit
from homelab_hooks.files import plain
from homelab_hooks.git.hooking import Hooking
from homelab_hooks.hooks import shims
from homelab_hooks.hooks.facts import KEPT, LEGACY, NEW, Entry, Facts, Folder, Hook, Kind, Scope

NOTES = ("pushing", "pushed")
"""what the shims write in <common directory>/homelab"""
_OTHERS = {"global", "system", "command"}
"""scopes of a core.hooksPath that other repositories share"""


def repository(git: Hooking) -> Facts:
    """This repository's hooks. Raises Problem where there is none, or a bare one."""
    ours, path = git.private_dir(), git.git_path("hooks")
    common = ours.parent
    if git.bare():
        raise Problem(
            "this is a bare repository: nobody pushes from it",
            hint="run it in a repository, or a worktree, from which you push",
            exit=Exit.REFUSED,
        )
    own = common / "hooks"
    scope = Scope("--local", ours / "hooks")
    return Facts(
        scope=scope,
        git=git.release(),
        folder=_folder(git, path, inside=(common, git.top_level() or common)),
        also=_folder(git, own, inside=(common,)) if path.resolve() != own.resolve() else None,
        notes=tuple(ours / name for name in NOTES if (ours / name).exists()),
        settings=_settings(git, scope),
        shelved=_shelved(scope),
    )


def everywhere(git: Hooking, environ: Mapping[str, str]) -> Facts:
    """The hooks for all repositories."""
    scope = Scope("--global", _data_home(environ) / "homelab-hooks" / "hooks")
    named = git.global_hooks()
    folder = _folder(git, Path(named), origin="git config --global core.hooksPath", shared=True) if named else None
    if folder and not folder.path.is_absolute():
        folder = folder._replace(missing=f"core.hooksPath {named} is another directory in each repository")
    return Facts(scope=scope, git=git.release(), folder=folder, settings=_settings(git, scope), shelved=_shelved(scope))


def program(environ: Mapping[str, str]) -> str:
    """The installed `homelab`: beside this Python, else on PATH; empty where it is in neither place."""
    beside = Path(sys.executable).parent / "homelab"
    return str(beside) if beside.exists() else shutil.which("homelab", path=environ.get("PATH")) or ""


def _data_home(environ: Mapping[str, str]) -> Path:
    """Where programs keep what they need on this account."""
    return Path(environ.get("XDG_DATA_HOME") or Path(environ.get("HOME") or "~").expanduser() / ".local" / "share")


def _settings(git: Hooking, scope: Scope) -> tuple[tuple[str, str], ...]:
    there = git.hook_commands(scope.option)
    sections = [shims.section(name) for name in shims.INSTALLED]
    return tuple((section, there[section]) for section in sections if section in there)


def _shelved(scope: Scope) -> tuple[tuple[str, str], ...]:
    found = [(name, _text(scope.shelf / name)) for name in shims.INSTALLED]
    return tuple((name, text) for name, text in found if text is not None)


def _folder(
    git: Hooking, path: Path, *, inside: tuple[Path, ...] = (), origin: str = "", shared: bool = False
) -> Folder:
    """A hooks directory; `inside` is what belongs to the repository, its private directory first."""
    if inside:
        entry = next((entry for entry in reversed(git.config()) if entry.key == "core.hookspath"), None)
        origin = f"git config core.hooksPath ({entry.scope})" if entry else ""
        own = any(path.resolve().is_relative_to(part.resolve()) for part in inside)
        shared = entry is not None and entry.scope in _OTHERS and not own
    missing = f"{path} is no directory" if path.exists() and not path.is_dir() else ""
    within = git.at(path) if path.is_dir() else _parent(git, path)
    private = bool(inside) and path.resolve().is_relative_to(inside[0].resolve())
    seen = not missing and not private and within.in_work_tree()
    return Folder(
        path=path,
        hooks=tuple(_hook(within if seen else None, path, name) for name in shims.INSTALLED),
        origin=origin,
        shared=shared,
        missing=missing,
        left=tuple(sorted(path.glob(f"*{NEW}*"))) if path.is_dir() else (),
    )


def _parent(git: Hooking, path: Path) -> Hooking:
    """Git in the nearest directory above that is there."""
    return git.at(next(above for above in path.absolute().parents if above.is_dir()))


def _hook(git: Hooking | None, folder: Path, name: str) -> Hook:
    """`git` is given where the directory is part of a work tree."""
    found, kept = entry(folder / name), entry(folder / f"{name}{KEPT}")
    tracked = git is not None and git.is_tracked(str(folder / name))
    names = (name, f"{name}{KEPT}") if found.there else (name,)
    visible = git is not None and not all(git.ignores(str(folder / one)) for one in names)
    return Hook(name, found, kept, entry(folder / f"{name}{LEGACY}"), tracked=tracked, visible=visible)


def entry(path: Path) -> Entry:
    """What is under this name."""
    if path.is_symlink():
        return Entry(path, Kind.LINK, _text(path), executable=os.access(path, os.X_OK))
    if path.is_dir():
        return Entry(path, Kind.FOLDER)
    if path.exists():
        return Entry(path, Kind.FILE, _text(path), executable=os.access(path, os.X_OK))
    return Entry(path)


def _text(path: Path) -> str | None:
    """What stands in a file, each byte a character; None where it cannot be read."""
    try:
        return plain(path).decode("utf-8", "surrogateescape")
    except OSError:
        return None
