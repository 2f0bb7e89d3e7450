"""A signal that Python loses, or that finds a library with its own lock in hand, ends the process all the same."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S

BEGIN = """
import os, signal, threading
from homelab_hooks.errors import Terminated
from homelab_hooks.system.signals import acknowledge_interrupt, catch_signals, run_interruptible
from tests.waiting import HANG_S

def give(number):
    os.kill(os.getpid(), number)

def wait():
    threading.Event().wait(HANG_S)
"""
LOST = """
class Finalized:
    def __del__(self):
        give(signal.{signal})
        [None for _ in range(9)]

def work():
    Finalized()
    print("lost")
    wait()

with catch_signals({again}):
    try:
        run_interruptible(work)
    except (KeyboardInterrupt, Terminated) as cut:
        print(type(cut).__name__)
"""
LOST_WITH_CHILD = """
from homelab_hooks.system.process_runner import ProcessRunner

class Finalized:
    def __del__(self):
        give(signal.{signal})
        [None for _ in range(9)]

def work():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])  # it is raised again later than the child ends
    Finalized()
    print("lost")
    ProcessRunner(os.environ).run(["sh", "-c", "kill -INT $$"])
    print("taken for a failure of the child")

with catch_signals({again}):
    try:
        run_interruptible(work)
    except (KeyboardInterrupt, Terminated) as cut:
        print(type(cut).__name__)
"""
NAMED = """
class Descriptor:
    def __set_name__(self, owner, name):
        give(signal.{signal})
        [None for _ in range(9)]

def work():
    class Owner:
        field = Descriptor()

with catch_signals({again}):
    try:
        run_interruptible(work)
    except (KeyboardInterrupt, Terminated) as cut:
        print(type(cut).__name__)
"""
UNCLEAN = """
def work():
    try:
        give(signal.{signal})
        wait()
    finally:
        raise OSError("the cleanup failed too")

with catch_signals({again}):
    try:
        run_interruptible(work)
    except (KeyboardInterrupt, Terminated) as cut:
        print(type(cut).__name__)
"""
LOCKED = """
lock = threading.Lock()

def work():
    lock.acquire()
    try:
        give(signal.{signal})
        wait()
    except BaseException:
        print("once")
        lock.acquire()  # as httpcore does, where the signal came just after it took its lock

with catch_signals({again}):
    try:
        run_interruptible(work)
    except (KeyboardInterrupt, Terminated) as cut:
        print(type(cut).__name__)
"""
FORWARDED = """
def work():
    try:
        give(signal.{signal})
        wait()
    except (KeyboardInterrupt, Terminated):
        give(signal.SIGTERM)  # as git does for the Ctrl-C that the terminal has sent
        [None for _ in range(9)]
        print("handled")
        raise

with catch_signals({again}):
    try:
        run_interruptible(work)
    except (KeyboardInterrupt, Terminated) as cut:
        print(type(cut).__name__)
"""
TAKEN = """
def work():
    try:
        give(signal.{signal})
        wait()
    except (KeyboardInterrupt, Terminated) as cut:
        acknowledge_interrupt()
        threading.Event().wait(1.5 * {again})
        print(type(cut).__name__)

signal.alarm(3600)
with catch_signals({again}):
    run_interruptible(work)
print(signal.getsignal(signal.SIGALRM).name, 3600 - HANG_S < signal.alarm(0) <= 3600)
"""


AGAIN_S = 1.0
"""seconds until a signal is raised again; what is to happen before that takes a thousandth of them"""


def run(script: str, name: str, *, again: float = AGAIN_S) -> Completed:
    top = str(Path(__file__).parents[2])
    text = BEGIN + script.replace("{signal}", name).replace("{again}", str(again)).replace("HANG_S", str(HANG_S))
    return ProcessRunner({**os.environ, "PYTHONPATH": top}).run([sys.executable, "-c", text], timeout=HANG_S)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "raised"), [("SIGINT", "KeyboardInterrupt"), ("SIGTERM", "Terminated")])
def test_a_signal_that_finds_a_lock_in_hand_is_raised_again(name: str, raised: str) -> None:
    done = run(LOCKED, name)
    assert (done.code, done.out.splitlines(), done.err) == (0, ["once", raised], ""), done


@pytest.mark.slow
@pytest.mark.parametrize(("name", "raised"), [("SIGINT", "KeyboardInterrupt"), ("SIGTERM", "Terminated")])
def test_a_signal_that_python_loses_is_raised_again_at_once_and_without_a_traceback(name: str, raised: str) -> None:
    """It may be raised again within the call of print: the line end is then missing."""
    done = run(LOST, name, again=60)
    assert (done.code, done.out.removeprefix("lost").split(), done.err) == (0, [raised], ""), done


@pytest.mark.slow
@pytest.mark.parametrize(("name", "raised"), [("SIGINT", "KeyboardInterrupt"), ("SIGTERM", "Terminated")])
def test_a_signal_that_python_loses_is_not_taken_for_a_failure_of_the_child_that_it_ended(
    name: str, raised: str
) -> None:
    done = run(LOST_WITH_CHILD, name, again=60)
    assert (done.code, done.out.splitlines(), done.err) == (0, ["lost", raised], ""), done


@pytest.mark.slow
@pytest.mark.parametrize(("name", "raised"), [("SIGINT", "KeyboardInterrupt"), ("SIGTERM", "Terminated")])
@pytest.mark.parametrize("script", [NAMED, UNCLEAN], ids=["python wraps it", "the cleanup fails"])
def test_a_signal_whose_exception_became_another_one_is_no_internal_error(script: str, name: str, raised: str) -> None:
    """Seen once in some thousand runs: Ctrl-C while a module with a cached_property was imported."""
    done = run(script, name, again=60)
    assert (done.code, done.out.splitlines(), done.err) == (0, [raised], ""), done


@pytest.mark.slow
@pytest.mark.parametrize(("name", "raised"), [("SIGINT", "KeyboardInterrupt"), ("SIGTERM", "Terminated")])
def test_the_second_signal_of_one_interruption_does_not_disturb_the_first(name: str, raised: str) -> None:
    done = run(FORWARDED, name, again=60)
    assert (done.code, done.out.splitlines(), done.err) == (0, ["handled", raised], ""), done


@pytest.mark.slow
def test_one_that_was_taken_is_not_and_the_alarm_of_before_is_set_again() -> None:
    done = run(TAKEN, "SIGTERM")
    assert done.out.splitlines() == ["Terminated", "SIG_DFL True"], done
