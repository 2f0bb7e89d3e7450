"""Identifies what a watch follows: the server, the repository, the links, and the settings that change the verdict."""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

from homelab_hooks.config.image_proof import ImageProof
from homelab_hooks.config.resolve import Config
from homelab_hooks.follow.choice import FollowChoice, choose_links

_DECIDING_SETTINGS = ("workflow", "superseded", "image_proof", "forge_url")
"""settings by which the same links can end differently"""


class ChainKey(NamedTuple):
    """What a watch follows, without secrets: a live URL's query is not part of its link's name."""

    server: str = ""
    """the origin of the CI server; empty if none is set"""
    repo: str = ""
    """OWNER/NAME from a setting; empty: that of the remote"""
    links: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    """each as name=value"""

    @property
    def scope(self) -> str:
        """Return a short text that is the same for equal keys, and hardly ever for others.

        >>> ChainKey(links=("ci",)).scope == ChainKey(links=("ci", "deploy:web/shop")).scope
        False
        """
        return f"{zlib.crc32(repr(tuple(self)).encode('utf-8', 'surrogatepass')):08x}"

    @classmethod
    def from_json(cls, raw: Any) -> ChainKey:
        """Return the key from its fields in JSON. Raises TypeError if they are not those of a key."""
        links, settings = raw.get("links", []), raw.get("settings", [])
        server, repo = raw.get("server", ""), raw.get("repo", "")
        if not (isinstance(links, list) and isinstance(settings, list)):
            raise TypeError("not a chain")
        if not all(isinstance(text, str) for text in (server, repo, *links, *settings)):
            raise TypeError("not a chain")
        return cls(server, repo, tuple(links), tuple(settings))


UNKNOWN_CHAIN = ChainKey()
"""of a record without a chain: no caller follows nothing, so it matches none"""


def describe_chain(config: Config, *, deploying: bool) -> ChainKey:
    """Return the key of the chain that these settings describe.

    Args:
        deploying: False with --no-deploy.
    """
    given = config.source("deploy").startswith("option")
    choice = FollowChoice(follow=config.follow, deploy=config.deploy, deploy_given=given, deploying=deploying)
    values = {name: getattr(config, name, None) for name in _DECIDING_SETTINGS}
    return ChainKey(
        server=config.server.origin if config.server else "",
        repo=config.repo,
        links=tuple(link.name for link in choose_links(choice)),
        settings=tuple(f"{name}={_format(value)}" for name, value in values.items() if value),
    )


def _format(value: object) -> str:
    if isinstance(value, ImageProof):  # its text is without a URL's query
        return str(value)
    return " ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
