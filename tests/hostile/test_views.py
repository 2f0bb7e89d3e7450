"""Every text of every event, as hostile as it can be, through every view: nothing of it acts, hides or leaks."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple, get_args, get_type_hints

import pytest

from homelab_hooks.events import Event, Log, LogLevel, Result, StageChanged, StepChanged
from homelab_hooks.text.redaction import Redactor
from homelab_hooks.views.ndjson import EVENT_NAMES, NdjsonView
from homelab_hooks.views.plain import PlainView
from tests.hostile.strings import HOSTILE, SECRET
from tests.views.scene import EVENTS, SHA, Page
from tests.views.schema import SCHEMA
from tests.views.terminal_emulator import Show, TerminalEmulator
from tools.fuzz.texts import harmful

pytestmark = pytest.mark.slow

OURS = re.compile(r"\x1b\[(?:\?25[lh]|\?7[lh]|[0-9]*A|K|C|J|[0-9;]*m)|\r\n|\r|\x1b\]8;(?:;https?://[!-~]+|;)\x1b\\")
"""all that the live view itself may write beside text"""


class TextField(NamedTuple):
    """A field that holds a text, in an event or in a part of one."""

    kind: type[Event]
    part: str
    field: str


def texts(kind: Any) -> Iterator[str]:
    """The names of the fields of a type that hold a text."""
    yield from (name for name, hint in get_type_hints(kind).items() if hint is str)


def places() -> list[TextField]:
    """Every text of every event, found by its type."""
    found = []
    for kind in EVENT_NAMES:
        found += [TextField(kind, "", name) for name in texts(kind)]
        for part, hint in get_type_hints(kind).items():
            inner = next(iter(get_args(hint)), None)
            if hasattr(inner, "_fields"):
                found += [TextField(kind, part, name) for name in texts(inner)]
    return found


def whole(kind: Any) -> Any:
    """A value of a type with every field set."""
    known: dict[Any, Any] = {str: "word", int: 7, float: 3.5, bool: True}
    members = [member for member in get_args(kind) if member not in (type(None), ...)]
    if members:
        one = whole(members[0])
        return (one,) if typing.get_origin(kind) is tuple else one
    if kind in known:
        return known[kind]
    if issubclass(kind, Enum):
        return list(kind)[-1]
    return kind(**{name: whole(hint) for name, hint in get_type_hints(kind).items()})


def hostile(place: TextField, text: str) -> Event:
    """An event whole but for one text, which is hostile."""
    event: Any = whole(place.kind)
    if not place.part:
        return typing.cast("Event", event._replace(**{place.field: text}))
    part = getattr(event, place.part)
    one = part if hasattr(part, "_replace") else part[0]
    inner = one._replace(**{place.field: text})
    return typing.cast("Event", event._replace(**{place.part: inner if one is part else (inner,)}))


def events_with(place: TextField) -> list[Event]:
    """One event for each hostile text."""
    return [hostile(place, text) for text in HOSTILE.values()]


PLACES = pytest.mark.parametrize("place", places(), ids=lambda place: ".".join((EVENT_NAMES[place.kind], *place[1:])))


def test_every_text_of_every_event_is_known() -> None:
    """A new event, or a new field of one, is walked without a word here."""
    assert len(places()) >= 40
    assert {place.kind for place in places()} == set(EVENT_NAMES) - {
        kind for kind in EVENT_NAMES if not list(texts(kind))
    }


@PLACES
def test_plain_says_nothing_harmful(place: TextField) -> None:
    for event in events_with(place):
        page = Page()
        PlainView(page, Redactor([SECRET])).tell(event)
        for line in (*page.stdout, *page.stderr):
            assert not harmful(line), line
            assert SECRET not in line
            assert "ss@" not in line
        assert all(len(line) < 200 for line in page.stderr)
        if isinstance(event, Result) and (place.field, place.part) != ("verdict", ""):
            assert [line.split(" ")[:3] for line in page.stdout] == [["homelab:", "word", f"exit={int(event.exit)}"]]


@PLACES
def test_json_says_nothing_harmful(place: TextField) -> None:
    for event in events_with(place):
        page = Page()
        NdjsonView(page, Redactor([SECRET]), lambda: "2026-11-24T08:00:00.000+00:00").tell(event)
        (line,) = page.stdout
        assert line.isprintable() or not harmful(line)
        for text in _strings(json.loads(line)):
            assert not harmful(text), text
            assert SECRET not in text
            assert "ss@" not in text
        assert json.loads(line)["event"] in SCHEMA["$defs"]


def _strings(raw: Any) -> Iterator[str]:
    if isinstance(raw, str):
        yield raw
    elif isinstance(raw, dict):
        yield from (text for value in raw.values() for text in _strings(value))
    elif isinstance(raw, list):
        yield from (text for value in raw for text in _strings(value))


@PLACES
def test_live_writes_nothing_but_its_own_sequences(place: TextField) -> None:
    for event in events_with(place):
        emulator = TerminalEmulator(80, 24)
        show = Show(emulator)
        show.tell(event)
        show.view.close()
        for written in (*emulator.written, *emulator.stdout):
            assert not harmful(OURS.sub("", written).replace("\n", "")), written
            assert SECRET not in OURS.sub("", written)
        for piece in re.split(r"\r\n", "".join(emulator.written)):
            assert not piece.startswith("\x1b[0m"), "an attribute was left on at the end of a line"


@pytest.mark.parametrize("name", HOSTILE)
def test_live_leaves_the_terminal_as_it_was(name: str) -> None:
    """Whatever all texts try: the region goes away whole, no attribute stays on, and the cursor is where it belongs."""
    emulator = TerminalEmulator(80, 30)
    show = Show(emulator)
    show.tell(*(hostile(place, HOSTILE[name]) for place in places() if place.kind is not Result))
    assert len(emulator.lines) <= 30
    show.view.close()
    emulator.out("the end")
    assert emulator.lines[-1] == "the end"
    after = emulator.screen.cursor
    assert (after.x, after.y, after.hidden) == (0, len(emulator.lines), False)
    assert after.attrs == emulator.screen.default_char
    assert emulator.screen.title == ""
    assert not any(row.strip() in {"✓", "●"} for row in emulator.lines)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_swallows_the_words_beside_it(name: str) -> None:
    step = StepChanged(7, HOSTILE[name][:60], 1, HOSTILE[name][:60], "failure", exit_code=3)
    page = Page()
    PlainView(page, Redactor()).tell(step)
    assert ": failure (exit code 3)" in page.stderr[0]


def test_a_color_ends_with_its_line() -> None:
    emulator = TerminalEmulator(80, 24)
    Show(emulator).tell(Log("step a/b", "\x1b[31;7mred", LogLevel.INFO), StageChanged(*EVENTS[1][:2]))
    line = next(line for text in emulator.written for line in text.split("\r\n") if "red" in line)
    assert re.search(r"red\x1b\[0m", line)


def test_the_scene_is_shown_with_its_secrets_gone() -> None:
    """The events that people see, told with a hostile sha: the last line stays one line."""
    page = Page()
    for event in EVENTS:
        PlainView(page, Redactor([SECRET])).tell(event._replace(sha=f"{SHA}\n") if isinstance(event, Result) else event)
    assert len(page.stdout) == 1
    assert page.stdout[0].split(" ")[3] == f"sha={SHA}"
