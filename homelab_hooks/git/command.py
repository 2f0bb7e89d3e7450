"""What every verb on git is made of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.environment import BATCH_SSH
from homelab_hooks.git.remote_url import NoRepoName, parse_remote_url
from homelab_hooks.git.runner import GitRunner
from homelab_hooks.system.completed import Completed
from homelab_hooks.text.sanitize import strip_control_chars
from homelab_hooks.text.url_secrets import build_instead_of_config, strip_userinfo, strip_web_userinfo

MIN_VERSION = (2, 36)
"""git that can be trusted: `push --porcelain` and the reference-transaction hook are as we know them (2.28.0 ran other
hooks in its place)"""
_MAX_COUNT_DIGITS = 16
"""of a count; no repository has so many commits"""


class GitCommands:
    """Runs git and reads its answers."""

    def __init__(self, runner: GitRunner) -> None:
        self._runner = runner

    @property
    def untrusted(self) -> bool:
        """Whether nothing that the repository's own settings name is run."""
        return self._runner.untrusted

    def run(self, *args: str, timeout: float | None = None, index: Path | None = None) -> Completed:
        """Run `git ARGS`. Raises CommandError only where git cannot be started; a failure is in the value."""
        return self._require_git(self._runner.run(args, timeout=timeout, index=index))

    @staticmethod
    def _require_git(done: Completed) -> Completed:
        if done.not_found:
            raise CommandError("git cannot be started", hint="install git 2.36 or newer, or put it on PATH")
        return done

    def line(self, *args: str) -> str:
        """Standard output without its newline; empty where git says no."""
        done = self.run(*args)
        return done.out.removesuffix("\n") if done.ok else ""

    def lines(self, *args: str) -> tuple[str, ...]:
        """The lines of standard output; none where git says no."""
        done = self.run(*args)
        return done.lines if done.ok else ()

    def count(self, *args: str) -> int:
        """A number on standard output; 0 where git says no, or something else."""
        said = self.line(*args)
        return int(said) if said.isascii() and said.isdecimal() and len(said) < _MAX_COUNT_DIGITS else 0

    def list_entries(self, *args: str, index: Path | None = None) -> tuple[str, ...]:
        """The entries of a `-z` list; a git that cannot tell them is a Problem, never an empty list."""
        done = self.run(*args, index=index)
        if not done.ok:
            verb = next(arg for arg in args if not arg.startswith("-"))
            raise CommandError(f"git {verb} failed: {error_message(done)}", hint=_hint_for(done), exit=ExitCode.REFUSED)
        return tuple(part for part in done.out.split("\0") if part)

    def list_tree(self, *args: str) -> tuple[tuple[str, str, str], ...]:
        """The entries of a `ls-tree -z`: mode, id and path."""
        split = (entry.partition("\t") for entry in self.list_entries(*args))
        return tuple((head[:6], head.rpartition(" ")[2], path) for head, _, path in split)

    def query_remote(self, verb: str, *args: str, remote: str, timeout: float) -> Completed:
        """A question to a remote, of which nothing but the remote's own programs is run.

        A remote on this machine could name a program in the repository's settings; over ssh it is how it is reached.
        """
        usual: tuple[str, ...] = ()
        if self.untrusted and self.line("config", "--get", f"remote.{strip_web_userinfo(remote)}.uploadpack"):
            url = self.line("ls-remote", "--get-url", "--", strip_web_userinfo(remote))
            usual = ("--upload-pack=git-upload-pack",) if isinstance(parse_remote_url(url), NoRepoName) else ()
        return self.run_with_remote(verb, *usual, *args, timeout=timeout, settings={"core.hooksPath": os.devnull})

    def run_with_remote(
        self,
        *args: str,
        timeout: float | None = None,
        pid_file: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Completed:
        """A verb that speaks to a remote; ssh is told not to ask where nobody can answer.

        A URL's password is no argument: everybody on this machine can read those.
        """
        quiet: tuple[str, ...] = ()
        if self._runner.ssh_batch and not self.line("config", "--get", "core.sshCommand"):
            quiet = ("-c", f"core.sshCommand={BATCH_SSH}")
        # What stands before is an option, which is the user's word.
        names = args.index("--") + 1 if "--" in args else len(args)
        told = {**build_instead_of_config(args[names:]), **(settings or {})}
        shown = (*args[:names], *map(strip_web_userinfo, args[names:]))
        return self._require_git(self._runner.run([*quiet, *shown], timeout=timeout, pid_file=pid_file, settings=told))


def _hint_for(done: Completed) -> str:
    if "git-crypt" not in done.err:
        return ""
    return "this work tree lacks git-crypt's keys: homelab work start makes one that has them"


def error_message(done: Completed) -> str:
    r"""What git complained of, in one line fit to be shown.

    >>> error_message(Completed(128, b"", b"hint: x\nfatal: bad thing\n"))
    'bad thing'
    """
    if done.timed_out:
        return "no answer in time"
    lines = [strip_control_chars(strip_userinfo(line)) for line in done.err.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("hint:", "Not committing merge"))]
    for mark in ("fatal: ", "error: "):
        for line in lines:
            if line.startswith(mark):
                return line.removeprefix(mark)
    return lines[-1] if lines else f"exit code {done.code}, without a message"
