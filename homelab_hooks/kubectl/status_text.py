"""Reads texts of a status that a controller wrote."""

from __future__ import annotations

from homelab_hooks.text.json_fields import Json
from homelab_hooks.text.sanitize import replace_control_chars, strip_control_chars, truncate_text

MAX_TEXT_CHARS = 400
"""characters of one text; the message of a failed comparison can hold a whole manifest"""


def read_status_text(raw: Json, key: str) -> str:
    """Return a text in one line, fit to be shown; empty if it is absent.

    >>> read_status_text({"message": "two" + chr(10) + "lines"}, "message"), read_status_text({}, "message")
    ('two lines', '')
    """
    return truncate_text(strip_control_chars(str(raw.get(key) or "")), MAX_TEXT_CHARS)


def read_revision(raw: Json, key: str) -> str:
    """Return a revision, in which commits are named, as `replace_control_chars` does; empty if it is absent."""
    return truncate_text(replace_control_chars(str(raw.get(key) or "")), MAX_TEXT_CHARS)
