"""Temporary git repositories, isolated from the user's git configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from homelab_hooks.system.process_runner import ProcessRunner

_GIT_CONFIG = """\
[user]
    name = Ann Example
    email = ann@example.test
[init]
    defaultBranch = main
    templateDir =
[protocol "file"]
    allow = always
[advice]
    detachedHead = false
[core]
    fsync = none
[gc]
    auto = 0
[maintenance]
    auto = false
"""
_COMMIT_DATE = "2026-01-02T03:04:05+00:00"


def make_hermetic_env(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return an environment with an isolated git configuration, fixed commit dates and no prompts.

    Args:
        environ: only PATH is taken from it.
        home: the HOME directory; it is created, with a `.gitconfig`.
    """
    home.mkdir(parents=True, exist_ok=True)
    config = home / ".gitconfig"
    if not config.exists():
        config.write_text(_GIT_CONFIG, encoding="utf-8")
    return {
        "PATH": environ.get("PATH", "/usr/bin:/bin"),
        "HOME": str(home),
        "USER": "ann",
        "XDG_CONFIG_HOME": str(home / ".config"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_CEILING_DIRECTORIES": str(home.parent),
        "GIT_AUTHOR_DATE": _COMMIT_DATE,
        "GIT_COMMITTER_DATE": _COMMIT_DATE,
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "TERM": "dumb",
    }


class Clone:
    """A git working tree, used through the git command line."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self.path = path
        self._processes = ProcessRunner(environ)

    def git(self, *args: str) -> str:
        """Run git and return its output. Raises RuntimeError with the output if it fails."""
        done = self._processes.run(["git", *args], cwd=self.path)
        if not done.ok:
            raise RuntimeError(f"git {' '.join(args)}: {done.code}\n{done.out}{done.err}")
        return done.out.removesuffix("\n")

    def write(self, name: str, text: str) -> Path:
        """Write a file, with its directories, and return its path."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def commit(self, name: str, text: str = "", *, message: str = "") -> str:
        """Write and commit a file, and return the SHA of the commit."""
        self.write(name, text or f"{name}\n")
        self.git("add", "--", name)
        self.git("commit", "--quiet", "-m", message or f"add {name}")
        return self.head

    @property
    def head(self) -> str:
        """Return the SHA of the checked-out commit."""
        return self.git("rev-parse", "HEAD")

    def sha(self, name: str) -> str:
        """Return the SHA of a revision; empty if there is none."""
        done = self._processes.run(["git", "rev-parse", "--verify", "--quiet", name], cwd=self.path)
        return done.out.strip() if done.ok else ""


class ScratchRepositories:
    """A bare repository with one commit on `main`, and clones of it; an existing `srv` is used as is."""

    def __init__(self, folder: Path, environ: Mapping[str, str], *, name: str = "acme/app.git") -> None:
        self.folder = folder
        self.environ = dict(environ)
        self.bare_path = folder / "srv" / name
        self.origin = Clone(self.bare_path, environ)
        if self.bare_path.exists():
            return
        self.bare_path.mkdir(parents=True)
        self.origin.git("init", "--quiet", "--bare")
        seed = self.clone("seed", at=str(self.bare_path))
        seed.commit("README", "hello\n", message="begin")
        seed.git("push", "--quiet", "origin", "HEAD:refs/heads/main")

    def clone(self, name: str, *, at: str = "", branch: str = "") -> Clone:
        """Clone the repository into the directory `name`, create the branch `branch` if given, and return the clone.

        Args:
            at: the URL; default: the path of the bare repository.
        """
        parent = Clone(self.folder, self.environ)
        parent.git("clone", "--quiet", at or str(self.bare_path), name)
        checkout = Clone(self.folder / name, self.environ)
        if branch:
            checkout.git("switch", "--quiet", "-c", branch)
        return checkout

    def server_commit(self, branch: str = "main") -> str:
        """Return the SHA of a branch on the server; empty if the branch does not exist."""
        return self.origin.sha(f"refs/heads/{branch}")

    def write_hook(self, name: str, script: str, *, where: Path | None = None) -> Path:
        """Write an executable hook, by default into the server's repository, else into `where`; return its path."""
        path = (where or self.bare_path / "hooks") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return path
