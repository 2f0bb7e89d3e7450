"""Ctrl-Z: removes what must not stay on the terminal, and then stops this process.

A process that stops while it shows a region leaves the region above the shell's prompt, and its next redraw after `fg`
would overwrite what the shell printed meanwhile. So the region is removed before the process stops. A handler of
SIGCONT would be too late: another thread may draw before Python calls it.

If the shell started another process, as git for `git land`, it may take the terminal back before this one is done. The
region then stays where it is, because nothing is erased in the background, and is drawn again below after `fg`.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


class StopHandler:
    """Handles SIGTSTP once installed.

    Args:
        stop: called for each SIGTSTP in the main thread; tidies up and calls `stop_process`.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._installed = False
        self._writes = 0
        self._is_due = False

    def install(self) -> None:
        """Handle SIGTSTP from now on, unless it is ignored or somebody else's; only the main thread can do so."""
        if self._installed or threading.current_thread() is not threading.main_thread():
            return
        self._installed = True
        if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
            signal.signal(signal.SIGTSTP, lambda *_: self._on_signal())

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Within this context, do not stop in the middle of a write: the stream cannot be written again then."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._writes += 1
        try:
            yield
        finally:
            self._writes -= 1
            if self._is_due and not self._writes:
                self._is_due = False
                self._stop()

    def _on_signal(self) -> None:
        if self._writes:
            self._is_due = True
        else:
            self._stop()


def stop_process() -> None:
    """Stop this process as Ctrl-Z does without a handler; returns after it was continued."""
    handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    try:
        signal.raise_signal(signal.SIGTSTP)
    finally:
        signal.signal(signal.SIGTSTP, handler)
