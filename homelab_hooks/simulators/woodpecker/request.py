"""Requests and responses of the simulated Woodpecker, and its access checks."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from homelab_hooks.simulators.woodpecker import json_v3 as shape
from homelab_hooks.simulators.woodpecker.store import Permission, PipelineStore, SimulatedRepo, SimulatedUser

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"
HTML_TYPE = "text/html; charset=UTF-8"
WEB_UI_PAGE = b"<!doctype html>\n<html lang='en'><head><title>Woodpecker</title></head><body></body></html>\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingRequest:
    """A request; `t`: the time that the response reflects, in server seconds."""

    method: str
    path: str
    t: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def query(self) -> dict[str, str]:
        """Return the query parameters; the first one if a name is repeated."""
        return {
            key: values[0]
            for key, values in urllib.parse.parse_qs(
                urllib.parse.urlsplit(self.path).query, keep_blank_values=True
            ).items()
        }

    @property
    def token(self) -> str:
        """Return the token, from the header or the query (shared/token/token.go); `Bearer` is case-sensitive."""
        header = self.headers.get("authorization")
        if header is not None:
            return header.removeprefix("Bearer ") if header.startswith("Bearer ") else ""
        return self.query.get("access_token", "")


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """A response before it is encoded."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    without_common_headers: bool = False
    """without Woodpecker's own headers, as in responses of its router"""


PathParams = Mapping[str, str]
NOT_AUTHORIZED_BODY = b"User not authorized"


def make_json_answer(value: Any) -> ApiAnswer:
    """Return a 200 response with JSON."""
    return ApiAnswer(200, shape.encode_json(value), JSON_TYPE)


def find_user(store: PipelineStore, request: IncomingRequest) -> SimulatedUser | None:
    """Return the user of the token; None without a token or for an invalid one."""
    return next((user for user in store.users if user.token and user.token == request.token), None)


def find_repo(store: PipelineStore, params: PathParams) -> SimulatedRepo | None:
    """Return the repository of the ID in the path; None if there is none."""
    return next((repo for repo in store.repositories if str(repo.id) == params["repo"]), None)


def find_refusal(
    store: PipelineStore, request: IncomingRequest, repo: SimulatedRepo | None, required: Permission
) -> ApiAnswer | None:
    """Return the error response if the permission is missing, or None (middleware/session).

    An empty 401 without a user, an empty 404 with one, and a 403 with a message if only an admin is allowed.
    """
    user = find_user(store, request)
    granted = Permission.NONE if repo is None else store.permission_of(repo, user)
    if user is None:
        return ApiAnswer(401) if granted < required else None
    if required is Permission.ADMIN and Permission.PULL <= granted < required and not user.admin:
        return ApiAnswer(403, NOT_AUTHORIZED_BODY, TEXT_TYPE)
    return ApiAnswer(404) if granted < min(required, Permission.PUSH) else None
