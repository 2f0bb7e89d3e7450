"""The CI providers by name, each with the function that connects to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from homelab_hooks.ci.connection import CiServer
from homelab_hooks.ci.provider import Provider, Traits


def _woodpecker(server: CiServer) -> Provider:
    from homelab_hooks.ci.woodpecker.connect import connect_woodpecker

    return connect_woodpecker(server)


PROVIDERS: Mapping[str, Callable[[CiServer], Provider]] = MappingProxyType({"woodpecker": _woodpecker})
"""imported only when it is used: commands that send no request to CI do not load a provider"""

DEFAULT_PROVIDER = "woodpecker"


def connect_provider(server: CiServer, name: str = DEFAULT_PROVIDER) -> Provider:
    """Return a provider connected to this server. Nothing is sent before the first request."""
    return PROVIDERS[name](server)


def default_traits() -> Traits:
    """Return the facts of the default provider, for commands that need them before there is a server or a token."""
    from homelab_hooks.ci.woodpecker.traits import WOODPECKER

    return WOODPECKER
