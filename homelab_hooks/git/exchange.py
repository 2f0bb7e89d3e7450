"""Fetching the target and pushing a commit."""

from __future__ import annotations

from collections.abc import Sequence

from homelab_hooks.git.push import Outcome, read
from homelab_hooks.git.verbs import Verbs
from homelab_hooks.proc import Done


class Exchange(Verbs):
    """What goes to and comes from a remote while landing."""

    def fetch_branch(self, source: str, branch: str, *, remote: str) -> Done:
        """Fetch one branch, and only it.

        Args:
            source: a remote's name, or the URL that is pushed to where that is another.
            remote: whose tracking branch is to follow; empty where there is none.
        """
        ref = f"refs/heads/{branch}"
        spec = f"+{ref}:refs/remotes/{remote}/{branch}" if remote else ref
        return self._reach("fetch", "--no-tags", "--no-auto-maintenance", "--", source, spec)

    def fetched(self) -> str:
        """The commit that the last fetch brought."""
        return self._line("rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}")

    def fetch_all_history(self, source: str) -> Done:
        """Make a shallow repository whole."""
        return self._reach("fetch", "--no-tags", "--unshallow", "--", source)

    def push_exactly(self, sha: str, *, to: str, remote: str, options: Sequence[str] = ()) -> Outcome:
        """Push one commit to one branch, fast-forward only, with the user's own pre-push hook.

        Args:
            to: the branch on the server.
            remote: a remote's name or a URL.
            options: push options for the server.
        """
        ref = f"refs/heads/{to}"
        extra = [f"--push-option={option}" for option in options]
        done = self._reach("push", "--porcelain", "--no-follow-tags", *extra, "--", remote, f"{sha}:{ref}")
        return read(done.code, done.out, done.err, ref=ref, sha=sha)
