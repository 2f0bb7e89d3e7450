"""Connects to the commit statuses of a forge."""

from __future__ import annotations

from homelab_hooks.ci.forge_api import NoRunControl, ReadOnlyAccount
from homelab_hooks.ci.provider import Provider, Traits
from homelab_hooks.ci.status.client import StatusClient


def make_status_provider(client: StatusClient, traits: Traits) -> Provider:
    """Return a provider whose requests all go through one client."""
    return Provider(runs=client, account=ReadOnlyAccount(), logs=client, control=NoRunControl(), traits=traits)
