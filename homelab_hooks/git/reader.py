"""The verbs that only look: all that a watch needs, and quicker to start."""

from __future__ import annotations

from homelab_hooks.git.history import History
from homelab_hooks.git.location import Location
from homelab_hooks.git.remotes import Remotes


class Reader(Location, Remotes, History):
    """Git in one directory, of which nothing is changed."""
