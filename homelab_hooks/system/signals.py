"""Handles SIGINT, SIGTERM, and SIGHUP: raises them while a command runs, ignores them once its result is written."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, TypeVar

from homelab_hooks.errors import CommandError, Terminated

T = TypeVar("T")
Handler = Callable[[int, FrameType | None], None]

RERAISE_AFTER_S = 20.0
"""seconds after which an unhandled signal is raised again; longer than ending several process groups takes"""
RERAISE_NOW_S = 0.01
"""seconds until a signal that is known to be lost is raised again"""
DUPLICATE_COUNT = 2
"""when git started this process, Ctrl-C arrives twice: from the terminal, and from git as SIGINT or SIGTERM"""


@contextlib.contextmanager
def catch_signals(again: float = RERAISE_AFTER_S) -> Iterator[None]:
    """Within this context, signals do not end the process: they raise in the function that `run_interruptible` runs.

    There, SIGINT raises KeyboardInterrupt; SIGTERM and SIGHUP raise Terminated. A signal that arrives earlier is raised
    when the function starts. A signal that arrives later, or after `ignore_signals`, is ignored, so that the exception
    becomes a result without a second signal interfering. Child processes are not affected: exec resets handlers that
    are functions to the default. A signal that is ignored stays ignored. Nested use has no effect.

    The second signal is ignored, of whatever kind: the terminal sends SIGINT to git and to this process, and git then
    sends SIGINT or SIGTERM to its children. A third is raised: the user pressed Ctrl-C again. Python discards an
    exception that a handler raises in a finalizer; it is raised again immediately. A handler may also interrupt a
    library that holds a lock and discards the exception (one line in httpcore does), so it is raised again every
    `again` seconds, until the work ends or `acknowledge_interrupt` is called.
    """
    if _STATE.active:
        yield
        return
    before: dict[signal.Signals, Any] = {signal.SIGALRM: signal.getsignal(signal.SIGALRM)}
    unraisable = sys.unraisablehook
    _STATE.begin()
    _ARRIVAL.open()
    sys.unraisablehook = _make_unraisable_hook(unraisable)
    try:
        for which, handler in _handlers(again).items():
            before[which] = signal.signal(which, handler)
        yield
    finally:
        _RERAISER.stop()
        for which, handler in before.items():
            signal.signal(which, handler)
        sys.unraisablehook = unraisable
        _ARRIVAL.close()
        _STATE.active = False


def _handlers(again: float) -> dict[signal.Signals, Handler]:
    # A shell ignores SIGINT in a script's background job, whose Ctrl-C is meant for the script.
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # under nohup, SIGHUP stays ignored
        numbers.append(signal.SIGHUP)

    count = itertools.count(1)

    def end(number: int, frame: FrameType | None) -> None:
        if _runs_in(frame, end):  # a signal that arrived together with the one that is being handled
            return
        if next(count) != DUPLICATE_COUNT:
            _STATE.on_signal(signal.Signals(number), frame, again)

    return dict.fromkeys(numbers, end)


def _runs_in(frame: FrameType | None, function: Callable[..., Any]) -> bool:
    """Return whether this frame is that of the function, or of what it calls."""
    while frame is not None and frame.f_code is not function.__code__:
        frame = frame.f_back
    return frame is not None


def _make_unraisable_hook(
    unraisable: Callable[[sys.UnraisableHookArgs], Any],
) -> Callable[[sys.UnraisableHookArgs], Any]:
    def hook(args: sys.UnraisableHookArgs) -> None:
        if issubclass(args.exc_type, KeyboardInterrupt | Terminated):
            _RERAISER.raise_soon()
        else:
            unraisable(args)

    return hook


def run_interruptible(work: Callable[[], T]) -> T:
    """Run `work` and return its result; within `catch_signals`, signals are raised here and nowhere else.

    An exception that a signal's has become is raised as that of the signal: Python 3.11 wraps what is raised in
    `__set_name__`, as while a module is imported, and a cleanup may fail after Ctrl-C.
    """
    early, _STATE.early = _STATE.early, None
    if early is not None:
        raise early
    try:
        return work()
    except CommandError:
        raise
    except Exception as error:
        interrupt = _find_interrupt(error)
        if interrupt is None:
            raise
        raise interrupt from error


def _find_interrupt(error: BaseException) -> type[BaseException] | None:
    """Return the kind of a signal's exception that this one was raised from, or while it was handled."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, KeyboardInterrupt | Terminated):
            return type(cause)
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return None


def ignore_signals() -> None:
    """Ignore signals and alarms until `catch_signals` ends: the result is about to be written.

    SIGQUIT and SIGKILL still end a process that is blocked on its output.
    """
    if not _STATE.active:
        return
    _STATE.ignored = True
    _RERAISER.stop()
    if signal.getsignal(signal.SIGALRM) is signal.SIG_DFL:  # the alarm of `exit_after`
        signal.signal(signal.SIGALRM, lambda *_: None)


def run_after_result(work: Callable[[], None]) -> None:
    """Run `work` although the result is written, and end it if a signal arrives, which changes nothing else."""
    _STATE.ignored = False
    try:
        run_interruptible(work)
    except (KeyboardInterrupt, Terminated):
        pass
    finally:
        ignore_signals()


@contextlib.contextmanager
def pass_signals_to(receiver: Callable[[int], None]) -> Iterator[None]:
    """Within this context, forward signals to `receiver`, whose process prints the result; ignore them afterwards."""
    _STATE.receiver = receiver
    try:
        yield
    finally:
        ignore_signals()


@contextlib.contextmanager
def interrupt_event_loop() -> Iterator[None]:
    """Within this context, every signal raises KeyboardInterrupt; on leaving it, what `catch_signals` says.

    An event loop of asyncio logs every other exception of a callback, and continues.
    """
    received: list[int] = []

    def interrupt(number: int) -> None:
        received.append(number)
        raise KeyboardInterrupt

    _STATE.receiver = interrupt
    try:
        yield
    except KeyboardInterrupt:
        if received and received[0] != signal.SIGINT:
            raise Terminated from None
        raise
    finally:
        _STATE.receiver = None


def acknowledge_interrupt() -> None:
    """Report that the exception of a signal was caught and work continues; otherwise it is raised again."""
    _RERAISER.stop()


def raise_lost_interrupt() -> None:
    """Raise the exception of a signal now if Python discarded it.

    To be called when a child has ended: Ctrl-C ends it too, and its end would be taken for a failure of its own before
    the exception is raised again.
    """
    if threading.current_thread() is threading.main_thread():
        _RERAISER.raise_lost(sys._getframe())  # noqa: SLF001 - `inspect` would have to be imported


def arrival_pipe() -> int | None:
    """Return a file descriptor that can be read once a signal has arrived; None outside `catch_signals`.

    A signal that arrives just before a system call does not interrupt it, so a sleep waits for this too.
    """
    return _ARRIVAL.reader if threading.current_thread() is threading.main_thread() else None


class _Arrival:
    """The pipe that Python's own handler of signals writes to (signal.set_wakeup_fd)."""

    def __init__(self) -> None:
        self.reader: int | None = None
        self._writer, self._before = -1, -1

    def open(self) -> None:
        """Create the pipe; in another thread than the main one there is none, because no signal is handled there."""
        if threading.current_thread() is not threading.main_thread():
            return
        reader, self._writer = os.pipe()
        for end in (reader, self._writer):
            os.set_blocking(end, False)
        self._before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self.reader = reader

    def close(self) -> None:
        """Restore the previous descriptor, and close the pipe."""
        if self.reader is None:
            return
        signal.set_wakeup_fd(self._before)
        reader, self.reader = self.reader, None
        os.close(reader)
        os.close(self._writer)


class _State:
    """The signal state of this process; global, because a process has one set of signal handlers."""

    def __init__(self) -> None:
        self.active = False
        """within `catch_signals`"""
        self.ignored = False
        """the result is being written, or has been"""
        self.early: type[BaseException] | None = None
        """the exception to raise when the work starts"""
        self.receiver: Callable[[int], None] | None = None
        """gets the signals instead of this process"""

    def begin(self) -> None:
        """Enter `catch_signals`."""
        self.active, self.ignored, self.early, self.receiver = True, False, None, None

    def on_signal(self, which: signal.Signals, frame: FrameType | None, again: float) -> None:
        """Raise, forward, postpone, or ignore a signal; raise it again every `again` seconds."""
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
        """Return whether this frame belongs to the work of `run_interruptible`.

        A flag would not do: it could only be cleared after the exception is caught; another signal may arrive first.
        """
        return _runs_in(frame, run_interruptible) and not self.ignored


class _Reraiser:
    """Raises an exception repeatedly with the process's alarm timer, and restores the timer when it stops.

    Signals may interrupt these methods too, and their handlers raise, so the state is consistent after every line.
    """

    def __init__(self) -> None:
        self._every = RERAISE_AFTER_S
        self._lost: type[BaseException] | None = None
        """the exception, if it was discarded and has not been raised again"""
        self._cause: type[BaseException] = KeyboardInterrupt
        self._before: tuple[Any, float] | None = None
        """the previous handler of the alarm, and its remaining seconds; None if the alarm is not in use here"""

    def raise_repeatedly(self, cause: type[BaseException], every: float) -> None:
        """Raise the exception now, and again every `every` seconds."""

        def once_more(number: int, frame: FrameType | None) -> None:
            del number
            if _STATE.may_raise(frame):
                self._lost = None
                raise cause

        self.stop()
        self._every, self._cause = every, cause
        self._before = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0]
        signal.signal(signal.SIGALRM, once_more)
        signal.setitimer(signal.ITIMER_REAL, self._every, self._every)
        raise cause

    def raise_soon(self) -> None:
        """Raise the exception again in RERAISE_NOW_S: it was lost."""
        if self._before is not None:
            self._lost = self._cause
            signal.setitimer(signal.ITIMER_REAL, RERAISE_NOW_S, self._every)

    def raise_lost(self, frame: FrameType | None) -> None:
        """Raise the exception if it was lost, and this frame belongs to the work."""
        lost = self._lost
        if lost is not None and _STATE.may_raise(frame):
            self._lost = None
            raise lost

    def stop(self) -> None:
        """Stop raising: the exception was handled."""
        self._lost = None
        if self._before is not None:
            handler, left = self._before
            signal.setitimer(signal.ITIMER_REAL, left)
            signal.signal(signal.SIGALRM, handler)
            self._before = None


_STATE = _State()
_RERAISER = _Reraiser()
"""global, because a process has one alarm timer"""
_ARRIVAL = _Arrival()
"""global, because a process has one such descriptor"""
