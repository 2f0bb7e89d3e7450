"""How long a test waits: until a condition holds, and at most so long that only a hang is caught."""

from __future__ import annotations

import threading
from collections.abc import Callable

HANG_S = 300.0
"""seconds after which what a test waits for counts as hung; less than pytest's own limit, so that the test says why

No test may depend on how quick a machine is: this is the limit of every process, thread and answer that a test waits
for, and no test measures how long anything took.
"""
FOREVER = "sleep 3600"
"""a shell command that outlasts every test, and ends by itself where a test that failed has left it behind"""
_POLL_S = 0.01


def wait_until(true: Callable[[], bool], what: str | Callable[[], str] = "it did not happen") -> None:
    """Return once `true()`; raises AssertionError with `what` where that looks like never."""
    pause = threading.Event()
    for _ in range(int(HANG_S / _POLL_S)):
        if true():
            return
        pause.wait(_POLL_S)
    raise AssertionError(what if isinstance(what, str) else what())
