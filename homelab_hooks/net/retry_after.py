"""Reads Retry-After: seconds, or an HTTP date."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from homelab_hooks.text.durations import MAX_DURATION_S

if TYPE_CHECKING:
    from datetime import datetime


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After; a date counts from the response's own Date. None if there is none.

    Args:
        headers: a response's headers, with names in lower case.

    >>> parse_retry_after({"retry-after": "120"})
    120.0
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        until, date = _parse_http_date(text), _parse_http_date(headers["date"])
        return min(max(0.0, (until - date).total_seconds()), MAX_DURATION_S)
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _parse_http_date(text: str) -> datetime:
    """Parse a date in one of HTTP's three forms (RFC 9110, 5.6.7); all of them are in GMT."""
    from datetime import UTC  # these take 4 ms, and few responses have such a date
    from email.utils import parsedate_to_datetime

    date = parsedate_to_datetime(text)
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
