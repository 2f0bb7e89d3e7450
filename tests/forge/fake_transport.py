"""A transport that answers from a table, and keeps every request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from homelab_hooks.forge.connection import Authorization, ForgeConnection
from homelab_hooks.net.message import HttpRequest, HttpResponse, RequestFailed

DATE = "Mon, 30 Nov 2026 12:00:00 GMT"
DATE_S = 1796040000
Answer = HttpResponse | RequestFailed | Callable[[HttpRequest], HttpResponse | RequestFailed]


def reply(status: int, body: Any = None, **headers: str) -> HttpResponse:
    """A response; header names with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = {"content-type": "application/json"}
    content = b"" if body is None else json.dumps(body).encode()
    return HttpResponse(status, {"date": DATE, **kind, **named}, content, 0.1)


@dataclass
class FakeTransport:
    """Answers by method and path; every other request is a 404."""

    answers: Mapping[str, Answer] = field(default_factory=dict)
    requests: list[HttpRequest] = field(default_factory=list)

    def send(self, request: HttpRequest, *, timeout: float, max_bytes: int) -> HttpResponse | RequestFailed:
        del timeout, max_bytes
        self.requests.append(request)
        found = self.answers.get(f"{request.method} {request.path}", reply(404, {"message": "not found"}))
        return found(request) if callable(found) else found

    @property
    def lines(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.requests]

    def connect(self, api_path: str = "/api/v1", name: str = "Gitea at https://git.example.test") -> ForgeConnection:
        return ForgeConnection(self, api_path, name, Authorization.from_token("canary", "GITEA_TOKEN"))
