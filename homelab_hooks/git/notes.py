"""Git notes: texts that are attached to commits under a ref of their own."""

from __future__ import annotations

from homelab_hooks.git.command import GitCommands
from homelab_hooks.system.completed import Completed


class Notes:
    """Writes git notes."""

    def __init__(self, git: GitCommands) -> None:
        self._git = git

    def replace(self, ref: str, sha: str, text: str) -> Completed:
        """Replace the note of a commit under a ref; git needs an identity for that, as for a commit."""
        return self._git.run("notes", f"--ref={ref}", "add", "--force", "-m", text, sha)
