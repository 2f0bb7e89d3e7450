"""Classifies Woodpecker's responses: every response becomes Found, Unavailable or Denied."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

from homelab_hooks.ci.woodpecker.traits import TOKEN_PAGE
from homelab_hooks.net.message import REDIRECT_STATUSES, HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, Poll, Unavailable
from homelab_hooks.text.durations import MAX_DURATION_S
from homelab_hooks.text.json_fields import UnexpectedShape
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

T = TypeVar("T")

SLOW_REFUSAL_S = 4.0
"""seconds from which a 401 may be due to a locked database (measured: 5, 10 and 15 s; a real one takes milliseconds)"""

_VERSION_HEADER = "x-woodpecker-version"
_JSON_ERRORS = (ValueError, RecursionError)


def read_response(
    response: HttpResponse | RequestFailed,
    parse: Callable[[object], T],
    *,
    subject: str,
    token_source: str,
    server_url: str = "CI",
) -> Poll[T]:
    """Return the result of a request.

    Args:
        parse: reads the JSON; raises UnexpectedShape if it has another shape.
        subject: what was requested, for the message about a 404: "repository acme/app".
        token_source: where the token came from, for the message about a 401; never its value.
        server_url: the address of the server, for messages.
    """
    if isinstance(response, RequestFailed):
        return _on_failure(response)
    if response.status == HTTPStatus.OK:
        return _parse_body(response, parse)
    if response.status in REDIRECT_STATUSES:
        return _on_redirect(response)
    return _denied(response, subject, token_source, server_url) or Unavailable(
        f"the server answered {response.status}{_short_body(response)}",
        FailureKind.STATUS,
        retry_after=_retry_after(response),
    )


def _denied(response: HttpResponse, subject: str, token_source: str, server_url: str) -> Denied | None:
    """Return Denied for a refusal by Woodpecker itself; a 403 or 404 from a proxy in front of it is not one."""
    from_woodpecker = _VERSION_HEADER in response.headers
    if response.status == HTTPStatus.UNAUTHORIZED:
        hint = f"set WOODPECKER_TOKEN to a token from {server_url}{TOKEN_PAGE}, or renew it where it is stored"
        return Denied(
            f"CI refused the token from {token_source}", hint=hint, slow=response.duration_s >= SLOW_REFUSAL_S
        )
    if response.status == HTTPStatus.FORBIDDEN and from_woodpecker:
        return Denied(
            f"CI denies this to the owner of the token from {token_source}",
            hint="ask for push access to the repository",
        )
    if response.status == HTTPStatus.NOT_FOUND and (from_woodpecker or not response.body):
        return Denied(f"CI does not know {subject}, or the token may not see it", hint=_UNKNOWN_REPO_HINT)
    return None


_UNKNOWN_REPO_HINT = "activate it in Woodpecker, or name it with --repo OWNER/NAME (homelab.ciRepo)"


def _on_failure(failure: RequestFailed) -> Unavailable | Denied:
    if failure.bad_certificate:
        hint = "set the CA with --ca-file (homelab.ciCaFile), or check --server and --dial; the token was not sent"
        return Denied(failure.reason, hint=hint, final=True)
    return Unavailable(strip_control_chars(failure.reason), failure.kind)


def _parse_body(response: HttpResponse, parse: Callable[[object], T]) -> Poll[T]:
    if response.is_html:
        return Unavailable("the server returned a web page instead of an API response", FailureKind.FOREIGN)
    if not response.body.strip():
        return Unavailable("the response is empty", FailureKind.BODY)
    try:
        return Found(parse(json.loads(response.body)))
    except UnexpectedShape as error:
        return Unavailable(f"unexpected response: {error}", FailureKind.BODY)
    except _JSON_ERRORS:
        start = response.body.lstrip()[:1]
        if start == b"<":
            return Unavailable("the server returned a web page instead of an API response", FailureKind.FOREIGN)
        return Unavailable("the response is not JSON or is incomplete", FailureKind.BODY)


def _on_redirect(response: HttpResponse) -> Unavailable:
    try:
        place = urlsplit(response.headers.get("location", ""))
    except ValueError:
        place = urlsplit("")
    where = strip_control_chars(f"{place.scheme}://{place.hostname}" if place.hostname else place.path or "nowhere")
    return Unavailable(f"the server redirects to {where}, where the token is not sent", FailureKind.FOREIGN)


def _retry_after(response: HttpResponse) -> float | None:
    """Return the seconds of Retry-After; a date counts from the response's own Date."""
    text = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        seconds = (until - parsedate_to_datetime(response.headers["date"])).total_seconds()
        return min(max(0.0, seconds), MAX_DURATION_S)
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _short_body(response: HttpResponse) -> str:
    """Return the beginning of a plain text body: proxies say there which part failed."""
    if response.is_html or not response.body or len(response.body) > 500:  # noqa: PLR2004 - longer than a sentence
        return ""
    text = strip_control_chars(response.body.decode("utf-8", "replace"))
    return f" ({truncate_text(text, 80)})" if text else ""
