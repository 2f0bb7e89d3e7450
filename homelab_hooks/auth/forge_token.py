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


def explain_missing_token(
    choice: VariableChoice, destination: TokenDestination, *, forge_name: str, helper_reason: str
) -> tuple[str, str]:
    """Return why there is no token for a forge, and what to do; REMOTE stands for the name of the remote.

    Args:
        choice: without a variable.
        forge_name: as in messages: "Forgejo at https://git.example.test".
        helper_reason: why git's credential helpers have none.
    """
    own = " nor ".join((ANY_FORGE_VARIABLE, *_VARIABLES_BY_KIND[destination.kind]))
    if choice.withheld:
        names = " and ".join(choice.withheld)
        reason = f"{names} may be of another forge, and is sent only to a forge that you name"
        hint = "if the token is of this forge, name the forge: git config homelab.REMOTE.forgeUrl URL"
    else:
        reason = f"neither {own} is set"
        variable = _VARIABLES_BY_KIND[destination.kind][0]
        scope = "admin:repo_hook" if destination.kind is ForgeKind.GITHUB else "write:repository"
        hint = f"create a token with the scope {scope} there, and set {variable}"
    return f"no token for {forge_name}: {reason}; git's credential helpers: {helper_reason}", hint
