"""Calls with a time limit: their value, their error, or that they did not end."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from homelab_hooks.polling.parallel import ItemStream, Produced, TimedOut, call_within
from tests.waiting import HANG_S


def test_a_call_that_ends_gives_its_value() -> None:
    assert call_within(lambda: None, HANG_S, name="a call") == Produced(None)


def test_a_call_that_fails_raises_here() -> None:
    with pytest.raises(ZeroDivisionError):
        call_within(lambda: 1 // 0, HANG_S, name="a call")


def test_a_call_that_hangs_is_abandoned() -> None:
    over = threading.Event()
    try:
        assert call_within(lambda: over.wait(HANG_S), 0.02, name="a call") == TimedOut()
    finally:
        over.set()


def test_items_come_before_the_time_is_over() -> None:
    over = threading.Event()

    def produce(put: Callable[[int], None]) -> None:
        put(1)
        put(2)
        over.wait(HANG_S)

    left = iter([HANG_S, HANG_S, 0.0])
    try:
        assert list(ItemStream(produce, name="items").items(lambda: next(left))) == [
            Produced(1),
            Produced(2),
            TimedOut(),
        ]
    finally:
        over.set()
