"""Parses and formats durations."""

from __future__ import annotations

import re

MAX_DURATION_S = 1e9
"""seconds, about 31 years: a longer duration is neither accepted as a setting nor shown as a number"""
_MAX_DURATION_HOURS = int(MAX_DURATION_S // 3600)
_DURATION_PATTERN = re.compile(
    r"(?:(?P<h>[0-9]{1,9})h)?(?:(?P<m>[0-9]{1,9})m)?(?:(?P<s>[0-9]{1,9}(?:\.[0-9]+)?)s?)?"
)  # nine digits: a longer number is a typo


def parse_duration(text: str) -> float:
    """Return a duration in seconds. Raises ValueError, with what is expected, for another format or too long a time.

    >>> parse_duration("90"), parse_duration("90s"), parse_duration("2m"), parse_duration("1h30m"), parse_duration("0")
    (90.0, 90.0, 120.0, 5400.0, 0.0)
    """
    found = _DURATION_PATTERN.fullmatch(text.strip().lower())
    if not found or not any(found.groupdict().values()):
        raise ValueError("expected a duration, such as 90, 90s, 2m, or 1h30m")
    hours, minutes, seconds = (float(found[unit] or 0) for unit in "hms")
    total = hours * 3600 + minutes * 60 + seconds
    if total >= MAX_DURATION_S:
        raise ValueError(f"expected a duration of at most {_MAX_DURATION_HOURS}h")
    return total


def format_duration(seconds: float) -> str:
    """Return a duration in a short form that can follow a preposition, as in "retrying for 3m00s".

    >>> format_duration(0.4), format_duration(75), format_duration(5400), format_duration(float("nan"))
    ('0.4s', '1m15s', '1h30m', 'more than 30 years')
    """
    if not seconds < MAX_DURATION_S:
        return "more than 30 years"
    if seconds < 9.95:  # noqa: PLR2004 - below ten seconds, tenths matter
        return f"{seconds:.1f}s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
