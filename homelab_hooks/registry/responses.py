"""Explains why a registry's response is not an answer: refused, unknown, limited, or no answer at all.

Error bodies: "Error Codes" of the OCI distribution specification, and registry recordings 02-gitea-manifests,
03-gitea-private, 10-distribution-anonymous and 11-distribution-htpasswd.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus

from homelab_hooks.net.message import (
    PROXY_HINTS,
    REDIRECT_STATUSES,
    SERVER_ERRORS,
    TLS_HINTS,
    TRANSIENT_STATUSES,
    FailureCause,
    HttpResponse,
    RequestFailed,
)
from homelab_hooks.net.responder import describe_responder
from homelab_hooks.net.retry_after import parse_retry_after
from homelab_hooks.registry.answer import RegistrySilence
from homelab_hooks.registry.docker_config import LoginProblem, RegistryLogin
from homelab_hooks.registry.reference import ImageReference
from homelab_hooks.text.durations import MAX_DURATION_S
from homelab_hooks.text.json_fields import read_list, read_object, read_text
from homelab_hooks.text.sanitize import strip_control_chars

DEFAULT_RATE_LIMIT_WAIT_S = 60.0
"""seconds without a request after a 429 that names no time"""
_FINAL_CAUSES = frozenset({FailureCause.NO_TLS, FailureCause.NOT_HTTP, *TLS_HINTS})
"""causes that no retry changes"""


def explain_failure(failure: RequestFailed, server: str) -> RegistrySilence:
    """Return why there was no response.

    Args:
        server: the registry, its token service, or its storage, for messages.
    """
    reason = f"{server}: {strip_control_chars(failure.reason)}"
    if failure.certificate_fault:
        hint = "set the CA bundle with git config homelab.caFile; no credentials were sent"
        return RegistrySilence(reason=reason, hint=hint)
    if failure.cause is FailureCause.NO_TLS:
        return RegistrySilence(reason=reason, hint="use a registry with TLS, or see HOMELAB_ALLOW_HTTP")
    hint = (PROXY_HINTS | TLS_HINTS).get(failure.cause, "") if failure.cause else ""
    is_passing = failure.cause not in _FINAL_CAUSES
    return RegistrySilence(reason=reason, hint=hint, passing=is_passing, retry_after_s=failure.retry_after)


def explain_refusal(image: ImageReference, login: RegistryLogin | LoginProblem | None) -> RegistrySilence:
    """Return that a registry or its token service refuses access."""
    if isinstance(login, RegistryLogin):
        reason = f"the registry {image.host} refused access to {image.repository} with the credentials"
        hint = f"check that they may pull {image.repository}, or run {image.login_command} again"
        return RegistrySilence(reason=f"{reason} from {login.source}", hint=hint)
    reason = f"the registry {image.host} refused access to {image.repository} without credentials"
    if login is not None:
        reason += f" ({login.reason})"
    return RegistrySilence(reason=reason, hint=f"run {image.login_command}")


def explain_status(response: HttpResponse, server: str, subject: str) -> RegistrySilence:
    """Return why a response with a status other than 2xx, 401, and 403 is not an answer.

    Args:
        server: what responded, for messages.
        subject: what was asked for, such as "acme/app:latest".
    """
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        wait_s = find_rate_limit_wait_s(response.headers)
        reason = f"{server} limits the rate of requests, for {wait_s:.0f} s more"
        hint = "log in to the registry for a higher limit, or try again later"
        return RegistrySilence(reason=reason, hint=hint, passing=True, retry_after_s=wait_s)
    if response.is_html:
        who = describe_responder(response)
        reason = f"{server} returned {response.status} with a web page" + (f" ({who})" if who else "")
        is_passing = response.status in SERVER_ERRORS
        return RegistrySilence(reason=reason, hint="check the name of the registry in the image", passing=is_passing)
    if response.status in SERVER_ERRORS or response.status in TRANSIENT_STATUSES:
        after_s = parse_retry_after(response.headers)
        return RegistrySilence(reason=f"{server} returned {response.status}", passing=True, retry_after_s=after_s)
    if response.status in REDIRECT_STATUSES:
        return RegistrySilence(reason=f"{server} redirects {subject}, which is not followed")
    if response.status == HTTPStatus.NOT_FOUND:
        code = find_error_code(response.body)
        return RegistrySilence(reason=f"{server} does not know {subject}" + (f" ({code})" if code else ""))
    return RegistrySilence(reason=f"{server} returned {response.status} for {subject}")


def find_error_code(body: bytes) -> str:
    """Return the code in a registry's error; empty if there is none.

    >>> find_error_code(b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":""}]}')
    'MANIFEST_UNKNOWN'
    """
    try:
        errors = read_list(read_object(json.loads(body)).get("errors"), read_object)
        code = read_text(errors[0], "code") if errors else ""
    except (ValueError, RecursionError):
        return ""
    return code if re.fullmatch(r"[A-Z_]{1,40}", code) else ""


def find_rate_limit_wait_s(headers: Mapping[str, str]) -> float:
    """Return the seconds until a rate limit ends: Retry-After, else RateLimit-Reset (seconds), else a minute.

    Source: the Internet-Draft "RateLimit header fields for HTTP"; docker's documentation of Docker Hub's limits.

    >>> find_rate_limit_wait_s({"ratelimit-reset": "30"}), find_rate_limit_wait_s({})
    (30.0, 60.0)
    """
    after_s = parse_retry_after(headers)
    if after_s is None:
        text = headers.get("ratelimit-reset", "").strip()
        after_s = float(text) if re.fullmatch(r"[0-9]{1,6}", text) else DEFAULT_RATE_LIMIT_WAIT_S
    return min(max(1.0, after_s), MAX_DURATION_S)
