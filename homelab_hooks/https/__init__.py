"""The door to the network: one server, its certificate checked, its address pinned, every answer bounded."""

from __future__ import annotations

from homelab_hooks.https.https import MAX_BODY_BYTES, HttpClient, Transport, create_ssl_context, make_requests_session

__all__ = ["MAX_BODY_BYTES", "HttpClient", "Transport", "create_ssl_context", "make_requests_session"]
