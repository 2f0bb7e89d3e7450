"""Runs a function in a thread for a limited time, for calls that cannot be interrupted.

A name lookup, a credential helper or a server can hang longer than a command may wait. The thread is a daemon: it is
abandoned when the time is up, and does not keep the process from exiting.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Produced(NamedTuple, Generic[T]):
    """A value that a call returned or an item that it produced."""

    value: T


class TimedOut(NamedTuple):
    """The call did not end within the time."""


def call_within(call: Callable[[], T], seconds: float, *, name: str) -> Produced[T] | TimedOut:
    """Run `call` in a thread and wait up to `seconds` for it; raise what it raises.

    Args:
        name: the thread's name, for debuggers.
    """
    running: ItemStream[T] = ItemStream(lambda put: put(call()), name=name)
    return next(running.items(lambda: seconds))


class ItemStream(Generic[T]):
    """A function that produces items in a thread, started at once.

    Args:
        produce: is given a function that takes each item.
        name: the thread's name, for debuggers.
    """

    def __init__(self, produce: Callable[[Callable[[T], None]], None], *, name: str) -> None:
        self._queue: queue.SimpleQueue[Produced[T] | BaseException | None] = queue.SimpleQueue()
        self._produce = produce
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def items(self, seconds_left: Callable[[], float]) -> Iterator[Produced[T] | TimedOut]:
        """Yield each item as it comes, then end; yield TimedOut and end when no time is left.

        Raises what the function raised.
        """
        while True:
            try:
                item = self._queue.get(timeout=max(0.0, seconds_left()))
            except queue.Empty:
                yield TimedOut()
                return
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    def _run(self) -> None:
        try:
            self._produce(lambda item: self._queue.put(Produced(item)))
        except BaseException as error:  # noqa: BLE001 - passed on to the thread that waits
            self._queue.put(error)
        finally:
            self._queue.put(None)
