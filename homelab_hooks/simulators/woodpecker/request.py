"""A request to the Woodpecker stand-in, an answer of it, and who may see what."""

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
    """A request; `t` is the moment it is answered for, in the server's seconds."""

    method: str
    path: str
    t: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def query(self) -> dict[str, str]:
        """The query, the first of each name."""
        return {
            key: values[0]
            for key, values in urllib.parse.parse_qs(
                urllib.parse.urlsplit(self.path).query, keep_blank_values=True
            ).items()
        }

    @property
    def token(self) -> str:
        """The token that counts (shared/token/token.go); the word `Bearer` is case-sensitive."""
        header = self.headers.get("authorization")
        if header is not None:
            return header.removeprefix("Bearer ") if header.startswith("Bearer ") else ""
        return self.query.get("access_token", "")


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """An answer before it goes on the wire."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    without_common_headers: bool = False
    """without Woodpecker's own headers: the router answered before it"""


PathParams = Mapping[str, str]
NOT_AUTHORIZED_BODY = b"User not authorized"


def make_json_answer(value: Any) -> ApiAnswer:
    """200 with JSON."""
    return ApiAnswer(200, shape.encode_json(value), JSON_TYPE)


def find_user(store: PipelineStore, request: IncomingRequest) -> SimulatedUser | None:
    """Whose token it is; a bad one is nobody's, silently."""
    return next((user for user in store.users if user.token and user.token == request.token), None)


def find_repo(store: PipelineStore, params: PathParams) -> SimulatedRepo | None:
    """The repository of a path's id."""
    return next((repo for repo in store.repositories if str(repo.id) == params["repo"]), None)


def find_refusal(
    store: PipelineStore, request: IncomingRequest, repo: SimulatedRepo | None, required: Permission
) -> ApiAnswer | None:
    """404 for a user, 401 for nobody, both empty; 403 in words where only the admin may (middleware/session)."""
    user = find_user(store, request)
    granted = Permission.NONE if repo is None else store.permission_of(repo, user)
    if user is None:
        return ApiAnswer(401) if granted < required else None
    if required is Permission.ADMIN and Permission.PULL <= granted < required and not user.admin:
        return ApiAnswer(403, NOT_AUTHORIZED_BODY, TEXT_TYPE)
    return ApiAnswer(404) if granted < min(required, Permission.PUSH) else None
