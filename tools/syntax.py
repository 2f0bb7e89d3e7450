"""Reads the syntax trees of the project's own modules, each once in a process."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TypeVar

Node = TypeVar("Node", bound=ast.AST)


@cache
def source(path: Path) -> str:
    """The text of a module."""
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """The tree of a module."""
    return ast.parse(source(path), str(path))


@cache
def _nodes_by_kind(path: Path) -> dict[type[ast.AST], list[ast.AST]]:
    """Every node of a module; walking the tree takes longer than all that is asked of it."""
    found: dict[type[ast.AST], list[ast.AST]] = {}
    for node in ast.walk(tree(path)):
        found.setdefault(type(node), []).append(node)
    return found


def nodes(path: Path, kind: type[Node]) -> list[Node]:
    """The nodes of this kind in a module, those that are further out first."""
    return _nodes_by_kind(path).get(kind, [])  # type: ignore[return-value]  # each list holds nodes of its key's type


def dotted(node: ast.AST) -> str:
    """The name that an expression spells, such as `os.environ.get`; what is not a name or an attribute is empty."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
