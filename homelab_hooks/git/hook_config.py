"""What installing hooks asks of git, and sets in its settings."""

from __future__ import annotations

from pathlib import Path

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.command import GitCommands, error_message
from homelab_hooks.git.location import Location
from homelab_hooks.git.runner import GitRunner


class HookConfig:
    """Git where hooks are installed; only its settings are changed."""

    def __init__(self, runner: GitRunner) -> None:
        self._runner = runner
        self._git = GitCommands(runner)
        self.location = Location(self._git)

    def at(self, directory: Path) -> HookConfig:
        """The same in another directory."""
        return HookConfig(self._runner.at(directory))

    def is_bare(self) -> bool:
        """Whether this repository has no work tree."""
        return self._git.line("rev-parse", "--is-bare-repository") == "true"

    def global_hooks(self) -> str:
        """The hooks directory for all repositories, with ~ made out; empty where none is set."""
        return self._git.line("config", "--global", "--type=path", "--get", "core.hooksPath")

    def in_work_tree(self) -> bool:
        """Whether this directory is part of a work tree, of whichever repository."""
        return self._git.line("rev-parse", "--is-inside-work-tree") == "true"

    def is_tracked(self, name: str) -> bool:
        """Whether the file in this directory is tracked."""
        return self._git.run("ls-files", "--error-unmatch", "--", name).ok

    def hook_commands(self, option: str) -> dict[str, str]:
        """The hooks in the settings of one scope: name to command; empty where its command or its event is missing."""
        done = self._git.run("config", option, "-z", "--get-regexp", r"^hook\..*\.(command|event)$")
        found: dict[str, dict[str, str]] = {}
        for entry in done.out.split("\0")[:-1] if done.ok else ():
            key, _, value = entry.partition("\n")
            name, _, what = key.removeprefix("hook.").rpartition(".")
            found.setdefault(name, {})[what] = value
        return {name: said.get("command", "") if "event" in said else "" for name, said in found.items()}

    def set_hook(self, option: str, name: str, *, event: str, command: str) -> None:
        """Name a hook in the settings: the command first, for an event without one stops git altogether."""
        for key, value in (("command", command), ("event", event)):
            self._change("config", option, "--replace-all", f"hook.{name}.{key}", value)

    def unset_hook(self, option: str, name: str) -> None:
        """Forget it, at once."""
        self._change("config", option, "--remove-section", f"hook.{name}")

    def _change(self, *args: str) -> None:
        done = self._git.run(*args)
        if not done.ok:
            raise CommandError(
                f"git's settings cannot be changed: {error_message(done)}",
                hint="make the file writable, then run it again",
                exit=ExitCode.REFUSED,
            )
