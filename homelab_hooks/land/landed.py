"""The commit that a landing has pushed, for what follows the push."""

from __future__ import annotations

from typing import NamedTuple


class Landed(NamedTuple):
    """A commit that is confirmed to be on the target."""

    sha: str
    branch: str
    """the target branch"""
    remote: str
    push_url: str = ""
    """empty if it was not looked up"""
    before: str = ""
    """the target's commit before the push; empty if unknown"""
    skip_marker: str = ""
    """what in the commit's message makes CI skip it; empty if nothing does"""

    @property
    def pre_push_line(self) -> str:
        """Return what git's pre-push hook reads on its standard input."""
        ref = f"refs/heads/{self.branch}"
        return f"{self.sha} {self.sha} {ref} {self.before or '0' * len(self.sha)}\n"
