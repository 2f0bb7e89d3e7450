"""Bounded readers of JSON that comes from outside: each value is checked before it is used.

A field that is missing or null gets a default unless it is required. A field of another type is an error that names the
field, so that the message about a server's response says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from homelab_hooks.text.sanitize import strip_control_chars

T = TypeVar("T")
MAX_INT = 2**53
"""the largest number, time, or exit code that is accepted; a larger one cannot be converted to a float and displayed"""
Json = Mapping[str, Any]
"""a JSON object"""


class UnexpectedShape(ValueError):  # noqa: N818 - the response is wrong, not this program
    """The JSON is valid, but does not have the expected shape."""


def read_list(raw: object, parse: Callable[[object], T]) -> tuple[T, ...]:
    """Read each item of a list. Raises UnexpectedShape."""
    if not isinstance(raw, list):
        raise UnexpectedShape(f"expected a list, not {_type_name(raw)}")
    return tuple(parse(item) for item in raw)


def read_object(raw: object) -> Json:
    """Return the value as a JSON object. Raises UnexpectedShape."""
    if not isinstance(raw, Mapping):
        raise UnexpectedShape(f"expected an object, not {_type_name(raw)}")
    return raw


def read_text(json: Json, key: str, *, required: bool = False) -> str:
    """Return a text, or a number as text. Raises UnexpectedShape."""
    value = json.get(key)
    if isinstance(value, str):
        return value
    if required or (value is not None and not isinstance(value, (int, float))):
        raise UnexpectedShape(f"{key} should be a text and is {_type_name(value)}")
    return "" if value is None else str(value)


def read_display_text(json: Json, key: str) -> str:
    """Return a text without control characters, which could hide the words beside it in a message."""
    return strip_control_chars(read_text(json, key))


def read_number(json: Json, *keys: str, required: bool = False) -> int:
    """Return the first of these fields that is present, an integer up to `MAX_INT`; 0 if none is.

    Raises UnexpectedShape.

    >>> read_number({"started_at": 12}, "started", "started_at"), read_number({}, "started")
    (12, 0)
    """
    value = next((json[key] for key in keys if json.get(key) is not None), None)
    if isinstance(value, bool) or not isinstance(value, (int, type(None))):
        raise UnexpectedShape(f"{keys[0]} should be a number and is {_type_name(value)}")
    if value is None and required:
        raise UnexpectedShape(f"{keys[0]} is missing")
    if value is not None and abs(value) > MAX_INT:
        raise UnexpectedShape(f"{keys[0]} is too large")
    return value or 0


def read_time(json: Json, *keys: str) -> int:
    """Return a time in unix seconds; 0 for none, and for the zero times of Go (forge recording 07b-actions-success).

    >>> read_time({"started_at": "2026-11-30T09:01:47Z"}, "started_at"), read_time({}, "started_at")
    (1796029307, 0)
    """
    from datetime import datetime

    text = next((value for key in keys if (value := read_text(json, key))), "")
    try:
        return max(0, int(datetime.fromisoformat(text).timestamp()))
    except (ValueError, OverflowError):
        return 0


def require_types(raw: Mapping[str, Any], *, max_int: int = MAX_INT, **types: type) -> None:
    """Check the fields of an object that this program wrote itself, but that may have been changed since.

    Args:
        max_int: the largest absolute value of an integer.
        types: the exact type of each field that is not a text.

    Raises:
        TypeError: a field has another type, or is too large; the message is the field's name.

    >>> require_types({"stage": "merge", "push_attempts": 2}, push_attempts=int)
    """
    for key, value in raw.items():
        if type(value) is not types.get(key, str) or (isinstance(value, int) and abs(value) > max_int):
            raise TypeError(key)


def _type_name(value: object) -> str:
    return "null" if value is None else type(value).__name__
