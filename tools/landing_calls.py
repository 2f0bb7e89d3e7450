"""Reads from the code which stages a landing has, and with which exit codes each can end."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from homelab_hooks.events import Stage
from homelab_hooks.exit_codes import ExitCode

LAND = Path(__file__).parent.parent / "homelab_hooks" / "land"
PREFIX = "homelab_hooks.land"
Definition = ast.FunctionDef | ast.ClassDef
DECIDED_AFTER = {
    Stage.QUEUE: ("run._push_in_turn",),
    Stage.PROPOSE: ("run._propose",),
    Stage.SUBMIT: ("run._merge",),
    Stage.PUSH: ("run._after_push",),
    Stage.CONFIRM: ("post_push.unknown_verdict", "push_decision.retry_or_fail"),
}
"""functions that decide after a stage how the landing continues"""
ANY_STAGE = frozenset({"state.StateFile"})
"""what can fail at every stage: the state of the landing cannot be written"""


class LandModule:
    """A module of homelab_hooks/land: what it defines, and what its names stand for."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.definitions = {node.name: node for node in self.tree.body if isinstance(node, Definition)}
        self.constants = dict(_constants(self.tree))
        self.imports = dict(_imports(self.tree))


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value


def _imports(tree: ast.Module) -> Iterator[tuple[str, tuple[str, str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PREFIX):
            module = (node.module or "").removeprefix(PREFIX).lstrip(".")
            yield from ((alias.name, (module, alias.name) if module else (alias.name, "")) for alias in node.names)


@cache
def land_modules() -> dict[str, LandModule]:
    """Every module of homelab_hooks/land by its name."""
    return {path.stem: LandModule(path) for path in sorted(LAND.glob("*.py"))}


@cache
def stage_functions() -> dict[Stage, tuple[str, ...]]:
    """The functions that run each stage, as `module.function`."""
    found: dict[Stage, list[str]] = {}
    for module in land_modules().values():
        for name, node in module.definitions.items():
            for stage in _stages_run(node):
                found.setdefault(stage, []).append(f"{module.name}.{name}")
    return {stage: tuple(found[stage]) for stage in Stage if stage in found}


def _stages_run(node: ast.AST) -> Iterator[Stage]:
    """`with landing.stage(Stage.FETCH)` and `with run_stage(Stage.PREFLIGHT, ...)`."""
    for part in ast.walk(node):
        for item in part.items if isinstance(part, ast.With) else ():
            call = item.context_expr
            named = call.args[0] if isinstance(call, ast.Call) and call.args else None
            if isinstance(named, ast.Attribute) and ast.unparse(named.value) == "Stage":
                yield Stage[named.attr]


@cache
def stage_exits() -> dict[Stage, tuple[ExitCode, ...]]:
    """The exit codes of each stage before the commit is on the target."""
    roots = {stage: (*names, *DECIDED_AFTER.get(stage, ())) for stage, names in stage_functions().items()}
    borders = ANY_STAGE.union(*roots.values())
    return {
        stage: tuple(sorted({code for name in names for code in _exits_from(name, borders)}))
        for stage, names in roots.items()
    }


def stage_order(*, cut: frozenset[str]) -> tuple[Stage, ...]:
    """The stages in the order in which the code calls them; those that come again stand where they come last.

    Args:
        cut: functions that are not entered.
    """
    by_function = {name: stage for stage, names in stage_functions().items() for name in names}
    known: dict[str, tuple[Stage, ...]] = dict.fromkeys(cut, ())

    def walk(name: str) -> tuple[Stage, ...]:
        if name not in known:
            known[name] = ()  # where the calls form a circle
            inside = [stage for called in _called(name) for stage in walk(called)]
            here = [by_function[name]] if name in by_function else []
            known[name] = _without_earlier([*here, *inside])
        return known[name]

    return _without_earlier([stage for start in ("preflight.start_landing", "run._attempt") for stage in walk(start)])


def _without_earlier(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """Keep the last of each.

    >>> [str(stage) for stage in _without_earlier([Stage.FETCH, Stage.MERGE, Stage.FETCH])]
    ['merge', 'fetch']
    """
    return tuple(reversed(dict.fromkeys(reversed(stages))))


def _exits_from(function: str, borders: frozenset[str]) -> frozenset[ExitCode]:
    """The exit codes of a function and of all that it calls in homelab_hooks/land up to the borders, apart from 0."""
    found: set[ExitCode] = set()
    seen, left = set(borders) - {function}, [function]
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            found |= _own_exits(name)
            left += _called(name)
    return frozenset(found - {ExitCode.OK})


def _definition(name: str) -> tuple[Definition | None, LandModule]:
    module, _, inner = name.partition(".")
    return land_modules()[module].definitions.get(inner), land_modules()[module]


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """A node and its parts as they run: the arguments of a call come before the call."""
    parts = list(ast.iter_child_nodes(node))
    for part in [*parts[1:], parts[0]] if isinstance(node, ast.Call) else parts:
        yield from _in_order(part)
    yield node


@cache
def _called(name: str) -> tuple[str, ...]:
    """What a function of homelab_hooks/land uses of it, in order."""
    node, module = _definition(name)
    found: list[str] = []
    for part in _in_order(node) if node else ():
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in module.imports:
            found.append(f"{module.imports[part.value.id][0]}.{part.attr}")
        elif isinstance(part, ast.Name) and part.id in module.definitions:
            found.append(f"{module.name}.{part.id}")
        elif isinstance(part, ast.Name) and part.id in module.imports:
            found.append(".".join(module.imports[part.id]))
    return tuple(found)


@cache
def _own_exits(name: str) -> frozenset[ExitCode]:
    """The codes that a function passes on or returns; those that it compares with are not its own."""
    node, module = _definition(name)
    found: set[ExitCode] = set()
    for part in ast.walk(node) if node else ():
        values: list[ast.expr | None] = []
        if isinstance(part, ast.Call):
            given = [keyword.value for keyword in part.keywords if keyword.arg == "exit"]
            values = [*part.args, *given]
            if ast.unparse(part.func) == "CommandError" and not given:
                found.add(ExitCode.USAGE)
        elif isinstance(part, ast.Return):
            values = [part.value]
        elif isinstance(part, ast.Name) and isinstance(constant := module.constants.get(part.id), ast.Dict):
            values = [*constant.values]
        found |= {code for value in values for code in _codes(value)}
    return frozenset(found)


def _codes(value: ast.expr | None) -> Iterator[ExitCode]:
    """`ExitCode.X`, also as a branch of a conditional expression."""
    if isinstance(value, ast.IfExp):
        yield from _codes(value.body)
        yield from _codes(value.orelse)
    elif (
        isinstance(value, ast.Attribute)
        and ast.unparse(value.value) == "ExitCode"
        and value.attr in ExitCode.__members__
    ):
        yield ExitCode[value.attr]
