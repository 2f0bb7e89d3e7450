"""Runs git through GitPython, for landing: ssh or a credential helper may have to prompt the user."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from errno import EACCES, ENOENT
from pathlib import Path
from typing import TYPE_CHECKING, cast

from homelab_hooks.errors import CommandError
from homelab_hooks.git import environment
from homelab_hooks.git.runner import PLAIN_CALL, GitCall, with_pid_file
from homelab_hooks.system.capture import CapturedChild
from homelab_hooks.system.child import describe_start_error
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.output import OutputListener
from homelab_hooks.system.process import end_child

if TYPE_CHECKING:
    from subprocess import Popen


_HOOKED_COMMANDS = frozenset({"commit", "merge", "rebase", "worktree"})
"""commands that run hooks or filters for longer than a moment"""
_SET_BY_GITPYTHON = ("LC_ALL", "LANGUAGE")
"""it sets the locale for its own parsers, and hooks would inherit that"""


def _without_variables(names: Iterable[str]) -> list[str]:
    """Return the beginning of a command that runs without these variables.

    GitPython can add variables to the inherited ones but not remove any; env(1) can. It takes a millisecond, so for a
    command that runs no hook, the locale's variables are emptied, which means the same.
    """
    options = [part for name in sorted(names) for part in ("-u", name)]
    return ["env", *options] if options else []


class GitPythonRunner:
    """Runs git in this process's session, so that prompts and Ctrl-C reach it.

    Args:
        environ: the environment that git inherits, before `git_env` removes variables that change its behavior.
        inherited: what GitPython passes on by itself: this process's environment.
        directory: where git runs.
        interactive: whether the user can answer a prompt.
        create_listener: for calls without a listener that connect to a remote or run hooks, as these may ask.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        directory: Path,
        *,
        inherited: Mapping[str, str],
        interactive: bool,
        create_listener: Callable[[], OutputListener] | None = None,
    ) -> None:
        self._given = (dict(environ), dict(inherited))
        self._interactive, self._create_listener = interactive, create_listener
        self._directory = directory
        self._env = environment.git_env({**environ, "HOMELAB_IN_LAND": "1"}, interactive=interactive)
        self._gone = set(inherited) - set(self._env)

    untrusted = False

    @property
    def ssh_batch(self) -> bool:
        """Return whether ssh must run in batch mode."""
        return environment.needs_ssh_batch_mode(self._env, interactive=self._interactive)

    def run(self, args: Sequence[str], call: GitCall = PLAIN_CALL) -> Completed:
        """Run `git ARGS`. An exception, also from the listener, ends git; only a push keeps running.

        A merge that continued would move the branch after the landing has reported its end, or has been undone.
        """
        listener = call.listener or self._default_listener(args, call)
        extra = environment.config_env(self._env, call.settings or {})
        extra |= environment.call_env(index=call.index_file, packet_trace=call.packet_trace)
        env = {**self._env, **environment.editor_env(args), **extra}
        unset = set(_SET_BY_GITPYTHON) - set(env)
        gone = self._gone | unset if listener else self._gone
        argv = with_pid_file([*_without_variables(gone), "git", *args], call.pid_file)
        try:
            child = self._start(argv, {**dict.fromkeys(unset, ""), **env})
        except OSError as error:
            return describe_start_error(error, argv, self._env.get("PATH", os.defpath), self._directory)
        shows_stdout = call.listener is not None and environment.subcommand(args) == "push"
        captured = CapturedChild(child, listener=listener, shows_stdout=shows_stdout)
        try:
            return captured.complete(call.timeout, end_child)
        except BaseException:
            if environment.subcommand(args) != "push":
                end_child(child)
            raise

    def _default_listener(self, args: Sequence[str], call: GitCall) -> OutputListener | None:
        may_ask = call.settings is not None or environment.subcommand(args) in _HOOKED_COMMANDS
        return self._create_listener() if may_ask and self._create_listener else None

    def _start(self, argv: Sequence[str], env: Mapping[str, str]) -> Popen[bytes]:
        try:
            import git
        except ImportError as error:  # it looks for the git program when it is imported
            raise CommandError("git cannot be started", hint="install git, or put it on PATH") from error
        if not os.access(self._directory, os.X_OK):  # GitPython would start git in the current directory
            raise OSError(EACCES if self._directory.is_dir() else ENOENT, "cannot enter the directory")
        try:
            running = git.Git(str(self._directory)).execute(list(argv), as_process=True, env=dict(env))
        except git.GitCommandNotFound as missing:
            cause = missing.__cause__
            raise cause if isinstance(cause, OSError) else FileNotFoundError(ENOENT, "not found") from missing
        child, running.proc = running.proc, None  # otherwise its finalizer would end a push that is under way
        assert child is not None  # noqa: S101 - it has just been started
        return cast("Popen[bytes]", child)

    def at(self, directory: Path) -> GitPythonRunner:
        """Return one of the same kind for another directory."""
        environ, inherited = self._given
        return GitPythonRunner(
            environment.without_location(environ),
            directory,
            inherited=inherited,
            interactive=self._interactive,
            create_listener=self._create_listener,
        )
