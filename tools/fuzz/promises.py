"""What must hold of every value that is made from something outside."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

NUMBERS = 2**63
"""no count, time or exit code is larger; a larger one cannot be made a float, and so cannot be shown"""


@cache
def hints(kind: Any) -> dict[str, Any]:
    """A value's fields and what may be in them."""
    return get_type_hints(kind)


def well_typed(value: object, kind: Any) -> bool:
    """Whether a value is what its type says, down to its last field; numbers within bounds."""
    origin, members = get_origin(kind), get_args(kind)
    if kind is Any or kind is object:
        return True
    if origin in (Union, types.UnionType):
        return any(well_typed(value, member) for member in members)
    if origin in (tuple, Sequence, frozenset):
        known = isinstance(value, origin if origin in (tuple, frozenset) else (tuple, list))
        return known and all(well_typed(each, members[0]) for each in cast("Sequence[object]", value))
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            well_typed(key, members[0]) and well_typed(each, members[1]) for key, each in value.items()
        )
    return _plain(value, kind)


def _plain(value: object, kind: type) -> bool:
    if kind is int:
        return type(value) is int and -NUMBERS < value < NUMBERS
    if kind is float:
        return isinstance(value, int | float)
    if kind is str or issubclass(kind, Enum) or kind in (bool, type(None)):
        return isinstance(value, kind)
    if hasattr(kind, "_fields") or dataclasses.is_dataclass(kind):
        fields: Any = kind
        return isinstance(value, kind) and all(
            well_typed(getattr(value, name), hint) for name, hint in hints(fields).items()
        )
    return isinstance(value, kind)


def hold(value: object, kind: Any) -> None:
    """Raises AssertionError where a value is not what its type says."""
    assert well_typed(value, kind), f"{value!r:.300} is no {kind}"
