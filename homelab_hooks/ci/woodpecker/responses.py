"""Classifies Woodpecker's responses: every response becomes Found, Unavailable, or Denied."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

from homelab_hooks.ci.failure_remedy import FAILURE_REMEDIES, get_failure_remedy
from homelab_hooks.ci.woodpecker.traits import TOKEN_PAGE, VERSION_HEADER
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import (
    REDIRECT_STATUSES,
    SERVER_ERRORS,
    TRANSIENT_STATUSES,
    FailureCause,
    HttpResponse,
    RequestFailed,
)
from homelab_hooks.net.responder import MAX_TITLE_SEARCH_BYTES, describe_responder, is_bot_check
from homelab_hooks.net.retry_after import parse_retry_after
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, Poll, Unavailable
from homelab_hooks.text.json_fields import UnexpectedShape
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

T = TypeVar("T")

SLOW_REFUSAL_S = 4.0
"""seconds from which a 401 may be due to a locked database (5, 10 and 15 s in recording 19-database-locked)"""
_ADDRESS_HINT = (
    "check --server (homelab.ciServer): it must be the address of Woodpecker, not of the forge or another server"
)
_LOGIN_HINT = (
    "check --server (homelab.ciServer), and exempt /api and /healthz from the login or bot check in front of it"
)
_LOCATION = re.compile(r"[\w%.~:/?#\[\]@!$&'()*+,;=-]+")
"""the characters of a URL (RFC 3986), and letters that are not ASCII"""
MAX_LOCATION_COLUMNS = 80
MAX_SHOWN_WAIT_S = 86400.0
"""seconds of the longest Retry-After that is worth a hint; a longer one is a mistake of a proxy"""
_TLS_PORT_PAGE = re.compile(rb"plain HTTP (?:request was sent )?to (?:an SSL-enabled|HTTPS)|HTTP request to an HTTPS")
"""what nginx, Apache, and Go's servers respond to a request without TLS"""
_START_REFUSALS = frozenset(range(400, 500)) - {408}
"""408 (Request Timeout) may be a proxy's, which did not wait for the response to the start"""
_FILTERED_HEADER = "pipeline-filtered"
_NOT_CANCELLABLE = b"Cannot cancel a non-running"
"""how the response to a cancel begins if the status allows none (recording 07b-cancel-race)"""
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
    if response.status in REDIRECT_STATUSES:
        return _on_redirect(response)
    poll = _read_status(response, parse, subject, token_source, server_url)
    is_settled = isinstance(poll, Found) or (isinstance(poll, Unavailable) and poll.kind is FailureKind.FOREIGN)
    return poll if is_settled or not _is_foreign(response) else describe_foreign(response)


def _read_status(
    response: HttpResponse, parse: Callable[[object], T], subject: str, token_source: str, server_url: str
) -> Poll[T]:
    if response.status == HTTPStatus.OK:
        return _parse_body(response, parse)
    return _denied(response, subject, token_source, server_url) or Unavailable(
        f"the server returned {response.status}{_short_body(response)}",
        FailureKind.STATUS,
        retry_after=parse_retry_after(response.headers),
    )


def is_unmarked(response: HttpResponse) -> bool:
    """Return whether a response lacks the header that Woodpecker adds to all its responses, including its router's.

    Without it, a 401, 403, or 404 comes from a proxy, a forge, or a portal, and proves nothing about the token.
    """
    return VERSION_HEADER not in response.headers


def mark_as_own(response: HttpResponse) -> HttpResponse:
    """Return a response as if it had Woodpecker's header, for a proxy that is known to remove it."""
    return response._replace(headers={**response.headers, VERSION_HEADER: ""})


def _is_foreign(response: HttpResponse) -> bool:
    """Return whether an unusable response is another server's; unknown for a proxy whose server is down."""
    if is_bot_check(response):
        return True
    transient = response.status in TRANSIENT_STATUSES or response.status in SERVER_ERRORS
    return is_unmarked(response) and not transient


def is_filtered(response: HttpResponse | RequestFailed) -> bool:
    """Return whether the server started nothing, because no workflow's conditions match."""
    return (
        isinstance(response, HttpResponse)
        and response.status == HTTPStatus.NO_CONTENT
        and response.headers.get(_FILTERED_HEADER, "").lower() == "true"
    )


def read_cancellation(response: HttpResponse | RequestFailed) -> bool | None:
    """Return whether a pipeline was cancelled; False if it cannot be cancelled, None if the response shows neither.

    It can be cancelled from `pending` or `blocked` until it ends (recordings 07-cancel and 07b-cancel-race).
    """
    if isinstance(response, RequestFailed) or is_unmarked(response):
        return None
    if response.status == HTTPStatus.NO_CONTENT:
        return True
    return False if response.status == HTTPStatus.BAD_REQUEST and _NOT_CANCELLABLE in response.body else None


def refuse_if_not_started(poll: Poll[T], response: HttpResponse | RequestFailed) -> Poll[T]:
    """Return Denied (refused) if the response to a start shows that nothing was started; otherwise the poll.

    A status 4xx, a redirect, and the page of another server come instead of a start. No response, a 5xx, and a 2xx that
    cannot be read may come although the pipeline was started (recording 10-restart).
    """
    if not isinstance(poll, Unavailable):
        return poll
    is_refused = isinstance(response, HttpResponse) and response.status in _START_REFUSALS
    if not is_refused and poll.kind is not FailureKind.FOREIGN:
        return poll
    is_soon = poll.retry_after and poll.retry_after <= MAX_SHOWN_WAIT_S
    later = f"try again after {poll.retry_after:.0f} s" if is_soon else ""
    return Denied(poll.reason, hint=poll.hint or later, exit=ExitCode.REFUSED)


def _denied(response: HttpResponse, subject: str, token_source: str, server_url: str) -> Denied | None:
    """Return Denied for a refusal, if the response is Woodpecker's own."""
    if response.status == HTTPStatus.UNAUTHORIZED:
        hint = f"set WOODPECKER_TOKEN to a token from {server_url}{TOKEN_PAGE}, or renew it where it is stored"
        return Denied(
            f"CI rejected the token from {token_source}", hint=hint, slow=response.duration_s >= SLOW_REFUSAL_S
        )
    if response.status == HTTPStatus.FORBIDDEN:
        return Denied(
            f"access denied for the owner of the token from {token_source}",
            hint="ask for push access to the repository",
        )
    if response.status == HTTPStatus.NOT_FOUND:
        reason = f"{subject} was not found in CI, or is not visible with this token"
        if subject == USER_SUBJECT:
            reason = "the API was not found in CI at this address"
        return Denied(reason, hint=_not_found_hint(subject))
    return None


def _not_found_hint(subject: str) -> str:
    """Return the hint for a 404: for /api/user, the path is wrong; a pipeline may have been deleted."""
    if subject == USER_SUBJECT:
        return "check the path of --server (homelab.ciServer): /api must be directly below it"
    return UNKNOWN_REPO_HINT if subject.startswith("the repository") else ""


USER_SUBJECT = "the user"
UNKNOWN_REPO_HINT = "activate the repository in Woodpecker, or pass --repo OWNER/NAME (homelab.ciRepo)"


def _on_failure(failure: RequestFailed) -> Unavailable | Denied:
    if failure.certificate_fault:
        return Denied(failure.reason, hint=f"{get_failure_remedy(failure)}; the token was not sent", final=True)
    reason = strip_control_chars(failure.reason)
    return Unavailable(reason, failure.kind, retry_after=failure.retry_after, hint=get_failure_remedy(failure))


def describe_foreign(response: HttpResponse) -> Unavailable:
    """Return what is known about the server that sent a response which is not from Woodpecker."""
    who = describe_responder(response)
    text = f" ({who})" if who else _short_body(response)
    hint = _LOGIN_HINT
    if response.status == HTTPStatus.BAD_REQUEST and _TLS_PORT_PAGE.search(response.body, 0, MAX_TITLE_SEARCH_BYTES):
        hint = FAILURE_REMEDIES[FailureCause.TLS_ONLY]
    elif response.status in (HTTPStatus.OK, HTTPStatus.NOT_FOUND) and not response.is_html:
        hint = _ADDRESS_HINT
    return Unavailable(f"the response {response.status} is not from Woodpecker{text}", FailureKind.FOREIGN, hint=hint)


def _on_web_page(response: HttpResponse) -> Unavailable:
    who = describe_responder(response)
    reason = "the server returned a web page instead of an API response" + (f" ({who})" if who else "")
    return Unavailable(reason, FailureKind.FOREIGN, hint=_LOGIN_HINT)


def _parse_body(response: HttpResponse, parse: Callable[[object], T]) -> Poll[T]:
    if response.is_html:
        return _on_web_page(response)
    if not response.body.strip():
        return Unavailable("the response is empty", FailureKind.BODY)
    try:
        return Found(parse(json.loads(response.body)))
    except UnexpectedShape as error:
        return Unavailable(f"unexpected response: {error}", FailureKind.BODY)
    except _JSON_ERRORS:
        start = response.body.lstrip()[:1]
        if start == b"<":
            return _on_web_page(response)
        return Unavailable("the response is not JSON or is incomplete", FailureKind.BODY)


def _on_redirect(response: HttpResponse) -> Unavailable:
    reason = f"the server redirects to {_describe_location(response)}, where the token is not sent"
    return Unavailable(reason, FailureKind.FOREIGN, hint=_LOGIN_HINT)


def _describe_location(response: HttpResponse) -> str:
    """Return scheme and host of a redirect's Location, or its path; an empty text if it is not a valid URL."""
    location = response.headers.get("location", "")
    try:
        place = urlsplit(location)
        host, _ = place.hostname, place.port  # the port is checked when it is read
    except ValueError:
        return "an invalid address"
    is_web = place.scheme in ("http", "https") if place.scheme else True
    if not (is_web and _LOCATION.fullmatch(location) and (host or not place.netloc)):
        return "an invalid address" if location else "nowhere"
    origin = f"{place.scheme}://{host}" if place.scheme else host
    return truncate_text((origin if host else place.path) or "/", MAX_LOCATION_COLUMNS)


def _short_body(response: HttpResponse) -> str:
    """Return the beginning of a plain text body: proxies name the part that failed."""
    if response.is_html or not response.body or len(response.body) > 500:  # noqa: PLR2004 - longer than a sentence
        return ""
    text = strip_control_chars(response.body.decode("utf-8", "replace"))
    return f" ({truncate_text(text, 80)})" if text else ""
