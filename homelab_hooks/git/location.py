"""A repository's directories and settings."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from homelab_hooks.config.resolve import GitConfigEntry
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.command import GitCommands, error_message

_DIRECTORIES = (("--show-toplevel",), ("--git-dir",), ("--git-common-dir",))
_CONFIG_HINT = "to edit the configuration, run git config --edit"
_CONFIG_VARIABLES_HINT = "correct or unset GIT_CONFIG_COUNT and GIT_CONFIG_PARAMETERS in the environment"
"""git's own word for these variables is "command-line config" (config.c)"""


class LocationFacts:
    """What was read, once: a repository does not move during a command."""

    def __init__(self) -> None:
        self.places: dict[tuple[str, ...], Path] = {}
        self.entries: tuple[GitConfigEntry, ...] | None = None


class Location:
    """Reads directories and settings; settings are available outside a repository too.

    Args:
        facts: of another location of the same directory and environment; what one has read, the other knows.
    """

    def __init__(self, git: GitCommands, facts: LocationFacts | None = None) -> None:
        self._git = git
        self.facts = facts or LocationFacts()

    def config_entries(self) -> tuple[GitConfigEntry, ...]:
        """Return every setting, the weakest scope first; the last entry of a key is the effective one. Read once."""
        if self.facts.entries is None:
            self.facts.entries = self._read_entries()
        return self.facts.entries

    def _read_entries(self) -> tuple[GitConfigEntry, ...]:
        done = self._git.run("config", "--list", "-z", "--show-scope")
        parts = done.out.split("\0")[:-1]
        if not done.ok or len(parts) % 2:
            raise CommandError(
                f"git's configuration cannot be read: {error_message(done)}",
                hint=_CONFIG_HINT if "command-line config" not in done.err else _CONFIG_VARIABLES_HINT,
            )
        entries = []
        for scope, setting in zip(parts[::2], parts[1::2], strict=True):
            key, equals, value = setting.partition("\n")
            entries.append(GitConfigEntry(scope, key, value if equals else "true"))
        return tuple(entries)

    def config_value(self, key: str) -> str:
        """Return the effective value of a key; empty if the key is not set."""
        return self._git.line("config", "--get", key)

    def has_local_setting(self, pattern: str) -> bool:
        """Return whether the repository itself, or its work tree, sets a key that matches this regular expression."""
        scopes = ("--local", "--worktree")
        return any(self._git.run("config", scope, "--name-only", "--get-regexp", pattern).ok for scope in scopes)

    def version(self) -> str:
        """Return git's version as git prints it."""
        return self._git.line("version").removeprefix("git version ")

    def version_tuple(self) -> tuple[int, int]:
        """Return the first two numbers of git's version; (0, 0) if it prints none."""
        found = re.search(r"(\d{1,6})\.(\d{1,6})", self.version())
        return (int(found[1]), int(found[2])) if found else (0, 0)

    def identity(self) -> str:
        """Return the committer's name and address; empty if git has none."""
        return self._git.line("var", "GIT_COMMITTER_IDENT").rpartition(" ")[0].rpartition(" ")[0]

    def top_level(self) -> Path | None:
        """Return the root of the working tree; None outside a repository and in a bare one."""
        return self._place("--show-toplevel")

    def git_dir(self) -> Path | None:
        """Return the git directory of this worktree; None outside a repository."""
        return self._place("--git-dir")

    def common_dir(self) -> Path | None:
        """Return the directory that all worktrees share; None outside a repository."""
        return self._place("--git-common-dir")

    def homelab_dir(self) -> Path:
        """Return our directory in the common directory; it may not exist yet.

        Raises CommandError (refused) outside a repository.
        """
        common = self.common_dir()
        if common is None:
            raise _not_a_repository()
        return common / "homelab"

    def worktree_file(self, name: str) -> Path:
        """Return the path of a file in the git directory of this worktree, such as MERGE_HEAD or one of homelab's.

        Raises CommandError (refused) outside a repository.
        """
        own = self.git_dir()
        if own is None:
            raise _not_a_repository()
        return own / name

    def git_path(self, name: str) -> Path:
        """Return the path of a file or directory of git's for this worktree; `hooks` respects core.hooksPath.

        With an empty core.hooksPath, git runs `/pre-push` and so on, and prints no path (measured with git 2.39).

        Raises CommandError (refused) outside a repository.
        """
        found = self._place("--git-path", name)
        if found is None and name == "hooks" and self._has_empty_hooks_path():
            return Path("/")
        if found is None:
            raise _not_a_repository()
        return found

    def _has_empty_hooks_path(self) -> bool:
        done = self._git.run("config", "--get", "core.hooksPath")
        return done.ok and done.out == "\n" and self.git_dir() is not None

    def is_valid_branch(self, name: str) -> bool:
        """Return whether this is a valid branch name."""
        return not name.startswith("-") and self._git.run("check-ref-format", f"refs/heads/{name}").ok

    def is_ignored(self, name: str) -> bool:
        """Return whether a path is ignored, whether or not it exists; a relative one is relative to this directory."""
        return self._git.run("check-ignore", "--quiet", "--", name).ok

    def _place(self, *question: str) -> Path | None:
        """Return a path that `git rev-parse` prints, asked once: a repository does not move during a command."""
        if question in _DIRECTORIES and not self.facts.places:
            self._ask_directories()
        if question in self.facts.places:
            return self.facts.places[question]
        done = self._git.run("rev-parse", "--path-format=absolute", *question)
        if not done.ok and "dubious ownership" in done.err:
            where = error_message(done).rpartition(" at ")[2]
            raise CommandError(
                f"detected dubious ownership in repository at {where}",
                hint="if you trust this repository, run git config --global --add safe.directory "
                + shlex.quote(where.strip(chr(39))),
                exit=ExitCode.REFUSED,
            )
        if not done.ok:
            return None
        return self.facts.places.setdefault(question, Path(done.out.removesuffix("\n")))

    def _ask_directories(self) -> None:
        """Remember the three directories, with one git; outside a worktree they are asked one by one."""
        done = self._git.run("rev-parse", "--path-format=absolute", *(option for (option,) in _DIRECTORIES))
        if done.ok and len(lines := done.out.split("\n")[:-1]) == len(_DIRECTORIES):  # a path may contain newlines
            self.facts.places.update(zip(_DIRECTORIES, map(Path, lines), strict=True))


def _not_a_repository() -> CommandError:
    return CommandError("not a git repository", hint="run this command in a git repository", exit=ExitCode.REFUSED)
