"""Builds the links that ask a forge: Actions and commit statuses."""

from __future__ import annotations

from homelab_hooks.app.link_setup import ChainContext
from homelab_hooks.config.link_spec import LinkSpec
from homelab_hooks.errors import CommandError
from homelab_hooks.follow.link import Link


def build_forge_link(spec: LinkSpec, context: ChainContext) -> Link:
    """Return the link."""
    del context
    raise CommandError(f"{spec.name}: this link is not available yet")
