"""An HTTP connection to a forge's API, authenticated with a token or with git's credentials."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, TypeVar

from homelab_hooks.forge.responses import ADMINISTRATOR_WORDS, RequestContext, read_forge_response
from homelab_hooks.net.message import HttpRequest, HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import Poll

T = TypeVar("T")
MAX_BODY_BYTES = 4 * 1024 * 1024
"""bytes of one response; GitHub's largest webhook payload has 25 MB, but that of a push lists at most 2048 commits"""


class ForgeTransport(Protocol):
    """Sends requests to one server, and follows no redirect."""

    def send(self, request: HttpRequest, *, timeout: float, max_bytes: int) -> HttpResponse | RequestFailed:
        """Send a request and return the response, or why there is none within `timeout` seconds."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """The value of the Authorization header, and where the credential comes from. The value is never displayed."""

    value: str = field(repr=False)
    source: str

    @classmethod
    def from_token(cls, token: str, source: str) -> Authorization:
        """Return the header for a token; Gitea, Forgejo, and GitHub accept it as a bearer token."""
        return cls(f"Bearer {token}", source)

    @classmethod
    def from_password(cls, user: str, password: str, source: str) -> Authorization:
        """Return the header for git's credentials; a token in place of the password works too (forge recording 01)."""
        pair = f"{user}:{password}".encode()
        return cls(f"Basic {base64.b64encode(pair).decode()}", source)


@dataclass(frozen=True, slots=True)
class ForgeConnection:
    """A forge's API.

    Attributes:
        transport: connected to the origin of the API.
        api_path: what the paths of all requests begin with, such as /api/v1.
        name: the forge in messages, such as "Forgejo at https://git.example.test".
        headers: sent with every request.
        needed_token: which token the requests of this connection need, for hints.
        authorization: sent with every request; without a value, nothing is.
    """

    transport: ForgeTransport
    api_path: str
    name: str
    authorization: Authorization
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    needed_token: str = ADMINISTRATOR_WORDS

    def get(self, path: str, parse: Callable[[object], T], subject: str, *, within: float) -> Poll[T]:
        """Read an object or a list. `subject` names it in messages."""
        return self.read(self.send("GET", path, within=within), parse, subject)

    def read(self, response: HttpResponse | RequestFailed, parse: Callable[[object], T], subject: str) -> Poll[T]:
        """Return the result of a request from its response."""
        return read_forge_response(response, parse, self._context(subject))

    def post(self, path: str, subject: str, *, within: float) -> Poll[None]:
        """Send a request without a body, whose response has none that matters; it is sent once only."""
        return read_forge_response(self.send("POST", path, within=within), None, self._context(subject))

    def send(
        self, method: str, path: str, *, within: float, json_body: Mapping[str, object] | None = None
    ) -> HttpResponse | RequestFailed:
        """Send a request once, and return the response as it is; a redirect is not followed."""
        credential = {"Authorization": self.authorization.value} if self.authorization.value else {}
        kind = {"Content-Type": "application/json"} if json_body is not None else {}
        body = json.dumps(json_body).encode() if json_body is not None else b""
        request = HttpRequest(method, self.api_path + path, body, {**self.headers, **kind, **credential})
        return self.transport.send(request, timeout=within, max_bytes=MAX_BODY_BYTES)

    def _context(self, subject: str) -> RequestContext:
        return RequestContext(subject, self.authorization.source, self.name, self.needed_token)


def read_json(response: HttpResponse) -> object:
    """Return the JSON of a response; None if it is not JSON."""
    try:
        parsed: object = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return parsed
