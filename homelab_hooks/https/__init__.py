"""The door to the network: one server, its certificate checked, its address pinned, every answer bounded."""

from __future__ import annotations

from homelab_hooks.https.https import LIMIT, Door, Https, trust, vault_session

__all__ = ["LIMIT", "Door", "Https", "trust", "vault_session"]
