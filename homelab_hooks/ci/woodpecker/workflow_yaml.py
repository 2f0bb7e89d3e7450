"""Reads workflow files as YAML nodes. Values are never constructed, because aliases could multiply them without end."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

Node = yaml.Node
MappingNode = yaml.MappingNode
ScalarNode = yaml.ScalarNode
SequenceNode = yaml.SequenceNode
NULL_TAG = "tag:yaml.org,2002:null"
MAX_CONFIG_CHARS = 64 * 1024
"""maximum characters of a configuration; PyYAML takes one or two seconds for this many"""
MAX_FILE_NODES = 20_000
"""nodes of a whole file that are read"""


class UnsupportedFormError(Exception):
    """A workflow has a form that is not evaluated here."""


def read_workflow(text: str) -> MappingNode:
    """Return the mapping that a workflow file contains. Raises UnsupportedFormError for anything else."""
    if len(text) > MAX_CONFIG_CHARS:
        raise UnsupportedFormError
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UnsupportedFormError from error
    if not isinstance(root, MappingNode):
        raise UnsupportedFormError
    return root


def read_keys(node: MappingNode) -> list[str]:
    """Return the keys of a mapping. Raises UnsupportedFormError if one is not a text."""
    keys = [key for key, _ in node.value]
    if not all(isinstance(key, ScalarNode) for key in keys):
        raise UnsupportedFormError
    return [str(key.value) for key in keys]


def read_fields(node: MappingNode) -> dict[str, Node]:
    """Return the fields of a mapping. Raises UnsupportedFormError for a repeated key, and for `<<`, which merges."""
    keys = read_keys(node)
    if "<<" in keys or len(set(keys)) != len(keys):
        raise UnsupportedFormError
    return dict(zip(keys, (value for _, value in node.value), strict=True))


def read_scalars(root: Node) -> Iterator[str]:
    """Yield the text of every scalar below a node. Raises UnsupportedFormError if there are too many nodes."""
    left = [root]
    for _ in range(MAX_FILE_NODES):
        if not left:
            return
        node = left.pop()
        if isinstance(node, ScalarNode):
            yield str(node.value)
        elif isinstance(node, SequenceNode):
            left += node.value
        elif isinstance(node, MappingNode):
            left += [part for pair in node.value for part in pair]
    raise UnsupportedFormError
