"""The rules of the layout hold: imports, effects, sizes, and an up-to-date list of modules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tools.docs import PACKAGE, PARTS, ROOT, modules, sentence, written
from tools.syntax import Node, dotted, nodes, source, tree

NAME = PACKAGE.name
LAYERS = (
    {"cli", "demo"},
    {"app"},
    {"land", "follow", "watch", "deploy", "views", "hooks", "agent"},
    {"git", "ci", "forge", "registry", "kubectl", "auth", "notify", "simulators"},
    {"system", "net"},
)
"""from the top; every other package and module is vocabulary, at the bottom"""
ACROSS = {("follow", "watch"), ("follow", "deploy"), ("land", "follow"), ("hooks", "follow"), ("hooks", "land")}
"""the imports between two packages of one layer that are allowed; `cli` and `demo` may import each other"""
VOCABULARY = len(LAYERS)
EFFECTS = {
    "subprocess": {"system"}, "pty": {"system"}, "signal": {"system"},
    "time": {"system"}, "ssl": {"net"},
    "socket": {"net"}, "select": {"net", "system"}, "httpx": set(), "httpcore": {"net"},
    "requests": {"net"},
    "http.client": {"net"}, "urllib.request": {"net"}, "asyncio": set(), "logging": set(),
    "sqlite3": set(),
}  # fmt: skip
"""who may import what can reach out"""
LONGEST, MOST_ARE_UNDER, LARGEST = 50, 30, 400
PATCHES = {"setattr", "delattr", "setitem", "delitem", "Mock", "MagicMock", "AsyncMock", "create_autospec", "patch"}
CLOCKS = ("sleep", "monotonic", "perf_counter", "process_time", "thread_time", "time")
WAITS = {"run", "communicate", "wait", "join", "create_connection", "HTTPConnection", "Client", "post", "connect"}
MEASURES = {
    "growth.py": "compares the CPU time for an input with that for a longer one",
}
"""who in tests/ may read the clock, and what for"""


def shown(path: Path, node: ast.AST | None = None) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def room(path: Path) -> str:
    """The first part of a module's path: watch/machine.py is in `watch`."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def layer(name: str) -> int:
    return next((depth for depth, rooms in enumerate(LAYERS) if name in rooms), VOCABULARY)


@cache
def for_types_only(path: Path) -> set[int]:
    """What stands under `if TYPE_CHECKING:` and is never run."""
    return {
        id(inner)
        for node in nodes(path, ast.If)
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for part in node.body
        for inner in ast.walk(part)
    }


def imports(path: Path, *, types_too: bool = False) -> Iterator[tuple[str, ast.AST]]:
    """The dotted name of each import, wherever it stands."""
    hidden = set() if types_too else for_types_only(path)
    for plain in nodes(path, ast.Import):
        if id(plain) not in hidden:
            yield from ((alias.name, plain) for alias in plain.names)
    for node in nodes(path, ast.ImportFrom):
        if id(node) not in hidden:
            assert node.level == 0, f"{shown(path, node)}: relative"
            names = [f"{NAME}.{alias.name}" for alias in node.names] if node.module == NAME else [node.module or ""]
            yield from ((name, node) for name in names)


def wrong_way(path: Path) -> Iterator[str]:
    mine = room(path)
    if mine == "__init__":
        return
    up = layer(mine)
    for name, node in imports(path):
        parts = name.split(".")
        if parts[0] != NAME or len(parts) == 1 or parts[1] in {mine, "__version__"}:
            continue
        down = layer(parts[1])
        sideways = down == up and up not in {0, VOCABULARY} and (mine, parts[1]) not in ACROSS
        if down < up or sideways:
            yield f"{shown(path, node)} {mine} -> {parts[1]}"


def test_imports_only_point_down() -> None:
    """Of two packages in one layer only those in ACROSS know each other."""
    assert [wrong for path in modules() for wrong in wrong_way(path)] == []


def package_imports() -> dict[str, set[str]]:
    """For each package the packages that it imports, also for types only: a cycle of types is a cycle of thought."""
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    found: dict[str, set[str]] = {package: set() for package in packages}
    for path in modules():
        mine = room(path)
        names = [name.split(".")[1] for name, _ in imports(path, types_too=True) if name.startswith(f"{NAME}.")]
        if mine in packages:
            found[mine] |= {name for name in names if name in packages and name != mine}
    return found


def cycles() -> list[str]:
    """The packages from which a way along imports leads back to them."""
    direct = package_imports()

    def reaches(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(direct[start])
        while waiting:
            package = waiting.pop()
            if package not in seen:
                seen.add(package)
                waiting += direct[package]
        return seen

    return sorted(package for package in direct if package in reaches(package))


def test_packages_form_no_cycle() -> None:
    assert cycles() == []


def class_names() -> dict[str, list[str]]:
    """Where each class of the package is defined."""
    found: dict[str, list[str]] = {}
    for path in modules():
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(shown(path, node))
    return found


def several_meanings() -> dict[str, list[str]]:
    return {name: places for name, places in class_names().items() if len(places) > 1}


def test_a_class_name_has_one_meaning() -> None:
    assert several_meanings() == {}


UNITS = (
    "s", "ms", "seconds", "bytes", "chars", "columns", "cells", "rows", "lines", "pages", "digits", "days", "count",
    "limit", "attempts", "retries", "percent", "ratio", "factor", "size", "port", "code", "version", "mode", "bits",
    "requests", "samples", "depth", "exponent", "rounds", "landings", "number",
)  # fmt: skip
BOUNDS = ("MAX_", "MIN_", "DEFAULT_")


def unnamed_numbers() -> list[str]:
    """Numeric constants whose names do not tell an object and a unit, as `REQUEST_TIMEOUT_S` and `MAX_RETRIES` do."""
    found = []
    for path in modules():
        for node in tree(path).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            if not isinstance(target, ast.Name) or not target.id.strip("_").isupper() or not _is_number(node.value):  # type: ignore[attr-defined]  # an assignment has a value
                continue
            name = target.id.strip("_")
            if "_" not in name or not (name.startswith(BOUNDS) or name.lower().rpartition("_")[2] in UNITS):
                found.append(f"{shown(path, node)} {target.id}")
    return found


def _is_number(value: ast.AST | None) -> bool:
    if isinstance(value, ast.BinOp):
        return _is_number(value.left) and _is_number(value.right)
    return isinstance(value, ast.Constant) and type(value.value) in {int, float}


def test_a_number_carries_its_object_and_its_unit() -> None:
    assert unnamed_numbers() == []


def test_the_demo_is_imported_by_the_commands_only() -> None:
    found = [
        shown(path, node)
        for path in modules()
        for name, node in imports(path)
        if name.startswith((f"{NAME}.demo", f"{NAME}.simulators")) and room(path) not in {"cli", "demo", "simulators"}
    ]
    assert found == []


def test_the_package_needs_neither_tests_nor_tools() -> None:
    found = [
        f"{shown(path, node)} {name}"
        for path in modules()
        for name, node in imports(path)
        if name.split(".")[0] in {"tests", "tools"}
    ]
    assert found == []


def effects() -> list[tuple[str, str, str]]:
    """Each import of something that can reach out: where, what, and in which room."""
    return [
        (shown(path, node), name, room(path)) for path in modules() for name, node in imports(path) if name in EFFECTS
    ]


def test_effects_have_their_doors() -> None:
    assert [(place, name) for place, name, where in effects() if where not in EFFECTS[name]] == []


def test_only_the_runtime_reads_the_environment() -> None:
    forbidden = {"environ", "getenv", "putenv", "system", "popen", "fork", "execv", "execvp", "execve"}
    found = [
        shown(path, node)
        for path in modules()
        for node in nodes(path, ast.Attribute)
        if isinstance(node.value, ast.Name)
        and room(path) != "app"
        and path.relative_to(PACKAGE).as_posix() != "cli/process.py"  # before the runtime can be imported
        and node.value.id == "os"
        and node.attr in forbidden
    ]
    assert found == []


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("git", {"git/gitpython.py"}),
        ("hvac", {"auth/vault.py", "simulators/vault.py"}),
        ("httpcore", {"net/failures.py", "net/http.py", "net/pinned.py", "net/probe.py"}),
        ("mcp", {"app/mcp_server.py"}),
        ("anyio", {"app/mcp_server.py"}),
        ("yaml", {"land/pre_commit_config.py", "ci/woodpecker/workflow_yaml.py"}),
    ],
)
def test_a_library_is_imported_in_one_place(library: str, home: set[str]) -> None:
    """And where the demo fills a real server with something to read."""
    found = {
        path.relative_to(PACKAGE).as_posix() for path in modules() for name, _ in imports(path)
        if name.split(".")[0] == library
    }  # fmt: skip
    assert found <= home


def lengths() -> list[tuple[int, str]]:
    """Lines of each function without its decorators and docstring."""
    found = []
    for path in modules():
        functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = [*nodes(path, ast.FunctionDef)]
        for node in [*functions, *nodes(path, ast.AsyncFunctionDef)]:
            first, lines = node.body[0], (node.end_lineno or node.lineno) - node.lineno + 1
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                lines -= (first.end_lineno or first.lineno) - first.lineno + 1
            found.append((lines, f"{shown(path, node)} {node.name}"))
    return sorted(found)


def most(known: list[tuple[int, str]]) -> int:
    """The 90th percentile of function lengths."""
    return known[int(len(known) * 0.9)][0]


def test_functions_are_short() -> None:
    known = lengths()
    assert [one for one in known if one[0] > LONGEST] == []
    assert most(known) <= MOST_ARE_UNDER


def sizes() -> dict[str, int]:
    """Lines of each file."""
    return {shown(path): len(source(path).splitlines()) for path in modules()}


def test_files_are_small() -> None:
    assert {path: size for path, size in sizes().items() if size > LARGEST} == {}


def patches() -> list[str]:
    """Where a test changes something in our package; monkeypatch.setenv, delenv and chdir are this process's own."""
    return [
        shown(path, node)
        for path in mentioning("|".join(PATCHES))
        for node in nodes(path, ast.Call)
        if (name := dotted(node.func)).rpartition(".")[2] in PATCHES
        and ("patch" in (owner := name.rpartition(".")[0].lower()) or "mock" in owner or not owner)
        and name not in {"setattr", "delattr"}
    ]


def test_our_code_is_not_patched_in_tests() -> None:
    assert patches() == []


def mentioning(pattern: str) -> list[Path]:
    """The files in tests/ whose text the pattern matches; to search a text is quicker than to parse it."""
    return [path for path in sorted((ROOT / "tests").rglob("*.py")) if re.search(pattern, source(path))]


def in_tests(kind: type[Node], pattern: str) -> Iterator[tuple[Path, Node]]:
    """Every node of this kind in the files of tests/ whose text the pattern matches."""
    for path in mentioning(pattern):
        yield from ((path, node) for node in nodes(path, kind))


def name_of(path: Path) -> str:
    """A file's name within tests/."""
    return path.relative_to(ROOT / "tests").as_posix()


def reads_the_clock(path: Path, node: ast.AST) -> bool:
    """Whether it is the system's time, or a sleep; in a file without `import time` the name is another clock's."""
    match node:
        case ast.ImportFrom(module="time"):
            return True
        case ast.Attribute(value=ast.Name(id="time"), attr=name) if name.startswith(CLOCKS):
            return any("time" in {alias.name for alias in one.names} for one in nodes(path, ast.Import))
        case ast.Constant(value=str(script)):
            return any(f"time.{name}(" in script for name in CLOCKS)
        case _:
            return False


def test_no_test_sleeps_or_reads_the_clock() -> None:
    """A machine may be as slow as it likes: a test waits for a condition (`tests/waiting.py`) and measures nothing.

    What guards against slowness counts steps instead. The few that print figures assert nothing about them.
    """
    found = {
        (name_of(path), shown(path, node))
        for kind in (ast.ImportFrom, ast.Attribute, ast.Constant)
        for path, node in in_tests(kind, "from time import|" + "|".join(rf"time\.{name}" for name in CLOCKS))
        if path != Path(__file__) and reads_the_clock(path, node)
    }
    assert sorted(place for name, place in found if not name.startswith(tuple(MEASURES))) == []
    assert {start for start in MEASURES if not any(name.startswith(start) for name, _ in found)} == set()


def test_no_test_asserts_how_long_anything_took() -> None:
    """Played time is another matter: it is the same on every machine."""
    found = [
        shown(path, node)
        for path, node in in_tests(ast.Assert, "took")
        for part in ast.walk(node)
        if isinstance(part, ast.Compare)
        and any(isinstance(sign, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for sign in part.ops)
        and "took" in {getattr(one, "attr", getattr(one, "id", getattr(one, "value", ""))) for one in ast.walk(part)}
        and not isinstance(part.comparators[0], ast.Call)
    ]
    assert found == []


def test_what_a_test_waits_for_at_most_is_named_once() -> None:
    """HANG_S of `tests/waiting.py`, or a name that says why this limit is part of what is tested."""
    found = [
        shown(path, node)
        for path, node in in_tests(ast.Call, r"timeout|\.(wait|join)\(\d")
        if (
            (dotted(node.func).rpartition(".")[2] in WAITS and any(map(_number, limits(node))))
            or dotted(node.func).endswith("mark.timeout")
        )
        and not name_of(path).startswith(tuple(MEASURES))
    ]
    assert found == []


def limits(call: ast.Call) -> Iterator[ast.expr]:
    """The seconds that a call may take."""
    yield from (word.value for word in call.keywords if word.arg == "timeout")
    if dotted(call.func).rpartition(".")[2] in {"wait", "join"} and len(call.args) == 1:
        yield call.args[0]


def _number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def test_hypothesis_has_no_limit_in_time() -> None:
    """The profile of `tests/conftest.py` holds for every test: settings of a test's own would replace parts of it."""
    assert settings().deadline is None
    assert HealthCheck.too_slow in settings().suppress_health_check
    found = [
        shown(path, node)
        for path, node in in_tests(ast.Call, r"settings\(")
        if dotted(node.func) == "settings"
        and {word.arg for word in node.keywords} & {"deadline", "suppress_health_check"}
    ]
    assert found == []


def test_every_module_begins_with_one_sentence() -> None:
    """It is the one in docs/modules.md; theory, or a command's help, may follow after an empty line."""
    wrong = []
    for path in modules():
        doc = ast.get_docstring(tree(path)) or ""
        if not sentence(path).endswith(".") or not (doc == sentence(path) or doc.startswith(f"{sentence(path)}\n\n")):
            wrong.append(shown(path))
    assert wrong == []


TWO_STRINGS = re.compile(r"""["'](?:\s*(?:#[^\n]*)?\n)+\s*[a-zA-Z]{0,2}["']""")
"""where a line that ends in a string is followed by one that begins with one; most files have none"""


def is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def test_nothing_has_two_docstrings() -> None:
    """The second of two string statements in a row documents nothing: it remains when a docstring is rewritten."""
    wrong = [
        shown(path, second)
        for folder in (PACKAGE, ROOT / "tests", ROOT / "tools")
        for path in sorted(folder.rglob("*.py"))
        if TWO_STRINGS.search(source(path))
        for node in ast.walk(tree(path))
        if isinstance(body := getattr(node, "body", None), list)
        for first, second in pairwise(body)
        if is_text(first) and is_text(second)
    ]
    assert wrong == []


def test_names_say_what_they_answer() -> None:
    """No drawer for odds and ends."""
    forbidden = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base"}
    assert [shown(path) for path in modules() if set(path.relative_to(PACKAGE).with_suffix("").parts) & forbidden] == []


def test_every_exception_from_a_lint_has_its_reason() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in (PACKAGE, ROOT / "tests")
        for path in sorted(folder.rglob("*.py"))
        for number, line in enumerate(source(path).splitlines(), 1)
        for mark in ("# noqa: ", "# type: ignore[")
        if line.count(mark) and not _has_reason(line.partition(mark)[2])
    ]
    assert wrong == []


def _has_reason(rest: str) -> bool:
    return " - " in rest or "  # " in rest or '"' in rest


@pytest.mark.parametrize("name", PARTS)
def test_a_generated_part_of_a_document_is_up_to_date(name: str) -> None:
    """If not: `python -m tools.docs`."""
    mark, made = PARTS[name]
    text = (ROOT / name).read_text(encoding="utf-8")
    assert f"<!-- {mark} -->" in text
    assert written(name) == text
    assert made() in text
