"""Reads the branch of a mirror from the mirror's own server."""

from __future__ import annotations

from homelab_hooks.follow.mirror import MirrorTip
from homelab_hooks.git.containment import Containment, ContainmentCheck
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.polling.outcome import Found, Poll


class GitMirrorSource:
    """Asks a remote for a branch, and compares its commit with the one that is waited for.

    Args:
        contains: fetches commits that are missing from the mirror.
    """

    def __init__(
        self, git: ReadOnlyRepository, remote: str, branch: str, *, sha: str, contains: ContainmentCheck
    ) -> None:
        self._git, self._remote, self._branch = git, remote, branch
        self._sha, self._contains = sha, contains
        self._known: dict[str, MirrorTip] = {}

    def poll(self) -> Poll[MirrorTip]:
        """Return the branch's commit at the mirror; NotFound if it does not have the branch."""
        answer = self._git.remotes.ls_remote_as_written(self._remote, self._branch)
        if not isinstance(answer, Found):
            return answer
        tip = self._known.get(answer.value) or self._compare(answer.value)
        if tip.containment.is_known:
            self._known[tip.sha] = tip
        return Found(tip)

    def _compare(self, tip: str) -> MirrorTip:
        if tip == self._sha:
            return MirrorTip(tip, Containment.CONTAINS)
        found = self._contains(newer=tip, ours=self._sha)
        is_older = found is Containment.NOT_CONTAINED and self._git.history.is_ancestor(older=tip, newer=self._sha)
        return MirrorTip(tip, found, self._git.history.commits_ahead(of=tip, sha=self._sha) if is_older else None)
