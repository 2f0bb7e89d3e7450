"""Signals that end this process, raised where it can still say its last words."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from homelab_hooks.errors import Terminated

AGAIN = 8.0
"""seconds after which a signal that nobody took is raised again; more than ending two groups of children takes"""
SOON = 0.01
"""seconds until it is raised again where it is known to be lost"""
ECHO = 2
"""a signal comes twice where git started us: from the terminal, and handed on by git, which waits for our end"""


@contextlib.contextmanager
def terminable(again: float = AGAIN) -> Iterator[Callable[[], None]]:
    """Within this, SIGTERM and a terminal that goes away raise Terminated, as Ctrl-C raises KeyboardInterrupt.

    The second of a kind is not heard, so that git's echo does not cut the last words short; a third is a person who
    insists. Python loses what a handler raises in a finalizer: then it is raised again at once. It may find a library
    with its own lock in hand (httpcore, in one line): it is raised again every `again` seconds, until this ends or what
    is yielded is called.
    """
    heard = {signal.SIGINT: 0, signal.SIGTERM: 0}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup wants to outlive its terminal
        heard[signal.SIGHUP] = 0
    insistence = _Insistence(again)

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        which = signal.Signals(number)
        heard[which] += 1
        if heard[which] != ECHO:
            insistence.give(KeyboardInterrupt if which is signal.SIGINT else Terminated)

    def lost(told: sys.UnraisableHookArgs) -> None:
        if issubclass(told.exc_type, KeyboardInterrupt | Terminated):
            insistence.hurry()
        else:
            unraisable(told)

    before, unraisable = {which: signal.signal(which, end) for which in heard}, sys.unraisablehook
    sys.unraisablehook = lost
    try:
        yield insistence.end
    finally:
        sys.unraisablehook = unraisable
        insistence.end()
        for which, handler in before.items():
            signal.signal(which, handler)


class _Insistence:
    """Raises the same again and again, by the process's alarm, which is as it was before once this has ended."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._before: tuple[Any, float] | None = None
        """whose the alarm was, and the seconds it had left; None while it is not ours"""

    def give(self, cause: type[BaseException]) -> None:
        """Raise it, and again later."""

        def once_more(number: int, frame: FrameType | None) -> None:
            del number, frame
            raise cause

        self.end()
        handler = signal.signal(signal.SIGALRM, once_more)
        left, _ = signal.setitimer(signal.ITIMER_REAL, self._every, self._every)
        self._before = handler, left
        raise cause

    def hurry(self) -> None:
        """It was lost: raise it now."""
        if self._before is not None:
            signal.setitimer(signal.ITIMER_REAL, SOON, self._every)

    def end(self) -> None:
        """Somebody took it."""
        if self._before is not None:
            (handler, left), self._before = self._before, None
            signal.setitimer(signal.ITIMER_REAL, left)
            signal.signal(signal.SIGALRM, handler)
