"""Decides which variable's token may be sent to a forge.

A variable does not say which forge issued its token. GH_TOKEN and GITHUB_TOKEN are sent to github.com, the others to
the forge of the remote that a landing pushes to, and all of them to an origin that the user named with a forgeUrl
setting. A forge that was only detected, from the URL of another remote, receives none. No variable is sent to two
origins.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from homelab_hooks.config.remote_forge import ForgeKind

ANY_FORGE_VARIABLE = "HOMELAB_FORGE_TOKEN"
GITHUB_API_ORIGIN = "https://api.github.com"
_VARIABLES_BY_KIND: Mapping[ForgeKind, tuple[str, ...]] = MappingProxyType(
    {
        ForgeKind.FORGEJO: ("FORGEJO_TOKEN",),
        ForgeKind.GITEA: ("GITEA_TOKEN",),
        ForgeKind.GITHUB: ("GH_TOKEN", "GITHUB_TOKEN"),
    }
)
_GITHUB_VARIABLES = _VARIABLES_BY_KIND[ForgeKind.GITHUB]


class TokenDestination(NamedTuple):
    """The origin of a forge's API, and what is known about it."""

    kind: ForgeKind
    origin: str
    is_named: bool = False
    """the user named the origin with a forgeUrl setting"""
    is_landing_remote: bool = False
    """it is the forge of the remote that a landing pushes to"""


class VariableChoice(NamedTuple):
    """The variable whose token is sent; empty if none is."""

    name: str = ""
    withheld: tuple[str, ...] = ()
    """variables that are set, and that may not be sent to this origin"""


def choose_variable(
    destination: TokenDestination,
    environ: Mapping[str, str],
    *,
    origins_by_variable: Mapping[str, str] = MappingProxyType({}),
) -> VariableChoice:
    """Return the variable whose token may be sent to a forge.

    Args:
        environ: the variables of this process.
        origins_by_variable: where each variable's token was sent before.
    """
    names = (ANY_FORGE_VARIABLE, *_VARIABLES_BY_KIND[destination.kind])
    known = [name for name in names if environ.get(name, "").strip()]
    allowed = [
        name
        for name in known
        if _is_allowed(name, destination) and origins_by_variable.get(name, destination.origin) == destination.origin
    ]
    withheld = tuple(name for name in known if name not in allowed)
    return VariableChoice(allowed[0] if allowed else "", withheld)


def _is_allowed(name: str, destination: TokenDestination) -> bool:
    if destination.is_named:
        return True
    if name in _GITHUB_VARIABLES:
        return destination.origin == GITHUB_API_ORIGIN
    return destination.is_landing_remote
