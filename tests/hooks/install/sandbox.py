"""A sandbox to push from: a clone with the shims installed, and programs that record how they were called."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories, make_hermetic_env
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S

HOOKS = Path(__file__).parents[3] / "hooks"
SPIES = ("homelab", "homelab-watch", "python", "python3")


def gits() -> list[str]:
    """The git programs to be tried: HOMELAB_TEST_GITS, paths with colons between them, else the one on PATH."""
    named = [name for name in os.environ.get("HOMELAB_TEST_GITS", "").split(":") if name]
    return named or [shutil.which("git") or "git"]


class HookSandbox:
    """Clones, a server, and what the shims started.

    Args:
        folder: everything is in it.
        git: the git program.
        shims: those that are in the clone's hooks directory.
    """

    def __init__(self, folder: Path, git: str, shims: Iterable[str]) -> None:
        self.folder = folder
        self.git_program = git
        self.environ = make_hermetic_env(os.environ, folder / "home")
        self.programs, self.called = folder / "programs", folder / "called"
        self.environ["PATH"] = f"{self.programs}:{Path(git).parent}:{self.environ['PATH']}"
        self.server = folder / "workshop" / "srv" / "acme" / "app.git"
        self.mine = Clone(folder / "workshop" / "mine", self.environ)
        self.hooks = self.mine.path / ".git" / "hooks"
        if self.server.exists():
            self._spies()
            return
        self._spies()
        ScratchRepositories(folder / "workshop", self.environ).clone("mine", branch="feature")
        self.mine.git("remote", "set-url", "origin", "../srv/acme/app.git")
        for shim in shims:
            self.put(HOOKS / shim, self.hooks)

    @staticmethod
    def put(shim: Path, into: Path) -> Path:
        """Copy a shim into a hooks directory."""
        into.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(shim, into / shim.name))

    def _spies(self) -> None:
        self.programs.mkdir(exist_ok=True)
        for name in SPIES:
            spy = self.programs / name
            spy.write_text(
                f'#!/bin/sh\necho "{name} $* [${{HOMELAB_NO_WATCH-}}]" >>"{self.called}"\necho verdict >&2\n'
                'exit "${WATCH_CODE:-0}"\n'
            )
            spy.chmod(0o755)

    def git(self, *args: str, at: Path | None = None, env: Mapping[str, str] | None = None) -> Completed:
        """Run git as a person would; how it ended."""
        return ProcessRunner({**self.environ, **(env or {})}).run(
            ["git", *args], cwd=at or self.mine.path, timeout=HANG_S
        )

    def push(self, *args: str, env: Mapping[str, str] | None = None) -> Completed:
        """A push that goes well."""
        done = self.git("push", *args, env=env)
        assert done.ok, done
        return done

    @property
    def calls(self) -> list[str]:
        """How the programs were called, in order."""
        return self.called.read_text().splitlines() if self.called.exists() else []

    @property
    def version(self) -> tuple[int, int]:
        """Git's."""
        return self.version_of(self.git_program)

    @staticmethod
    def version_of(git: str) -> tuple[int, int]:
        """Of a git program."""
        major, minor = ProcessRunner(os.environ).run([git, "version"]).out.split()[2].split(".")[:2]
        return int(major), int(minor)

    def other(self, name: str = "other") -> Clone:
        """Another developer's clone."""
        place = Clone(self.folder / "workshop", self.environ)
        place.git("clone", "--quiet", str(self.server), name)
        return Clone(self.folder / "workshop" / name, self.environ)

    def elsewhere(self, branch: str = "main", *, file: str = "theirs") -> str:
        """A commit that another developer has pushed."""
        other = self.other(f"other-{branch}")
        sha = other.commit(file)
        other.git("push", "--quiet", "origin", f"{sha}:refs/heads/{branch}")
        return sha

    def server_hook(self, name: str, script: str) -> None:
        """A hook of the server."""
        hook = self.server / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{script}\n")
        hook.chmod(0o755)

    def age(self, ref: str = "refs/remotes/origin/main") -> None:
        """As if the last push had been an hour ago."""
        for log in (self.mine.path / ".git" / "logs" / ref, self.mine.path / ".git" / "reftable" / "tables.list"):
            if log.exists():
                past = log.stat().st_mtime - 3600
                os.utime(log, (past, past))


def copied(template: Path, folder: Path, git: str) -> HookSandbox:
    """A sandbox like one that was made before: copying is quicker than making."""
    for name in ("workshop", "home"):
        shutil.copytree(template / name, folder / name, symlinks=True)
    return HookSandbox(folder, git, ())


def fired(ref: str, sha: str) -> str:
    """What the trigger calls after a push."""
    return f"homelab hooks pushed {ref} {sha} [1]"
