"""Connects to a Woodpecker server."""

from __future__ import annotations

from collections.abc import Callable

from homelab_hooks.ci.connection import CiServer
from homelab_hooks.ci.model import LogLine, Repo, RunRef, Step
from homelab_hooks.ci.provider import LogStream, Provider, Wakes
from homelab_hooks.ci.woodpecker.client import WoodpeckerClient
from homelab_hooks.ci.woodpecker.traits import WOODPECKER


def connect_woodpecker(server: CiServer) -> Provider:
    """Return a provider for this server; nothing is sent before the first request."""

    def open_stream(repo: Repo) -> Wakes:
        from homelab_hooks.ci.woodpecker.stream import EventStreamListener

        listener = EventStreamListener(server.open_stream_client(), repo, wake=server.wake, now=server.now)
        listener.start()
        return listener

    def open_log_stream(repo: Repo, run: RunRef, step: Step, on_line: Callable[[LogLine], None]) -> LogStream:
        from homelab_hooks.ci.woodpecker.log_stream import LogStreamReader, format_log_path

        reader = LogStreamReader(server.open_stream_client(), format_log_path(repo, run, step), on_line)
        reader.start()
        return reader

    provider = make_provider(WoodpeckerClient(server.connect, server_url=server.url), open_stream)
    return provider._replace(open_log_stream=open_log_stream)


def make_provider(client: WoodpeckerClient, open_stream: Callable[[Repo], Wakes] | None = None) -> Provider:
    """Return a provider whose requests all go through one client."""
    return Provider(
        runs=client, account=client, logs=client, control=client, traits=WOODPECKER, open_stream=open_stream
    )
