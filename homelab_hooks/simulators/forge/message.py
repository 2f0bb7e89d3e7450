"""Requests to the simulated forge, its responses, and who sent a request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from homelab_hooks.simulators.forge.store import ALL_SCOPES, ForgeStore, ForgeUser, SimulatedForgeRepo

JSON_TYPE = "application/json;charset=utf-8"
NOT_FOUND_PAGE = b"404 page not found\n"


class ForgeAnswer(NamedTuple):
    """A response."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    sent_bytes: int | None = None
    """the connection is closed after these bytes; None: the whole response is sent"""


@dataclass(frozen=True)
class ForgeRequest:
    """A request; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def query(self) -> dict[str, str]:
        """Return the last value of each query parameter."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}


class Caller(NamedTuple):
    """Who sent a request, and its scopes; without a user: anonymous."""

    user: ForgeUser | None = None
    scopes: frozenset[str] = ALL_SCOPES

    @property
    def login(self) -> str:
        """Return the login; empty: anonymous."""
        return self.user.login if self.user else ""


RouteHandler = Callable[[ForgeStore, SimulatedForgeRepo, ForgeRequest, str, Caller], ForgeAnswer | None]
"""answers a request about a repository; None: not found"""


def make_json(body: Any, *headers: tuple[str, str]) -> ForgeAnswer:
    """Return a response with JSON."""
    return ForgeAnswer(HTTPStatus.OK, json.dumps(body).encode(), headers=headers)


def make_message(status: int, text: str, base_url: str) -> ForgeAnswer:
    """Return a refusal with its text."""
    return ForgeAnswer(status, json.dumps({"message": text, "url": f"{base_url}/api/swagger"}).encode())


def make_not_found(base_url: str) -> ForgeAnswer:
    """Return the 404 of what does not exist, or may not be seen."""
    body = {"errors": None, "message": "not found", "url": f"{base_url}/api/swagger"}
    return ForgeAnswer(HTTPStatus.NOT_FOUND, json.dumps(body).encode())
