"""Finds out whether a pre-commit configuration has hooks for the pre-push stage."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

MAX_CONFIG_CHARS = 64 * 1024
"""maximum characters of a configuration; PyYAML takes one or two seconds for this many"""
_PRE_PUSH_STAGES = frozenset({"pre-push", "push"})
"""pre-commit renamed `push` to `pre-push` in version 3.2 and still takes both"""
_MERGE_TAG = "tag:yaml.org,2002:merge"
_STRING_TAG = "tag:yaml.org,2002:str"


class _MalformedError(Exception):
    """The file is YAML, but pre-commit would not take it."""


def has_pre_push_hooks(text: str) -> bool:
    """Return whether a hook runs at the pre-push stage: by its own `stages`, else by `default_stages`.

    A hook with neither runs at every stage; it does not count, for then most configurations would. A file that is
    too large, malformed, or of other types than pre-commit's schema has no such hooks.

    The file may be anyone's. So the YAML is composed into nodes and never constructed into values: an alias stays a
    reference to one node, which is visited once, however often a file multiplies it ("billion laughs"; merge keys
    multiply in PyYAML's constructor too).

    >>> has_pre_push_hooks("repos: [{repo: local, hooks: [{id: x, stages: [pre-push]}]}]")
    True
    """
    if len(text) > MAX_CONFIG_CHARS:
        return False
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        return isinstance(root, yaml.MappingNode) and _runs_at_pre_push(root)
    except (yaml.YAMLError, _MalformedError, RecursionError, ValueError):
        return False


def _runs_at_pre_push(root: yaml.MappingNode) -> bool:
    top = _fields(root)
    by_default = _names_pre_push(top.get("default_stages"))
    seen: set[int] = set()
    found = False
    for repo in _mappings(top.get("repos"), seen):
        for hook in _mappings(_fields(repo).get("hooks"), seen):
            fields = _fields(hook)
            found |= _names_pre_push(fields["stages"]) if "stages" in fields else by_default
    return found


def _names_pre_push(node: yaml.Node | None) -> bool:
    """Return whether a list of stages contains pre-push; a single name counts as a list of one."""
    if node is None:
        return False
    items = node.value if isinstance(node, yaml.SequenceNode) else [node]
    for item in items:
        if not isinstance(item, yaml.ScalarNode) or item.tag != _STRING_TAG:
            raise _MalformedError
    return any(item.value in _PRE_PUSH_STAGES for item in items)


def _mappings(node: yaml.Node | None, seen: set[int]) -> Iterator[yaml.MappingNode]:
    """Return the mappings of a list, each once in all."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if not isinstance(node, yaml.SequenceNode):
        raise _MalformedError
    for item in node.value:
        if not isinstance(item, yaml.MappingNode):
            raise _MalformedError
        if id(item) not in seen:
            seen.add(id(item))
            yield item


def _fields(node: yaml.MappingNode) -> dict[str, yaml.Node]:
    """Return the fields of a mapping: its own, then those that it merges in (`<<`), in order."""
    found: dict[str, yaml.Node] = {}
    waiting, seen = [node], {id(node)}
    while waiting:
        mapping = waiting.pop()
        own: set[str] = set()
        merged: list[yaml.MappingNode] = []
        for key, value in mapping.value:
            if key.tag == _MERGE_TAG:
                merged += _merged(value)
                continue
            if not isinstance(key, yaml.ScalarNode) or key.value in own:
                raise _MalformedError
            own.add(key.value)
            found.setdefault(key.value, value)
        fresh = [one for one in dict.fromkeys(merged) if id(one) not in seen]
        seen |= {id(one) for one in fresh}
        waiting += reversed(fresh)
    return found


def _merged(node: yaml.Node) -> list[yaml.MappingNode]:
    items = node.value if isinstance(node, yaml.SequenceNode) else [node]
    if not all(isinstance(item, yaml.MappingNode) for item in items):
        raise _MalformedError
    return list(items)
