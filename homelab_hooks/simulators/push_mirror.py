"""A push mirror: copies a branch of one bare repository to another some seconds after a push, or never."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from homelab_hooks.system.process_runner import ProcessRunner


class PushMirror:
    """Copies a branch with git, as a forge's push mirror does; a context manager that cancels what is still to come.

    Args:
        source: the bare repository that is mirrored.
        target: the bare repository of the mirror; it is created, with what `source` has now.
        environ: the environment of git.
        branch: the branch that is mirrored.
        lag_s: seconds from a push to its copy; 2 to 7 were seen (recording forge/06-push-mirror). None: never.

    Attributes:
        on_copied: called with the commit after each copy.
    """

    def __init__(
        self, source: Path, target: Path, environ: Mapping[str, str], *, branch: str = "main", lag_s: float | None
    ) -> None:
        self._source, self._target, self._lag_s = source, target, lag_s
        self._refspec = f"+refs/heads/{branch}:refs/heads/{branch}"
        self._processes = ProcessRunner(environ)
        self._timers: list[threading.Timer] = []
        self.on_copied: Callable[[str], None] = lambda _: None

    def __enter__(self) -> Self:
        self._target.mkdir(parents=True)
        self._run("init", "--quiet", "--bare", str(self._target))
        self._run("push", "--quiet", str(self._target), self._refspec)
        return self

    def __exit__(self, *_: object) -> None:
        for timer in self._timers:
            timer.cancel()
        for timer in self._timers:
            timer.join()

    def start_copy(self, sha: str) -> None:
        """Copy the branch after the lag; `sha` is the commit that was pushed."""
        if self._lag_s is None:
            return
        timer = threading.Timer(self._lag_s, self._copy, (sha,))
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def _copy(self, sha: str) -> None:
        self._run("push", "--quiet", str(self._target), self._refspec)
        self.on_copied(sha)

    def _run(self, *args: str) -> None:
        """Run git in the source. Raises RuntimeError with its output if it fails."""
        done = self._processes.run(["git", *args], cwd=self._source)
        if not done.ok:
            raise RuntimeError(f"git {args[0]}: {done.code}\n{done.out}{done.err}")
