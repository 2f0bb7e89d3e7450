"""Runs git commands and parses their output; every other module of this package builds on it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.environment import BATCH_SSH, subcommand
from homelab_hooks.git.remote_url import NoRepoName, parse_remote_url
from homelab_hooks.git.runner import GitCall, GitRunner
from homelab_hooks.system.child import NO_DIRECTORY
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.exit_status import describe_exit
from homelab_hooks.system.output import OutputListener
from homelab_hooks.text.sanitize import strip_control_chars
from homelab_hooks.text.url_secrets import build_instead_of_config, strip_userinfo, strip_web_userinfo

MIN_VERSION = (2, 36)
"""the oldest git whose `push --porcelain` and reference-transaction hook behave as this project needs (2.28.0 ran other
hooks in place of that one)"""
MAX_PATHS_PER_CALL = 200
"""paths in the arguments of one git; a path has at most 4096 bytes, and a command about a million (execve(2))"""
FULL_STATUS = (
    "--no-replace-objects", "-c", "core.fsmonitor=false", "-c", "core.trustctime=true", "-c", "core.checkStat=default",
    "--no-optional-locks", "status", "--porcelain", "-z", "--no-renames",
)  # fmt: skip
"""`git status` without the settings that could hide a change: they let git look at less of a file; and a replaced
commit is not the one that is pushed"""
_MAX_COUNT_DIGITS = 16
"""of a count; longer output is not a count of commits"""


class GitCommands:
    """Runs git in one directory and parses its output."""

    def __init__(self, runner: GitRunner) -> None:
        self._runner = runner
        self._has_ssh_command: bool | None = None
        """whether the user's settings name a command for ssh; None: not read yet"""

    @property
    def untrusted(self) -> bool:
        """Return whether nothing that the repository's own settings name is run."""
        return self._runner.untrusted

    def run(
        self,
        *args: str,
        timeout: float | None = None,
        index: Path | None = None,
        pid_file: Path | None = None,
        listener: OutputListener | None = None,
    ) -> Completed:
        """Run `git ARGS`. Raises CommandError only where git cannot be run; a failure is in the value."""
        call = GitCall(timeout=timeout, index_file=index, pid_file=pid_file, listener=listener)
        return self._require_run(self._runner.run(args, call), args)

    @staticmethod
    def _require_run(done: Completed, args: Sequence[str]) -> Completed:
        """Return the result of a git that was run and whose output is complete. Raises CommandError otherwise."""
        if done.start_error.endswith(NO_DIRECTORY):
            hint = "run the command in a directory that exists"
            raise CommandError(f"git cannot be started: {done.start_error}", hint=hint, exit=ExitCode.REFUSED)
        if done.not_found:
            hint = "install git 2.36 or newer, or put it on PATH"
            raise CommandError(f"git cannot be started: {done.start_error}", hint=hint)
        if done.start_error:
            hint = "free memory, processes, or file descriptors (see ulimit -a), and run the command again"
            raise CommandError(f"git cannot be started: {done.start_error}", hint=hint, exit=ExitCode.REFUSED)
        if done.truncated:
            raise CommandError(f"git {subcommand(args)} prints more than homelab can read", exit=ExitCode.REFUSED)
        return done

    def line(self, *args: str) -> str:
        """Return standard output without its newline; empty if git fails."""
        done = self.run(*args)
        return done.out.removesuffix("\n") if done.ok else ""

    def lines(self, *args: str) -> tuple[str, ...]:
        """Return the lines of standard output; none if git fails."""
        done = self.run(*args)
        return done.lines if done.ok else ()

    def count(self, *args: str) -> int:
        """Return the number on standard output; 0 if git fails or prints something else."""
        said = self.line(*args)
        return int(said) if said.isascii() and said.isdecimal() and len(said) < _MAX_COUNT_DIGITS else 0

    def list_entries(self, *args: str, index: Path | None = None) -> tuple[str, ...]:
        """Return the entries of a `-z` list. Raises CommandError if git fails: an empty list is a valid result."""
        done = self.run(*args, index=index)
        if not done.ok:
            what = f"git {subcommand(args)} failed: {error_message(done)}"
            raise CommandError(what, hint=_hint_for(done), exit=ExitCode.REFUSED)
        return tuple(part for part in done.out.split("\0") if part)

    def list_tree(self, *args: str) -> tuple[tuple[str, str, str], ...]:
        """Return the entries of an `ls-tree -z`: mode, object id, and path."""
        split = (entry.partition("\t") for entry in self.list_entries(*args))
        return tuple((head[:6], head.rpartition(" ")[2], path) for head, _, path in split)

    def query_remote(
        self,
        verb: str,
        *args: str,
        remote: str,
        timeout: float,
        packet_trace: Path | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> Completed:
        """Query a remote without running a program that the repository's settings name.

        For a remote on this machine, `remote.NAME.uploadpack` would be run here; for one over ssh, it is run there and
        may be needed.
        """
        usual: tuple[str, ...] = ()
        if self.untrusted and self.line("config", "--get", f"remote.{strip_web_userinfo(remote)}.uploadpack"):
            url = self.line("ls-remote", "--get-url", "--", strip_web_userinfo(remote))
            usual = ("--upload-pack=git-upload-pack",) if isinstance(parse_remote_url(url), NoRepoName) else ()
        told = {"core.hooksPath": os.devnull, **settings}
        call = GitCall(timeout=timeout, settings=told, packet_trace=packet_trace)
        return self._run_with_remote([verb, *usual, *args], call)

    def run_with_remote(
        self,
        *args: str,
        timeout: float | None = None,
        pid_file: Path | None = None,
        listener: OutputListener | None = None,
    ) -> Completed:
        """Run a command that connects to a remote; ssh runs in batch mode where a prompt could not be answered.

        A URL's password is passed in a setting, not as an argument: every user of the machine can read arguments.
        """
        return self._run_with_remote(args, GitCall(timeout=timeout, pid_file=pid_file, listener=listener))

    def _run_with_remote(self, args: Sequence[str], call: GitCall) -> Completed:
        quiet: tuple[str, ...] = ()
        if self._runner.ssh_batch and not self._names_ssh_command():
            quiet = ("-c", f"core.sshCommand={BATCH_SSH}")
        # Everything before the `--` is an option.
        names = args.index("--") + 1 if "--" in args else len(args)
        told = {**build_instead_of_config(args[names:]), **(call.settings or {})}
        shown = (*args[:names], *map(strip_web_userinfo, args[names:]))
        return self._require_run(self._runner.run([*quiet, *shown], call._replace(settings=told)), args)

    def _names_ssh_command(self) -> bool:
        if self._has_ssh_command is None:
            self._has_ssh_command = bool(self.line("config", "--get", "core.sshCommand"))
        return self._has_ssh_command


def split_arguments(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the paths in groups that fit into one command.

    >>> [len(group) for group in split_arguments(["path"] * 450)]
    [200, 200, 50]
    """
    for first in range(0, len(paths), MAX_PATHS_PER_CALL):
        yield paths[first : first + MAX_PATHS_PER_CALL]


def _hint_for(done: Completed) -> str:
    if "git-crypt" not in done.err:
        return ""
    return "this worktree lacks git-crypt's keys: to create one that has them, run homelab work start"


def error_message(done: Completed) -> str:
    r"""Return git's error message as one line, fit to be shown.

    >>> error_message(Completed(128, b"", b"hint: x\nfatal: bad thing\n"))
    'bad thing'
    """
    if done.timed_out:
        return "no response in time"
    lines = [strip_control_chars(strip_userinfo(line)) for line in done.err.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("hint:", "Not committing merge"))]
    for mark in ("fatal: ", "error: "):
        for line in lines:
            if line.startswith(mark):
                return line.removeprefix(mark)
    return lines[-1] if lines else f"git {describe_exit(done.code)} and printed no message"
