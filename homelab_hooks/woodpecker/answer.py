"""What an answer of Woodpecker's means: every reply becomes seen, no usable answer, or no."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlsplit

from homelab_hooks.durations import FAR
from homelab_hooks.looks import Denied, Fault, Look, Missed, Seen
from homelab_hooks.reply import NoReply, Reply
from homelab_hooks.text import clean, short
from homelab_hooks.woodpecker.parse import Misshapen

T = TypeVar("T")

SLOW = 4.0
"""seconds from which a 401 may come from a locked database (measured: 5, 10 and 15 s; a true one takes milliseconds)"""
OK, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 200, 401, 403, 404
REDIRECTS = range(300, 400)
_VERSION = "x-woodpecker-version"
_DEPTH_ERRORS = (ValueError, RecursionError)


def read(reply: Reply | NoReply, parse: Callable[[object], T], *, what: str, token: str, web: str = "CI") -> Look[T]:
    """The look that a reply is.

    Args:
        parse: reads the JSON; raises Misshapen where it has another shape.
        what: what was asked for, for the sentence about a 404: "repository acme/app".
        token: where the token came from, for the sentence about a 401; never its value.
        web: where the server is, for people.
    """
    if isinstance(reply, NoReply):
        return _no_reply(reply)
    if reply.status == OK:
        return _body(reply, parse)
    if reply.status in REDIRECTS:
        return _redirect(reply)
    return _refusal(reply, what, token, web) or Missed(
        f"the server answered {reply.status}{_words(reply)}", Fault.STATUS, retry_after=_retry_after(reply)
    )


def _refusal(reply: Reply, what: str, token: str, web: str) -> Denied | None:
    """A "no" of Woodpecker's own; a 403 or 404 of a proxy before it is none."""
    theirs = _VERSION in reply.headers
    if reply.status == UNAUTHORIZED:
        hint = f"give WOODPECKER_TOKEN a token from {web}/user/cli-and-api, or renew it where it is kept"
        return Denied(f"CI refused the token from {token}", hint=hint, slow=reply.took >= SLOW)
    if reply.status == FORBIDDEN and theirs:
        return Denied(f"CI forbids this to the owner of the token from {token}", hint="ask for the right to push there")
    if reply.status == NOT_FOUND and (theirs or not reply.body):
        return Denied(f"CI does not know {what}, or the token may not see it", hint=_NAME)
    return None


_NAME = "activate it in Woodpecker, or name it with --repo OWNER/NAME (homelab.ciRepo)"


def _no_reply(reply: NoReply) -> Missed | Denied:
    if reply.untrusted:
        hint = "give the CA with --ca-file (homelab.ciCaFile), or check --server and --dial; the token was not sent"
        return Denied(reply.reason, hint=hint, final=True)
    return Missed(clean(reply.reason), reply.fault)


def _body(reply: Reply, parse: Callable[[object], T]) -> Look[T]:
    if reply.html:
        return Missed("a web page came back instead of an API answer", Fault.WEB_PAGE)
    if not reply.body.strip():
        return Missed("the answer was empty", Fault.BODY)
    try:
        return Seen(parse(json.loads(reply.body)))
    except Misshapen as error:
        return Missed(f"the answer has the wrong shape: {error}", Fault.BODY)
    except _DEPTH_ERRORS:
        start = reply.body.lstrip()[:1]
        if start == b"<":
            return Missed("a web page came back instead of an API answer", Fault.WEB_PAGE)
        return Missed("the answer is not JSON, or broke off", Fault.BODY)


def _redirect(reply: Reply) -> Missed:
    try:
        place = urlsplit(reply.headers.get("location", ""))
    except ValueError:
        place = urlsplit("")
    where = clean(f"{place.scheme}://{place.hostname}" if place.hostname else place.path or "nowhere")
    return Missed(f"the server redirects to {where}, where the token is not sent", Fault.WEB_PAGE)


def _retry_after(reply: Reply) -> float | None:
    """Seconds, or the difference to the reply's own Date."""
    text = reply.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        seconds = (until - parsedate_to_datetime(reply.headers["date"])).total_seconds()
        return min(max(0.0, seconds), FAR)
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _words(reply: Reply) -> str:
    """The first words of a plain text body: proxies say there which part failed."""
    if reply.html or not reply.body or len(reply.body) > 500:  # noqa: PLR2004 - longer is no sentence
        return ""
    text = clean(reply.body.decode("utf-8", "replace"))
    return f" ({short(text, 80)})" if text else ""
