"""Runs git through GitPython, for landing: ssh or a credential helper may have to prompt the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from homelab_hooks.errors import CommandError
from homelab_hooks.git import environment
from homelab_hooks.git.runner import with_pid_file
from homelab_hooks.system.completed import Completed

KILLED_EXIT_CODE = -9


class GitPythonRunner:
    """Runs git in this process's session, so that prompts and Ctrl-C reach it.

    Args:
        environ: the environment that git inherits, before `git_env` removes what would mislead it.
        inherited: what GitPython passes on by itself: this process's environment.
        directory: where git runs.
        interactive: whether the user can answer a prompt.
    """

    def __init__(
        self, environ: Mapping[str, str], directory: Path, *, inherited: Mapping[str, str], interactive: bool
    ) -> None:
        self._given = (dict(environ), dict(inherited))
        self._interactive = interactive
        self._directory = directory
        self._env = environment.git_env({**environ, "HOMELAB_IN_LAND": "1"}, interactive=interactive)
        # GitPython can add variables to the inherited ones but not remove any; env(1) can.
        gone = sorted(set(inherited) - set(self._env))
        self._prefix = ["env", *(part for name in gone for part in ("-u", name)), "git"] if gone else ["git"]

    untrusted = False

    @property
    def ssh_batch(self) -> bool:
        """Whether ssh must run in batch mode."""
        return environment.needs_ssh_batch_mode(self._env, interactive=self._interactive)

    def run(
        self,
        args: Sequence[str],
        *,
        timeout: float | None = None,
        pid_file: Path | None = None,
        settings: Mapping[str, str] | None = None,
        index: Path | None = None,
    ) -> Completed:
        """Run `git ARGS`; kill it after `timeout` seconds."""
        try:
            import git
        except ImportError as error:  # it looks for the git program when it is imported
            raise CommandError("git cannot be started", hint="install git, or put it on PATH") from error
        try:
            code, out, err = git.Git(str(self._directory)).execute(
                with_pid_file([*self._prefix, *args], pid_file),
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                env={
                    **self._env,
                    **environment.config_env(self._env, settings or {}),
                    **environment.index_env(index),
                },
                kill_after_timeout=timeout,
            )
        except git.GitCommandNotFound:
            return Completed(127, not_found=True)
        return Completed(
            code,
            out,
            err.encode("utf-8", "surrogateescape"),
            timed_out=code == KILLED_EXIT_CODE and timeout is not None,
        )

    def at(self, directory: Path) -> GitPythonRunner:
        """Return the same for another directory."""
        environ, inherited = self._given
        return GitPythonRunner(environ, directory, inherited=inherited, interactive=self._interactive)
