"""Git's settings for hooks."""

from __future__ import annotations

from pathlib import Path

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.command import GitCommands, error_message
from homelab_hooks.git.location import Location
from homelab_hooks.git.runner import GitRunner


class HookConfig:
    """Reads where git looks for hooks, and changes the hooks that its settings name."""

    def __init__(self, runner: GitRunner) -> None:
        self._runner = runner
        self._git = GitCommands(runner)
        self.location = Location(self._git)

    def at(self, directory: Path) -> HookConfig:
        """Return one of the same kind for another directory."""
        return HookConfig(self._runner.at(directory))

    def process_name(self) -> str:
        """Return the name that git runs as, which a wrapper can change; empty if it cannot be found out."""
        script = "!cat /proc/$PPID/comm 2>/dev/null || ps -o comm= -p $PPID"
        return self._git.line("-c", f"alias.homelab-process-name={script}", "homelab-process-name").strip()

    def is_bare(self) -> bool:
        """Return whether this repository is bare."""
        return self._git.line("rev-parse", "--is-bare-repository") == "true"

    def global_hooks(self) -> str:
        """Return the global core.hooksPath with ~ expanded; empty if it is not set."""
        return self._git.line("config", "--global", "--type=path", "--get", "core.hooksPath")

    def in_work_tree(self) -> bool:
        """Return whether this directory is in the working tree of any repository."""
        return self._git.line("rev-parse", "--is-inside-work-tree") == "true"

    def is_tracked(self, name: str) -> bool:
        """Return whether git tracks the file."""
        return self._git.run("ls-files", "--error-unmatch", "--", name).ok

    def hook_commands(self, option: str) -> dict[str, str]:
        """Return the command of each config hook of one scope, by name; empty if its command or event is missing."""
        done = self._git.run("config", option, "-z", "--get-regexp", r"^hook\..*\.(command|event)$")
        found: dict[str, dict[str, str]] = {}
        for entry in done.out.split("\0")[:-1] if done.ok else ():
            key, _, value = entry.partition("\n")
            name, _, what = key.removeprefix("hook.").rpartition(".")
            found.setdefault(name, {})[what] = value
        return {name: said.get("command", "") if "event" in said else "" for name, said in found.items()}

    def set_hook(self, option: str, name: str, *, event: str, command: str) -> None:
        """Set a config hook, the command first: git refuses to run with an event that has no command."""
        for key, value in (("command", command), ("event", event)):
            self._change("config", option, "--replace-all", f"hook.{name}.{key}", value)

    def unset_hook(self, option: str, name: str) -> None:
        """Remove a config hook, its command and its event together."""
        self._change("config", option, "--remove-section", f"hook.{name}")

    def _change(self, *args: str) -> None:
        done = self._git.run(*args)
        if not done.ok:
            raise CommandError(
                f"git's settings cannot be changed: {error_message(done)}",
                hint="make the file writable, then run the same command again",
                exit=ExitCode.REFUSED,
            )
