"""Edits JSON text in place: every byte that is not added or removed stays, with its order, indentation, and line ends.

A file of settings belongs to its user. If a JSON library wrote it again, it would lose its layout, and one value of a
duplicate key. So values are inserted and cut at the positions of the text, and what is not plain JSON is not edited.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

MAX_DEPTH_LEVELS = 100
"""levels of nesting that are read"""
_SPACE = re.compile(r"[ \t\r\n]*")


class JsonNode(NamedTuple):
    """A value, and where it stands in the text."""

    start: int
    end: int
    value: Any
    members: tuple[tuple[str, JsonNode], ...] = ()
    items: tuple[JsonNode, ...] = ()


def parse_json(text: str) -> JsonNode:
    """Return the value of a JSON text with the positions of its parts. Raises ValueError if it is not JSON.

    >>> parse_json('{"a": [1]}').value
    {'a': [1]}
    >>> parse_json('{"a": 1,}')
    Traceback (most recent call last):
    ValueError: line 1: expected a key
    """
    begin = _skip(text, 0)
    node = _parse_value(text, begin, 0)
    if (end := _skip(text, node.end)) < len(text):
        _fail(text, end, "unexpected text after the end")
    return node


def add_items(text: str, path: Sequence[str], values: Sequence[Any]) -> str:
    """Return the text with these values at the end of the array at `path`, whose containers are created if missing.

    Raises ValueError if the text is not JSON, or if something else is in the place of a container.

    >>> add_items('{"a": [1]}', ["a"], [2]).replace(chr(10), "|")
    '{"a": [1,|    2]}'
    """
    node, depth = parse_json(text), 0
    for depth, key in enumerate(path):
        if not isinstance(node.value, dict):
            raise ValueError(f"{'.'.join(path[:depth]) or 'the document'} is not an object")  # noqa: TRY004 - of the text
        child = dict(node.members).get(key)
        if child is None:
            inner: Any = list(values)
            for name in reversed(path[depth + 1 :]):
                inner = {name: inner}
            return _insert(text, node, [f"{json.dumps(key)}: {_dump(inner, text, depth + 1)}"], depth)
        node = child
    if not isinstance(node.value, list):
        raise ValueError(f"{'.'.join(path)} is not an array")  # noqa: TRY004 - of the text
    return _insert(text, node, [_dump(value, text, depth + 2) for value in values], depth + 1) if values else text


def remove_items(text: str, path: Sequence[str], values: Sequence[Any]) -> str:
    """Return the text without the items of the array at `path` that equal one of these values.

    >>> remove_items('{"a": [1, 2, 3]}', ["a"], [2, 3])
    '{"a": [1]}'
    """
    while True:
        node: JsonNode | None = parse_json(text)
        for key in path:
            node = dict(node.members).get(key) if node else None
        if node is None:
            return text
        found = next((index for index, item in enumerate(node.items) if item.value in values), None)
        if found is None:
            return text
        start, end = node.items[found].start, node.items[found].end
        if found:
            start = node.items[found - 1].end
        elif len(node.items) > 1:
            end = node.items[1].start
        text = text[:start] + text[end:]


def _insert(text: str, container: JsonNode, parts: Sequence[str], depth: int) -> str:
    """Return the text with parts at the end of a container at this depth, each on its own line."""
    line = _newline(text)
    inner, outer = line + "  " * (depth + 1), line + "  " * depth
    inside = f",{inner}".join(parts)
    held = [node for _, node in container.members] or list(container.items)
    if held:
        return f"{text[: held[-1].end]},{inner}{inside}{text[held[-1].end :]}"
    return f"{text[: container.start + 1]}{inner}{inside}{outer}{text[container.end - 1 :]}"


def _dump(value: Any, text: str, depth: int) -> str:
    shown = json.dumps(value, indent=2, ensure_ascii=False)
    return shown.replace("\n", _newline(text) + "  " * depth)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _fail(text: str, at: int, reason: str) -> NoReturn:
    raise ValueError(f"line {text.count(chr(10), 0, at) + 1}: {reason}")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _parse_value(text: str, at: int, depth: int) -> JsonNode:
    if depth > MAX_DEPTH_LEVELS:
        _fail(text, at, "too deeply nested")
    if text[at : at + 1] == "{":
        return _parse_object(text, at, depth)
    if text[at : at + 1] == "[":
        return _parse_array(text, at, depth)
    try:
        value, end = _DECODER.raw_decode(text, at)
    except ValueError as error:
        _fail(text, at, str(error).partition(": line")[0].lower())
    return JsonNode(at, end, value)


def _parse_object(text: str, begin: int, depth: int) -> JsonNode:
    members: dict[str, JsonNode] = {}
    at = _skip(text, begin + 1)
    while text[at : at + 1] != "}" or members:
        if text[at : at + 1] != '"':
            _fail(text, at, "expected a key")
        key = _parse_value(text, at, depth)
        if key.value in members:
            _fail(text, at, f"the key {key.value!r} is given twice")
        at = _skip(text, key.end)
        if text[at : at + 1] != ":":
            _fail(text, at, "expected a colon")
        members[key.value] = _parse_value(text, _skip(text, at + 1), depth + 1)
        at = _skip(text, members[key.value].end)
        if text[at : at + 1] == "}":
            break
        at = _next_part(text, at)
    return JsonNode(begin, at + 1, {key: node.value for key, node in members.items()}, members=tuple(members.items()))


def _parse_array(text: str, begin: int, depth: int) -> JsonNode:
    items: list[JsonNode] = []
    at = _skip(text, begin + 1)
    while text[at : at + 1] != "]" or items:
        items.append(_parse_value(text, at, depth + 1))
        at = _skip(text, items[-1].end)
        if text[at : at + 1] == "]":
            break
        at = _next_part(text, at)
    return JsonNode(begin, at + 1, [node.value for node in items], items=tuple(items))


def _next_part(text: str, at: int) -> int:
    if text[at : at + 1] != ",":
        _fail(text, at, "expected a comma")
    return _skip(text, at + 1)
