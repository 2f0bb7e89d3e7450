"""How git is started: the verbs never know which way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from homelab_hooks.git import environment
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process import ProcessRunner

_WRITE_PID = '{ echo $$ >"$0"; } 2>/dev/null; exec "$@"'


def with_pid_file(argv: Sequence[str], pid_file: Path | None) -> list[str]:
    """The command, which first writes its process id to a file: whoever finds the file can tell whether it runs."""
    return ["sh", "-c", _WRITE_PID, str(pid_file), *argv] if pid_file else list(argv)


class GitRunner(Protocol):
    """Runs git in one directory."""

    @property
    def ssh_batch(self) -> bool:
        """Whether ssh has to be told not to ask."""

    @property
    def untrusted(self) -> bool:
        """Whether it runs nothing of the repository's."""

    def run(
        self,
        args: Sequence[str],
        *,
        timeout: float | None = None,
        pid_file: Path | None = None,
        settings: Mapping[str, str] | None = None,
        index: Path | None = None,
    ) -> Completed:
        """Run `git ARGS` to its end, or kill it after `timeout` seconds; its process id is left in `note`.

        Args:
            settings: for this call, which speaks to a remote; they may hold a secret, so they are not arguments.
            index: used instead of the work tree's own index.
        """

    def at(self, directory: Path) -> GitRunner:
        """The same in another directory."""


class DirectRunner:
    """Starts git directly, never prompts, and only looks: for watching and for hooks, where start-up time counts.

    Args:
        environ: what git would inherit; what is wrong for it is taken out here.
        directory: where git runs.
        without: the repository's own filters, which are not run.
    """

    untrusted = True

    def __init__(self, environ: Mapping[str, str], directory: Path, *, without: Sequence[str] = ()) -> None:
        self._without = tuple(without)
        self._environ = {**environ, "HOMELAB_NO_WATCH": "1"}  # our own fetch must not start a watch
        self._directory = directory
        self._processes = ProcessRunner(environment.git_env(self._environ, interactive=False))

    @property
    def ssh_batch(self) -> bool:
        """Whether ssh has to be told not to ask."""
        return environment.needs_ssh_batch_mode(self._environ, interactive=False)

    def run(
        self,
        args: Sequence[str],
        *,
        timeout: float | None = None,
        pid_file: Path | None = None,
        settings: Mapping[str, str] | None = None,
        index: Path | None = None,
    ) -> Completed:
        """Run `git ARGS` in a session of its own, so that nothing can ask on the terminal."""
        env = environment.untrusted_repo_env(self._environ, settings, without=self._without) | environment.index_env(
            index
        )
        return self._processes.run(
            with_pid_file(["git", *args], pid_file), cwd=self._directory, timeout=timeout, env=env
        )

    def at(self, directory: Path) -> DirectRunner:
        """The same in another directory."""
        return DirectRunner(self._environ, directory, without=self._without)
