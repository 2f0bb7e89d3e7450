"""Values of the CI model that tests share."""

from __future__ import annotations

from homelab_hooks.ci.model import Repo
from homelab_hooks.ci.woodpecker.parse import make_run_ref
from homelab_hooks.ci.woodpecker.traits import DECIDING_EVENTS
from homelab_hooks.watch.state import WatchScope

APP = Repo(8, "acme/app")
run_ref = make_run_ref


def scope_of(sha: str, *, events: frozenset[str] = frozenset(DECIDING_EVENTS), ref: str = "") -> WatchScope:
    """The scope of a watch in which the usual events decide."""
    return WatchScope(sha=sha, events=events, ref=ref)
