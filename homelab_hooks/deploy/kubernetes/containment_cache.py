"""Remembers how the commits that a cluster names relate to the expected one."""

from __future__ import annotations

from collections.abc import Iterable

from homelab_hooks.git.containment import Containment, ContainmentCheck


class ContainmentCache:
    """Asks git once for each pair of commits; a commit that is not known yet is queried again."""

    def __init__(self, contains: ContainmentCheck) -> None:
        self._contains = contains
        self._known: dict[tuple[str, str], Containment] = {}

    def compare(self, names: Iterable[str], sha: str) -> dict[str, Containment]:
        """Return, for each commit that was ever compared with this one, whether it contains it."""
        for name in names:
            if not self._known.get((name, sha), Containment.UNKNOWN).is_known:
                self._known[name, sha] = self._contains(newer=name, ours=sha)
        return {name: known for (name, compared), known in self._known.items() if compared == sha}
