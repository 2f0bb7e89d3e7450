"""The routes of the simulated Woodpecker: method and path of each endpoint."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from homelab_hooks.simulators.woodpecker import actions as acts, reads
from homelab_hooks.simulators.woodpecker.request import HTML_TYPE, WEB_UI_PAGE, ApiAnswer, IncomingRequest, PathParams
from homelab_hooks.simulators.woodpecker.store import PipelineStore

RouteHandler = Callable[[PipelineStore, IncomingRequest, PathParams], ApiAnswer]

_REPO = r"/api/repos/(?P<repo>[^/]+)"
_PIPELINE = _REPO + r"/pipelines/(?P<number>[^/]+)"

ROUTES: tuple[tuple[str, re.Pattern[str], RouteHandler], ...] = tuple(
    (method, re.compile(pattern), handler)
    for method, pattern, handler in (
        ("GET", r"/version", reads.get_version),
        ("GET", r"/healthz", reads.get_health),
        ("GET", r"/api/user", reads.get_user),
        ("GET", r"/api/user/feed", reads.get_feed),
        ("GET", r"/api/queue/info", reads.get_queue_info),
        ("GET", r"/api/repos/lookup/(?P<name>.+)", reads.look_up_repo),
        ("GET", _REPO, reads.get_repo),
        ("GET", _REPO + r"/permissions", reads.get_permissions),
        ("GET", _REPO + r"/pipelines", reads.list_pipelines),
        ("GET", _PIPELINE, reads.get_pipeline),
        ("GET", _REPO + r"/logs/(?P<number>[^/]+)/(?P<step>[^/]+)", reads.get_log),
        ("POST", _REPO + r"/pipelines", acts.start_manual_pipeline),
        ("POST", _PIPELINE, acts.restart_pipeline),
        ("POST", _PIPELINE + r"/cancel", acts.cancel_pipeline),
        ("POST", _PIPELINE + r"/approve", acts.approve_pipeline),
        ("POST", _PIPELINE + r"/decline", acts.decline_pipeline),
        ("DELETE", _PIPELINE, acts.delete_pipeline),
    )
)


def route_request(store: PipelineStore, request: IncomingRequest) -> ApiAnswer:
    """Return the response to a request; a path without a route gets the web UI page, for any method."""
    path = urlsplit(request.path).path
    if request.method == "OPTIONS":
        return ApiAnswer(200, b"", "application/json", without_common_headers=True)
    for method, pattern, handler in ROUTES:
        match = pattern.fullmatch(path)
        if match and method == request.method:
            return handler(store, request, match.groupdict())
    trimmed = path.rstrip("/")
    if trimmed != path and any(m == request.method and p.fullmatch(trimmed) for m, p, _ in ROUTES):
        page = f'<a href="{trimmed}">Moved Permanently</a>.\n\n'.encode()
        moved = 301 if request.method == "GET" else 307
        return ApiAnswer(moved, page, "text/html; charset=utf-8", (("Location", trimmed),), without_common_headers=True)
    return ApiAnswer(200, WEB_UI_PAGE, HTML_TYPE)
