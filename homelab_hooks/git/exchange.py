"""Fetching the target and pushing a commit."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from homelab_hooks.git.push import Outcome, read
from homelab_hooks.git.submodules import Submodules
from homelab_hooks.proc import Done, command_of

PUSHER = "homelab/push.pid"
"""where a landing notes the process that pushes for it, under the git directory of its work tree"""


class Exchange(Submodules):
    """What goes to and comes from a remote while landing."""

    def fetch_branch(self, source: str, branch: str, *, remote: str) -> Done:
        """Fetch one branch, and only it.

        Args:
            source: a remote's name, or the URL that is pushed to where that is another.
            remote: whose tracking branch is to follow; empty where there is none.
        """
        ref = f"refs/heads/{branch}"
        spec = f"+{ref}:refs/remotes/{remote}/{branch}" if remote else ref
        quiet = ("--no-tags", "--no-auto-maintenance", "--no-recurse-submodules")
        return self._reach("fetch", *quiet, "--", source, spec)

    def fetched(self) -> str:
        """The commit that the last fetch brought."""
        return self._line("rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}")

    def fetch_all_history(self, source: str) -> Done:
        """Make a shallow repository whole."""
        return self._reach("fetch", "--no-tags", "--unshallow", "--", source)

    def push_exactly(self, sha: str, *, to: str, remote: str, options: Sequence[str] = ()) -> Outcome:
        """Push one commit to one branch, fast-forward only, with the user's own pre-push hook.

        Who wants submodules to be pushed with it has them checked: git itself pushes them only for a branch by name.

        Args:
            to: the branch on the server.
            remote: a remote's name or a URL.
            options: push options for the server.
        """
        ref = f"refs/heads/{to}"
        extra = [f"--push-option={option}" for option in options]
        check = "check" if self.recursing() else "no"
        done = self._reach(
            "push", "--porcelain", "--no-follow-tags", f"--recurse-submodules={check}", *extra,
            "--", remote, f"{sha}:{ref}",
            note=self._pusher(),
        )  # fmt: skip
        self.forget_pusher()
        return read(done.code, done.out, done.err, ref=ref, sha=sha)

    def pusher(self, sha: str) -> int:
        """The process that pushes this commit now, or has outlived whoever started it; 0: none."""
        try:
            number = int(self._pusher().read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0
        return number if sha and sha in command_of(number) else 0

    def forget_pusher(self) -> None:
        """Nobody is to be asked about it again; a note that cannot be removed names a process that has ended."""
        with contextlib.suppress(OSError):
            self._pusher().unlink(missing_ok=True)

    def _pusher(self) -> Path:
        return self.git_path(PUSHER)
