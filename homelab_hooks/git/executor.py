"""How git is started: the verbs never know which way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from homelab_hooks.git import environment
from homelab_hooks.proc import Done, Processes

_NOTED = '{ echo $$ >"$0"; } 2>/dev/null; exec "$@"'


def noted(argv: Sequence[str], note: Path | None) -> list[str]:
    """The command, which first writes its process id to a file: whoever finds the file can tell whether it runs."""
    return ["sh", "-c", _NOTED, str(note), *argv] if note else list(argv)


class Executor(Protocol):
    """Runs git in one directory."""

    @property
    def batch(self) -> bool:
        """Whether ssh has to be told not to ask."""

    @property
    def looks(self) -> bool:
        """Whether it runs nothing of the repository's."""

    def run(
        self,
        args: Sequence[str],
        *,
        timeout: float | None = None,
        note: Path | None = None,
        settings: Mapping[str, str] | None = None,
        index: Path | None = None,
    ) -> Done:
        """Run `git ARGS` to its end, or kill it after `timeout` seconds; its process id is left in `note`.

        Args:
            settings: for this call, which speaks to a remote; they may hold a secret, so they are not arguments.
            index: used instead of the work tree's own index.
        """

    def at(self, directory: Path) -> Executor:
        """The same in another directory."""


class Lean:
    """Starts git directly, never prompts, and only looks: for watching and for hooks, where start-up time counts.

    Args:
        environ: what git would inherit; what is wrong for it is taken out here.
        directory: where git runs.
        without: the repository's own filters, which are not run.
    """

    looks = True

    def __init__(self, environ: Mapping[str, str], directory: Path, *, without: Sequence[str] = ()) -> None:
        self._without = tuple(without)
        self._environ = {**environ, "HOMELAB_NO_WATCH": "1"}  # our own fetch must not start a watch
        self._directory = directory
        self._processes = Processes(environment.for_git(self._environ, interactive=False))

    @property
    def batch(self) -> bool:
        """Whether ssh has to be told not to ask."""
        return environment.asks_by_ssh(self._environ, interactive=False)

    def run(
        self,
        args: Sequence[str],
        *,
        timeout: float | None = None,
        note: Path | None = None,
        settings: Mapping[str, str] | None = None,
        index: Path | None = None,
    ) -> Done:
        """Run `git ARGS` in a session of its own, so that nothing can ask on the terminal."""
        env = environment.only_looking(self._environ, settings, without=self._without) | environment.with_index(index)
        return self._processes.run(noted(["git", *args], note), cwd=self._directory, timeout=timeout, env=env)

    def at(self, directory: Path) -> Lean:
        """The same in another directory."""
        return Lean(self._environ, directory, without=self._without)
