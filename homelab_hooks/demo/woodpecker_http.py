"""A request to the Woodpecker stand-in, an answer of it, and who may see what."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from homelab_hooks.demo import woodpecker_json as shape
from homelab_hooks.demo.woodpecker_book import Book, Repository, Right, User

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=UTF-8"
WEB_PAGE = b"<!doctype html>\n<html lang='en'><head><title>Woodpecker</title></head><body></body></html>\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
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
class Answer:
    """An answer before it goes on the wire."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    bare: bool = False
    """without Woodpecker's own headers: the router answered before it"""


Found = Mapping[str, str]
NOT_AUTHORIZED = b"User not authorized"


def ok(value: Any) -> Answer:
    """200 with JSON."""
    return Answer(200, shape.dump(value), JSON)


def user_of(book: Book, asked: Asked) -> User | None:
    """Whose token it is; a bad one is nobody's, silently."""
    return next((user for user in book.users if user.token and user.token == asked.token), None)


def repo_of(book: Book, found: Found) -> Repository | None:
    """The repository of a path's id."""
    return next((repo for repo in book.repositories if str(repo.id) == found["repo"]), None)


def refusal(book: Book, asked: Asked, repo: Repository | None, need: Right) -> Answer | None:
    """404 for a user, 401 for nobody, both empty; 403 in words where only the admin may (middleware/session)."""
    user = user_of(book, asked)
    has = Right.NONE if repo is None else book.right(repo, user)
    if user is None:
        return Answer(401) if has < need else None
    if need is Right.ADMIN and Right.PULL <= has < need and not user.admin:
        return Answer(403, NOT_AUTHORIZED, TEXT)
    return Answer(404) if has < min(need, Right.PUSH) else None
