"""The file of a watcher's events: a reader gets each line once, in order, also while the file is shortened."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from homelab_hooks.hooks.background.event_log import EventLogReader, EventLogWriter

OpenReader = Callable[[Path], EventLogReader]


@pytest.fixture
def open_reader() -> Iterator[OpenReader]:
    with ExitStack() as stack:
        yield lambda path: stack.enter_context(closing(EventLogReader(path)))


def line(seq: int, text: str = "") -> str:
    return json.dumps({"seq": seq, "text": text})


def numbers(reader: EventLogReader) -> list[int]:
    return [raw["seq"] for raw in reader.read()]


def test_a_reader_gets_what_was_written_before_and_after_it_came(tmp_path: Path, open_reader: OpenReader) -> None:
    path = tmp_path / "log.events"
    writer, reader = EventLogWriter(path), open_reader(path)
    assert numbers(reader) == []
    writer.append(line(1))
    writer.append(line(2))
    assert numbers(reader) == [1, 2]
    writer.append(line(3))
    assert (numbers(reader), numbers(reader)) == ([3], [])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_half_a_line_is_read_when_it_is_complete_and_a_damaged_one_left_out(
    tmp_path: Path, open_reader: OpenReader
) -> None:
    path = tmp_path / "log.events"
    path.write_text('{"seq": 1}\n{"se')
    reader = open_reader(path)
    assert numbers(reader) == [1]
    with path.open("a") as file:
        file.write('q": 2}\nnonsense\n[]\n{"seq": true}\n{"seq": 3}\n')
    assert numbers(reader) == [2, 3]


def test_a_file_that_is_shortened_keeps_its_ends_and_a_reader_that_keeps_up_misses_nothing(
    tmp_path: Path, open_reader: OpenReader
) -> None:
    path = tmp_path / "log.events"
    writer, steady = EventLogWriter(path, max_bytes=2000), open_reader(path)
    seen: list[int] = []
    for seq in range(1, 201):
        writer.append(line(seq, "x" * 30))
        seen += numbers(steady)
    assert seen == list(range(1, 201))
    assert path.stat().st_size <= 2100
    late = open_reader(path)
    kept = numbers(late)
    assert (kept[0], kept[-1]) == (1, 200)
    assert kept == sorted(set(kept))
    assert late.skipped_count == 200 - len(kept) > 0


def test_a_reader_finishes_a_file_that_was_deleted(tmp_path: Path, open_reader: OpenReader) -> None:
    path = tmp_path / "log.events"
    EventLogWriter(path).append(line(1))
    reader = open_reader(path)
    assert numbers(reader) == [1]
    EventLogWriter(path).append(line(2))
    path.unlink()
    assert numbers(reader) == [2]
