"""Signals that end this process, raised where it can still say its last words."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from homelab_hooks.errors import Terminated

AGAIN = 20.0
"""seconds after which a signal that nobody took is raised again; more than ending several groups of children takes"""
SOON = 0.01
"""seconds until it is raised again where it is known to be lost"""
ECHO = 2
"""a signal comes twice where git started us: from the terminal, and handed on by git, which waits for our end"""


@contextlib.contextmanager
def terminable(again: float = AGAIN) -> Iterator[None]:
    """Within this, SIGTERM and a terminal that goes away raise Terminated, as Ctrl-C raises KeyboardInterrupt.

    The second of a kind is not heard, so that git's echo does not cut the last words short; a third is a person who
    insists. Python loses what a handler raises in a finalizer: then it is raised again at once. It may find a library
    with its own lock in hand (httpcore, in one line): it is raised again every `again` seconds, until this ends or
    somebody calls `taken`.
    """
    heard = {signal.SIGINT: 0, signal.SIGTERM: 0}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup wants to outlive its terminal
        heard[signal.SIGHUP] = 0

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        which = signal.Signals(number)
        heard[which] += 1
        if heard[which] != ECHO:
            _INSISTENCE.give(KeyboardInterrupt if which is signal.SIGINT else Terminated, again)

    def lost(told: sys.UnraisableHookArgs) -> None:
        if issubclass(told.exc_type, KeyboardInterrupt | Terminated):
            _INSISTENCE.hurry()
        else:
            unraisable(told)

    before, unraisable = {which: signal.signal(which, end) for which in heard}, sys.unraisablehook
    sys.unraisablehook = lost
    try:
        yield
    finally:
        sys.unraisablehook = unraisable
        _INSISTENCE.end()
        for which, handler in before.items():
            signal.signal(which, handler)


def taken() -> None:
    """Whoever catches what `terminable` raised, and goes on, says so: else it is raised again."""
    _INSISTENCE.end()


class _Insistence:
    """Raises the same again and again, by the process's alarm, which is as it was before once this has ended."""

    def __init__(self) -> None:
        self._every = AGAIN
        self._before: tuple[Any, float] | None = None
        """whose the alarm was, and the seconds it had left; None while it is not ours"""

    def give(self, cause: type[BaseException], every: float) -> None:
        """Raise it, and again every so many seconds."""

        def once_more(number: int, frame: FrameType | None) -> None:
            del number, frame
            raise cause

        self.end()
        self._every = every
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


_INSISTENCE = _Insistence()
"""a process has one alarm"""
