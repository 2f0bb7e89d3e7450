"""The Woodpecker stand-in's paths: which request gets which answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from homelab_hooks.demo import woodpecker_acts as acts, woodpecker_reads as reads
from homelab_hooks.demo.woodpecker_book import Book
from homelab_hooks.demo.woodpecker_http import HTML, WEB_PAGE, Answer, Asked, Found

Handler = Callable[[Book, Asked, Found], Answer]

_REPO = r"/api/repos/(?P<repo>[^/]+)"
_ONE = _REPO + r"/pipelines/(?P<number>[^/]+)"

ROUTES: tuple[tuple[str, re.Pattern[str], Handler], ...] = tuple(
    (method, re.compile(pattern), handler)
    for method, pattern, handler in (
        ("GET", r"/version", reads.version),
        ("GET", r"/healthz", reads.healthz),
        ("GET", r"/api/user", reads.user),
        ("GET", r"/api/user/feed", reads.feed),
        ("GET", r"/api/queue/info", reads.queue_info),
        ("GET", r"/api/repos/lookup/(?P<name>.+)", reads.lookup),
        ("GET", _REPO, reads.repo),
        ("GET", _REPO + r"/permissions", reads.permissions),
        ("GET", _REPO + r"/pipelines", reads.listing),
        ("GET", _ONE, reads.detail),
        ("GET", _REPO + r"/logs/(?P<number>[^/]+)/(?P<step>[^/]+)", reads.log),
        ("POST", _REPO + r"/pipelines", acts.manual),
        ("POST", _ONE, acts.restart),
        ("POST", _ONE + r"/cancel", acts.cancel),
        ("POST", _ONE + r"/approve", acts.approve),
        ("POST", _ONE + r"/decline", acts.decline),
        ("DELETE", _ONE, acts.delete),
    )
)


def answer(book: Book, asked: Asked) -> Answer:
    """What the server says. Where there is no route, the web page, whatever the method."""
    path = urlsplit(asked.path).path
    if asked.method == "OPTIONS":
        return Answer(200, b"", "application/json", bare=True)
    for method, pattern, handler in ROUTES:
        match = pattern.fullmatch(path)
        if match and method == asked.method:
            return handler(book, asked, match.groupdict())
    trimmed = path.rstrip("/")
    if trimmed != path and any(m == asked.method and p.fullmatch(trimmed) for m, p, _ in ROUTES):
        page = f'<a href="{trimmed}">Moved Permanently</a>.\n\n'.encode()
        moved = 301 if asked.method == "GET" else 307
        return Answer(moved, page, "text/html; charset=utf-8", (("Location", trimmed),), bare=True)
    return Answer(200, WEB_PAGE, HTML)
