"""Durations as people write them."""

from __future__ import annotations

import re

FAR = 1e9
"""seconds; nothing that is measured here lasts longer"""
_FORM = re.compile(
    r"(?:(?P<h>[0-9]{1,9})h)?(?:(?P<m>[0-9]{1,9})m)?(?:(?P<s>[0-9]{1,9}(?:\.[0-9]+)?)s?)?"
)  # nine digits: more is no time to wait


def parse(text: str) -> float:
    """Seconds. Raises ValueError with what is expected.

    >>> parse("90"), parse("90s"), parse("2m"), parse("1h30m"), parse("0")
    (90.0, 90.0, 120.0, 5400.0, 0.0)
    """
    found = _FORM.fullmatch(text.strip().lower())
    if not found or not any(found.groupdict().values()):
        raise ValueError("a duration like 90, 90s, 2m or 1h30m is expected")
    hours, minutes, seconds = (float(found[unit] or 0) for unit in "hms")
    return hours * 3600 + minutes * 60 + seconds


def text(seconds: float) -> str:
    """A duration as a person reads it.

    >>> text(0.4), text(75), text(5400), text(float("nan"))
    ('0.4s', '1m15s', '1h30m', 'for ever')
    """
    if not seconds < FAR:
        return "for ever"
    if seconds < 9.95:  # noqa: PLR2004 - below this a tenth matters
        return f"{seconds:.1f}s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
