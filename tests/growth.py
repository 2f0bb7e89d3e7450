"""Whether work grows faster than its input: by this thread's own CPU time, which no other process adds to."""

from __future__ import annotations

import time
from collections.abc import Callable

TIMES = 8
"""how many times longer the longer input is"""
TOO_MUCH = 3 * TIMES
"""how many times more work counts as out of proportion; quadratic growth would be 64 times"""
_LEAST_S = 0.001
"""seconds of CPU time below which a measurement says nothing"""


def growth(work: Callable[[int], object], size: int) -> float:
    """How many times more CPU time `work(TIMES * size)` takes than `work(size)`."""
    return _spent(work, TIMES * size) / max(_LEAST_S, _spent(work, size))


def _spent(work: Callable[[int], object], size: int) -> float:
    """The better of two, because the first may have to warm up."""
    spent = []
    for _ in range(2):
        begin = time.thread_time()
        work(size)
        spent.append(time.thread_time() - begin)
    return min(spent)
