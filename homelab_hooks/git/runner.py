"""Starts git, in one of two ways that its callers do not distinguish (ADR 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from homelab_hooks.git import environment
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.output import OutputListener
from homelab_hooks.system.process_runner import ProcessRunner

_WRITE_PID = '{ echo $$ >"$0"; } 2>/dev/null; exec "$@"'


def with_pid_file(argv: Sequence[str], pid_file: Path | None) -> list[str]:
    """Return the command, preceded by a shell that writes its process id to a file and then becomes it."""
    return ["sh", "-c", _WRITE_PID, str(pid_file), *argv] if pid_file else list(argv)


class GitCall(NamedTuple):
    """How one git command is run."""

    timeout: float | None = None
    """seconds after which it is killed"""
    pid_file: Path | None = None
    """git's process id is written there"""
    settings: Mapping[str, str] | None = None
    """for a call that connects to a remote; they may hold a secret, so they are not arguments"""
    index_file: Path | None = None
    """used instead of the worktree's own index"""
    listener: OutputListener | None = None
    """gets what git, its hooks, and helpers print, as it comes"""
    packet_trace: Path | None = None
    """git records the packets of its protocol there"""


PLAIN_CALL = GitCall()


class GitRunner(Protocol):
    """Runs git in one directory."""

    @property
    def ssh_batch(self) -> bool:
        """Return whether ssh must run in batch mode."""

    @property
    def untrusted(self) -> bool:
        """Return whether it runs no program that the repository's settings name."""

    def run(self, args: Sequence[str], call: GitCall = PLAIN_CALL) -> Completed:
        """Run `git ARGS`."""

    def at(self, directory: Path) -> GitRunner:
        """Return one of the same kind for another directory."""


class DirectRunner:
    """Runs read-only git commands as subprocesses, without prompts: for watching and hooks, which must start quickly.

    Args:
        environ: the environment that git inherits, before `git_env` removes variables that change its behavior.
        directory: where git runs.
        without: names of the repository's own filters, which are turned off.
        git_dir_is_known: the directory is a git directory that the caller found in a worktree of the user's. Git may
            run in it although `safe.bareRepository` is `explicit`, which protects against an unexpected bare
            repository.
    """

    untrusted = True

    def __init__(
        self,
        environ: Mapping[str, str],
        directory: Path,
        *,
        without: Sequence[str] = (),
        git_dir_is_known: bool = False,
    ) -> None:
        self._without = tuple(without)
        self._own_settings = {"safe.bareRepository": "all"} if git_dir_is_known else {}
        self._environ = {**environ, "HOMELAB_NO_WATCH": "1"}  # our own fetch must not start a watch
        self._directory = directory
        self._processes = ProcessRunner(environment.git_env(self._environ, interactive=False))

    @property
    def ssh_batch(self) -> bool:
        """Return whether ssh must run in batch mode."""
        return environment.needs_ssh_batch_mode(self._environ, interactive=False)

    def run(self, args: Sequence[str], call: GitCall = PLAIN_CALL) -> Completed:
        """Run `git ARGS` in a new session, so that no program can prompt on the terminal."""
        safe = environment.untrusted_repo_env(
            self._environ, call.settings, without=self._without, own=self._own_settings
        )
        processes = self._processes.with_listener(call.listener) if call.listener else self._processes
        return processes.run(
            with_pid_file(["git", *args], call.pid_file),
            cwd=self._directory,
            timeout=call.timeout,
            env=safe | environment.call_env(index=call.index_file, packet_trace=call.packet_trace),
        )

    def at(self, directory: Path) -> DirectRunner:
        """Return one of the same kind for another directory."""
        return DirectRunner(environment.without_location(self._environ), directory, without=self._without)
