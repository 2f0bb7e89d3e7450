"""Classifies a forge's responses: every response becomes Found, NotFound, Unavailable, or Denied.

Gitea and Forgejo: recordings 01-branch-and-protection and 05-webhook-redelivery. GitHub: its public REST documentation
("Troubleshooting the REST API", "Rate limits for the REST API"), not seen on a real server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar

from homelab_hooks.net.message import REDIRECT_STATUSES, HttpResponse, RequestFailed
from homelab_hooks.net.responder import describe_responder
from homelab_hooks.net.retry_after import parse_retry_after
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, Poll, Unavailable
from homelab_hooks.text.durations import MAX_DURATION_S
from homelab_hooks.text.json_fields import UnexpectedShape
from homelab_hooks.text.sanitize import strip_control_chars, truncate_text

T = TypeVar("T")
_MISSING_SCOPE = re.compile(r"required scope\(s\), required=\[([\w:, -]{1,200})\]")
"""in the 403 of Gitea and Forgejo (recording 01-branch-and-protection)"""
_MAX_MESSAGE_COLUMNS = 160
_ADDRESS_HINT = "set the address with --forge-url, or git config homelab.REMOTE.forgeUrl URL"


ADMINISTRATOR_WORDS = "a token of an administrator of the repository"
"""what a forge requires to show a repository's webhooks"""


class RequestContext(NamedTuple):
    """What a request is about, for messages."""

    subject: str
    """what was requested: "the webhooks of acme/app\""""
    token_source: str
    """where the token came from; never its value"""
    forge_name: str
    needed_token: str = ADMINISTRATOR_WORDS
    """which token would be accepted, for hints"""


def read_forge_response(
    response: HttpResponse | RequestFailed, parse: Callable[[object], T] | None, context: RequestContext
) -> Poll[T]:
    """Return the result of a request.

    Args:
        parse: reads the JSON; raises UnexpectedShape if it has another shape. None: the body does not matter.
    """
    if isinstance(response, RequestFailed):
        return _on_failure(response, context)
    if response.status in REDIRECT_STATUSES:
        reason = f"{context.forge_name} redirects {context.subject}, and a token is not sent along a redirect"
        return Denied(reason, hint="if the repository was renamed, update the remote's URL: git remote set-url")
    if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        return _read_body(response, parse, context)
    if (wait_s := find_rate_limit_wait_s(response)) is not None:
        reason = f"{context.forge_name} limits the rate of requests, for {wait_s:.0f} s more"
        hint = "try again later, or use a token with a higher limit"
        return Unavailable(reason, FailureKind.STATUS, retry_after=wait_s, hint=hint)
    return _find_denial(response, context) or Unavailable(
        f"{context.forge_name} returned {response.status}{_quote_message(response)}",
        FailureKind.STATUS,
        retry_after=parse_retry_after(response.headers),
    )


def find_rate_limit_wait_s(response: HttpResponse) -> float | None:
    """Return the seconds until a rate limit ends; None if the response is not about one.

    429, or GitHub's 403 with Retry-After, or with X-RateLimit-Remaining: 0 and the time of the end in
    X-RateLimit-Reset (docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api).

    >>> find_rate_limit_wait_s(HttpResponse(429, {"retry-after": "7"}, b"", 0.1))
    7.0
    """
    is_spent = response.headers.get("x-ratelimit-remaining", "").strip() == "0"
    after = parse_retry_after(response.headers)
    is_limit = response.status == HTTPStatus.TOO_MANY_REQUESTS
    is_limit |= response.status == HTTPStatus.FORBIDDEN and (is_spent or after is not None)
    if not is_limit:
        return None
    if after is not None:
        return after
    return _seconds_until_reset(response.headers) if is_spent else _DEFAULT_LIMIT_WAIT_S


_DEFAULT_LIMIT_WAIT_S = 60.0
"""seconds to wait if a response names none, as GitHub's documentation asks"""


def _seconds_until_reset(headers: Mapping[str, str]) -> float:
    """Return the seconds until X-RateLimit-Reset, counted from the response's own date."""
    text = headers.get("x-ratelimit-reset", "").strip()
    try:
        date = parsedate_to_datetime(headers["date"])
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
        wait_s = float(text) - date.timestamp() if re.fullmatch(r"[0-9]{1,11}", text) else _DEFAULT_LIMIT_WAIT_S
    except (KeyError, ValueError, TypeError, OverflowError):
        return _DEFAULT_LIMIT_WAIT_S
    return min(max(1.0, wait_s), MAX_DURATION_S)


def _read_body(response: HttpResponse, parse: Callable[[object], T] | None, context: RequestContext) -> Poll[Any]:
    if response.is_html:
        who = describe_responder(response)
        reason = f"{context.forge_name} returned a web page instead of an API response" + (f" ({who})" if who else "")
        return Unavailable(reason, FailureKind.FOREIGN, hint=_ADDRESS_HINT)
    if parse is None:
        return Found(None)
    try:
        return Found(parse(json.loads(response.body)))
    except UnexpectedShape as error:
        return Unavailable(f"unexpected response of {context.forge_name}: {error}", FailureKind.BODY)
    except (ValueError, RecursionError):
        return Unavailable(f"the response of {context.forge_name} is not JSON, or is incomplete", FailureKind.BODY)


def _find_denial(response: HttpResponse, context: RequestContext) -> Denied | None:
    """Return Denied for a refusal: 401 is about the credential, 403 about its rights, 404 about what may be seen."""
    source = context.token_source
    match response.status:
        case HTTPStatus.UNAUTHORIZED:
            return Denied(
                f"{context.forge_name} rejected the credentials from {source}",
                hint="create a token there and set HOMELAB_FORGE_TOKEN, or renew it where it is stored",
            )
        case HTTPStatus.FORBIDDEN:
            return _explain_forbidden(response, context)
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            reason = f"{context.subject} cannot be found on {context.forge_name}, or {source} does not give access"
            return Denied(reason, hint=f"check the remote's URL, and use {context.needed_token}")
        case _:
            return None


def _explain_forbidden(response: HttpResponse, context: RequestContext) -> Denied:
    """Return the refusal, with the scope that the token lacks, if the forge names it."""
    if scope := find_missing_scope(response):
        return Denied(
            f"the token from {context.token_source} lacks the scope {scope} on {context.forge_name}",
            hint=f"create a token with the scope {scope}, and set HOMELAB_FORGE_TOKEN",
        )
    return Denied(
        f"{context.forge_name} refused access to {context.subject}{_quote_message(response)}",
        hint=f"use {context.needed_token}",
    )


def find_missing_scope(response: HttpResponse) -> str:
    """Return the scope that a 403 asks for; empty if it names none, or the token has it.

    GitHub lists the scopes that would do in X-Accepted-OAuth-Scopes and those of a classic token in X-OAuth-Scopes, and
    names the permissions of a fine-grained token in X-Accepted-GitHub-Permissions.

    >>> text = b'{"message": "token does not have at least one of required scope(s), required=[write:repository], ..."}'
    >>> find_missing_scope(HttpResponse(403, {}, text, 0.1))
    'write:repository'
    """
    if found := _MISSING_SCOPE.search(response.body[:2000].decode("utf-8", "replace")):
        return found[1]
    accepted = [scope.strip() for scope in response.headers.get("x-accepted-oauth-scopes", "").split(",")]
    own = {scope.strip() for scope in response.headers.get("x-oauth-scopes", "").split(",")}
    wanted = [scope for scope in accepted if scope]
    if wanted and "x-oauth-scopes" in response.headers and not own & set(wanted):
        return strip_control_chars(" or ".join(wanted))
    return strip_control_chars(response.headers.get("x-accepted-github-permissions", ""))[:200]


def _quote_message(response: HttpResponse) -> str:
    """Return the forge's own message in parentheses; empty if there is none."""
    try:
        found = json.loads(response.body)
        message = found.get("message", "")
    except (ValueError, RecursionError, AttributeError):
        return ""
    text = strip_control_chars(str(message))
    return f" ({truncate_text(text, _MAX_MESSAGE_COLUMNS)})" if text else ""


def _on_failure(failure: RequestFailed, context: RequestContext) -> Unavailable | Denied:
    reason = f"{context.forge_name}: {strip_control_chars(failure.reason)}"
    if failure.certificate_fault:
        hint = "set the CA bundle with git config homelab.caFile; the token was not sent"
        return Denied(reason, hint=hint, final=True)
    return Unavailable(reason, failure.kind, retry_after=failure.retry_after, hint=_ADDRESS_HINT)
