"""Builds the client for container registries from the settings and the user's docker configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.config.address import Dial, ServerUrl
from homelab_hooks.config.resolve import Config

if TYPE_CHECKING:
    from homelab_hooks.net.http import HttpClient
    from homelab_hooks.registry.client import RegistryClient


def make_registry_client(runtime: Runtime, config: Config) -> RegistryClient:
    """Return a client that reads nothing and sends nothing before the first question."""
    from homelab_hooks.net.http import AddedCaFile, HttpClient, find_proxy, resolve_host
    from homelab_hooks.registry.client import RegistryClient
    from homelab_hooks.registry.credentials import DockerCredentials, list_config_files
    from homelab_hooks.registry.exchange import RegistryHosts

    def connect(server: ServerUrl, dial: Dial | None) -> HttpClient:
        runtime.check_file(config, "forge_ca_file")
        # A cluster's images come from the user's own registry and from public ones.
        own = AddedCaFile(config.forge_ca_file) if config.forge_ca_file else None
        return HttpClient(server, clock=runtime.clock, dial=dial, ca_file=own)

    hosts = RegistryHosts(
        connect=connect,
        resolve=lambda server, within: resolve_host(server.host, server.port, within),
        now=runtime.clock.now,
        connect_to=config.connect_to,
        redact=runtime.redact.add,
        has_proxy=lambda server: find_proxy(server) is not None,
    )
    logins = DockerCredentials(list_config_files(runtime.environ), runtime.process_runner)
    return RegistryClient(hosts, logins, allows_http=config.allows_http)
