"""Signals that end this process: raised while it works, and ignored once its result is written."""

from __future__ import annotations

import contextlib
import itertools
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, TypeVar

from homelab_hooks.errors import Terminated

T = TypeVar("T")
Handler = Callable[[int, FrameType | None], None]

RERAISE_AFTER_S = 20.0
"""seconds after which a signal that nobody took is raised again; more than ending several groups of children takes"""
RERAISE_NOW_S = 0.01
"""seconds until it is raised again where it is known to be lost"""
DUPLICATE_COUNT = 2
"""a signal comes twice where git started us: from the terminal, and handed on by git, which waits for our end"""


@contextlib.contextmanager
def catch_signals(again: float = RERAISE_AFTER_S) -> Iterator[None]:
    """Within this, SIGINT, SIGTERM and SIGHUP do not kill the process: they raise in what `interruptible` runs.

    There SIGTERM and a terminal that goes away raise Terminated, as Ctrl-C raises KeyboardInterrupt. One that comes
    before that is raised at its beginning. One that comes after it, or after `ignore_signals`, changes nothing, so that
    what was raised is turned into a result and no second signal interferes. Children are not affected: the handlers are
    functions, which the system replaces by the default in a new program. Within another `terminable` this does nothing.

    The second of a kind is not heard, so that git's echo does not cut the last words short; a third is a person who
    insists. Python loses what a handler raises in a finalizer: then it is raised again at once. It may find a library
    with its own lock in hand (httpcore, in one line): it is raised again every `again` seconds, until the work ends or
    somebody calls `taken`.
    """
    if _STATE.active:
        yield
        return
    before: dict[signal.Signals, Any] = {signal.SIGALRM: signal.getsignal(signal.SIGALRM)}
    unraisable = sys.unraisablehook
    _STATE.begin()
    sys.unraisablehook = _hearing_of_the_lost(unraisable)
    try:
        for which, handler in _handlers(again).items():
            before[which] = signal.signal(which, handler)
        yield
    finally:
        _RERAISER.stop()
        for which, handler in before.items():
            signal.signal(which, handler)
        sys.unraisablehook = unraisable
        _STATE.active = False


def _handlers(again: float) -> dict[signal.Signals, Handler]:
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup wants to outlive its terminal
        numbers.append(signal.SIGHUP)
    heard = {which: itertools.count(1) for which in numbers}

    def end(number: int, frame: FrameType | None) -> None:
        which = signal.Signals(number)
        if next(heard[which]) != DUPLICATE_COUNT:  # in one step: this is interrupted by the next signal
            _STATE.came(which, frame, again)

    return dict.fromkeys(numbers, end)


def _hearing_of_the_lost(
    unraisable: Callable[[sys.UnraisableHookArgs], Any],
) -> Callable[[sys.UnraisableHookArgs], Any]:
    def lost(told: sys.UnraisableHookArgs) -> None:
        if issubclass(told.exc_type, KeyboardInterrupt | Terminated):
            _RERAISER.raise_soon()
        else:
            unraisable(told)

    return lost


def run_interruptible(work: Callable[[], T]) -> T:
    """Run it within `terminable`: a signal is raised here and nowhere else."""
    early, _STATE.early = _STATE.early, None
    if early is not None:
        raise early
    return work()


def ignore_signals() -> None:
    """From here until `terminable` ends no signal changes anything, nor an alarm: the result is about to be written.

    SIGQUIT and SIGKILL still end a process whose output nobody takes.
    """
    if not _STATE.active:
        return
    _STATE.ignored = True
    _RERAISER.stop()
    if signal.getsignal(signal.SIGALRM) is signal.SIG_DFL:  # the alarm of `expire`
        signal.signal(signal.SIGALRM, lambda *_: None)


@contextlib.contextmanager
def pass_signals_to(receiver: Callable[[int], None]) -> Iterator[None]:
    """Within this signals are given to `receiver`, which writes the result; after it they are ignored."""
    _STATE.receiver = receiver
    try:
        yield
    finally:
        ignore_signals()


def acknowledge_interrupt() -> None:
    """Whoever catches what `interruptible` raised, and goes on, says so: else it is raised again."""
    _RERAISER.stop()


class _State:
    """How far this process is: a process has one set of signal handlers."""

    def __init__(self) -> None:
        self.active = False
        """within `terminable`"""
        self.ignored = False
        """the result is being written, or was"""
        self.early: type[BaseException] | None = None
        """what is raised when the work begins"""
        self.receiver: Callable[[int], None] | None = None
        """who gets signals instead of us"""

    def begin(self) -> None:
        """Enter `terminable`."""
        self.active, self.ignored, self.early, self.receiver = True, False, None, None

    def came(self, which: signal.Signals, frame: FrameType | None, again: float) -> None:
        """Raise it if it may be raised here, now and every `again` seconds."""
        cause = KeyboardInterrupt if which is signal.SIGINT else Terminated
        if self.ignored:
            return
        if self.receiver:
            self.receiver(which)
        elif self.may_raise(frame):
            _RERAISER.raise_repeatedly(cause, again)
        else:
            self.early = cause

    def may_raise(self, frame: FrameType | None) -> bool:
        """Whether a signal that interrupts this frame interrupts what `interruptible` runs.

        A flag would not do: it could be cleared only after the exception is caught, and another signal may come before.
        """
        while frame is not None and frame.f_code is not run_interruptible.__code__:
            frame = frame.f_back
        return frame is not None and not self.ignored


class _Reraiser:
    """Raises the same again and again, by the process's alarm, which is as it was before once this has ended.

    Signals come in the middle of it too; what they do here ends by raising, so each line leaves what the next may find.
    """

    def __init__(self) -> None:
        self._every = RERAISE_AFTER_S
        self._before: tuple[Any, float] | None = None
        """whose the alarm was, and the seconds it had left; None while it is not ours"""

    def raise_repeatedly(self, cause: type[BaseException], every: float) -> None:
        """Raise it, and again every so many seconds."""

        def once_more(number: int, frame: FrameType | None) -> None:
            del number
            if _STATE.may_raise(frame):
                raise cause

        self.stop()
        self._every = every
        self._before = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0]
        signal.signal(signal.SIGALRM, once_more)
        signal.setitimer(signal.ITIMER_REAL, self._every, self._every)
        raise cause

    def raise_soon(self) -> None:
        """It was lost: raise it now."""
        if self._before is not None:
            signal.setitimer(signal.ITIMER_REAL, RERAISE_NOW_S, self._every)

    def stop(self) -> None:
        """Somebody took it."""
        if self._before is not None:
            handler, left = self._before
            signal.setitimer(signal.ITIMER_REAL, left)
            signal.signal(signal.SIGALRM, handler)
            self._before = None


_STATE = _State()
_RERAISER = _Reraiser()
"""a process has one alarm"""
