"""Output lines of a program arrive while it runs; the program is ended when the callback returns False."""

from __future__ import annotations

import os
import threading
import tracemalloc

import pytest

from homelab_hooks.system.output import MAX_LINE_BYTES
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.system.process_table import command_line
from tests.waiting import FOREVER, HANG_S, wait_until


@pytest.fixture
def processes() -> ProcessRunner:
    return ProcessRunner({"PATH": os.environ["PATH"]})


class LineRecorder:
    """Records lines, up to a number of them."""

    def __init__(self, most: int = 100) -> None:
        self.lines: list[str] = []
        self.some, self.ended = threading.Event(), threading.Event()
        self._most = most

    def on_line(self, line: str) -> bool:
        self.lines.append(line)
        self.some.set()
        return len(self.lines) < self._most


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


def test_lines_come_while_it_runs_and_its_end_is_reported(processes: ProcessRunner) -> None:
    listener = LineRecorder()
    following = processes.stream_lines(shell("echo one; echo two; printf half"), listener.on_line, listener.ended.set)
    assert listener.ended.wait(HANG_S)
    assert (listener.lines, following.alive) == (["one\n", "two\n"], False)


@pytest.mark.parametrize("end", ["closed by us", "enough lines"])
def test_it_ends_with_all_it_started_without_a_listener(processes: ProcessRunner, end: str) -> None:
    listener = LineRecorder(most=100 if end == "closed by us" else 1)
    following = processes.stream_lines(shell(f"{FOREVER} & echo $!; wait"), listener.on_line, listener.ended.set)
    assert listener.some.wait(HANG_S)
    if end == "closed by us":
        following.close()
    assert listener.ended.wait(HANG_S)
    assert not following.alive
    wait_until(lambda: "sleep" not in command_line(int(listener.lines[0])))


def test_a_program_that_is_not_there_has_ended(processes: ProcessRunner) -> None:
    following = processes.stream_lines(["/no/such/program"], LineRecorder().on_line, lambda: None)
    assert not following.alive
    following.close()


def test_an_endless_line_ends_it(processes: ProcessRunner) -> None:
    listener = LineRecorder()
    processes.stream_lines(shell("exec cat /dev/zero"), listener.on_line, listener.ended.set)
    assert listener.ended.wait(HANG_S)
    assert listener.lines == []


def test_a_line_without_an_end_is_not_kept(processes: ProcessRunner) -> None:
    listener = LineRecorder()
    tracemalloc.start()
    processes.stream_lines(shell(f"head -c {16 * MAX_LINE_BYTES} /dev/zero"), listener.on_line, listener.ended.set)
    assert listener.ended.wait(HANG_S)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert listener.lines == []
    assert most < 4 * MAX_LINE_BYTES
