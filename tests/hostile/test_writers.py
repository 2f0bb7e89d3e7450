"""Who writes to the terminal: the views, and a few commands whose texts are fit to be shown, each known by name."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from tools.docs import PACKAGE, modules
from tools.syntax import dotted, nodes

DOORS = {"out", "err", "ask", "draw", "print", "print_help", "write", "writelines"}
FILES = {"file", "pipe", "self._stream", "self.wfile"}
"""objects with a `write` method that are not a terminal"""
KNOWN: dict[str, Counter[str]] = {
    # the module itself; `ring` writes a title of our own words to the terminal of a push
    "system/terminal.py": Counter(print=2, draw=3, write=2),
    # a byte into the clock's own pipe
    "system/clock.py": Counter(write=1),
    # a child's standard input
    "system/child.py": Counter(write=1),
    # a watcher's events, which have passed views/sanitize.py, into their file
    "hooks/background/event_log.py": Counter(write=1),
    # the views: what they hear has passed views/sanitize.py, or holds no text from outside
    "views/plain.py": Counter(err=1, out=1),
    "views/ndjson.py": Counter(out=1),
    "views/live/view.py": Counter(out=1, draw=1, print=1),
    # texts that pass text.fit_to_show where they are written
    "cli/commands/config.py": Counter(out=1, err=1),
    "cli/commands/ci/logs.py": Counter(out=2),
    # and a question whose command passes strip_control_chars in app/command_trust.py
    # the question is made fit in app/command_trust.py
    # an answer: our own words, or a path that work/start.py makes fit
    "app/end_notification.py": Counter(err=1),  # a warning after the result, through sanitize_text
    "notify/apprise_send.py": Counter(write=2),  # a pipe to the process that reads the outcomes
    "app/session.py": Counter(ask=1, err=1, out=1),
    # our own words
    "cli/__init__.py": Counter(write=1),
    "cli/commands/demo.py": Counter(err=1),
    "cli/commands/agent/wake.py": Counter(err=1),
    "cli/main.py": Counter(print_help=1),
    "cli/commands/completion.py": Counter(out=1),
    "cli/commands/manifest.py": Counter(out=1),
    "cli/help.py": Counter(print_help=2),
}
"""how often each module writes; before adding a call here, check that what it writes is sanitized"""


def writes() -> Iterator[tuple[str, str]]:
    """Each call that may reach a terminal: in which module, and by which door."""
    for path in modules():
        name = path.relative_to(PACKAGE).as_posix()
        for node in nodes(path, ast.Call):
            owner, _, door = dotted(node.func).rpartition(".")
            other = (
                owner in FILES
                or (door == "ask" and not owner.endswith("terminal"))
                or name.startswith(("demo/", "simulators/"))
            )
            if door in DOORS and not other:
                yield name, door


def test_only_known_places_write_to_the_terminal() -> None:
    found: dict[str, Counter[str]] = {}
    for name, door in writes():
        found.setdefault(name, Counter())[door] += 1
    assert found == KNOWN


def test_the_views_take_texts_in_at_one_place() -> None:
    """Each view calls `sanitize_event` once, and nothing else in that room makes a text fit."""
    calls = Counter(
        (path.relative_to(PACKAGE).as_posix(), dotted(node.func))
        for path in modules()
        if "views" in path.parts
        for node in nodes(path, ast.Call)
        if dotted(node.func) in {"sanitize_event", "sanitize_text", "strip_control_chars"}
    )
    views = {(f"views/{name}.py", "sanitize_event"): 1 for name in ("plain", "ndjson", "live/view")}
    assert dict(calls) == {**views, ("views/sanitize.py", "sanitize_text"): 2}


def test_every_writer_sanitizes_texts_from_outside() -> None:
    for name in (
        "cli/commands/config.py",
        "cli/commands/ci/logs.py",
        "app/session.py",
        "cli/commands/ci/status.py",
        "cli/commands/work/start.py",
    ):
        names = {node.id for node in nodes(PACKAGE / name, ast.Name)}
        assert "sanitize_text" in names, name
