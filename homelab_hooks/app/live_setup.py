"""Builds what asks a running service for its commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.config.address import ServerUrl, find_dial
from homelab_hooks.config.link_spec import LiveTarget
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.git.containment import Containment
from homelab_hooks.text.url_secrets import HIDDEN_QUERY

if TYPE_CHECKING:
    from homelab_hooks.follow.live_source import LiveHttpSource
    from homelab_hooks.net.http import HttpClient


def require_query(target: LiveTarget | None, where: str) -> None:
    """Raise CommandError (usage) for a live URL whose query is the placeholder of a printed command.

    Args:
        where: the link or the image proof, for the message.
    """
    if target is not None and target.has_hidden_query:
        raise CommandError(
            f"{where}: the query of the URL is not known, because homelab does not print or save it",
            hint=f"replace {HIDDEN_QUERY} with the query, or set the link or the image proof with git config",
        )


def build_live_source(
    target: LiveTarget, sha: str, config: Config, runtime: Runtime, compare: Callable[[str], Containment]
) -> LiveHttpSource:
    """Return the source; its modules are imported only where a service is asked.

    Args:
        sha: the expected commit.
        compare: returns whether the commit with this name contains it.
    """
    from homelab_hooks.follow.live_source import LiveHttpSource
    from homelab_hooks.net.http import HttpClient

    def connect(server: ServerUrl) -> HttpClient:
        dial = find_dial(server.host, config.connect_to)
        return HttpClient(server, clock=runtime.clock, dial=dial, ca_file=config.forge_ca_file)

    return LiveHttpSource(target, sha, connect=connect, compare=compare, now=runtime.clock.now)
