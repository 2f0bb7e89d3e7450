"""Connects to the Actions of a forge."""

from __future__ import annotations

from homelab_hooks.ci.actions.client import ActionsClient
from homelab_hooks.ci.forge_api import NoRunControl, ReadOnlyAccount
from homelab_hooks.ci.provider import Provider, Traits


def make_actions_provider(client: ActionsClient, traits: Traits) -> Provider:
    """Return a provider whose requests all go through one client."""
    return Provider(runs=client, account=ReadOnlyAccount(), logs=client, control=NoRunControl(), traits=traits)
