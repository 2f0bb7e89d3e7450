"""Describes how a process ended."""

from __future__ import annotations

import signal

_SHELL_OFFSET_CODE = 128
"""a shell exits with this plus the number of the signal that killed its command"""


def describe_exit(code: int) -> str:
    """Return how a process ended, as the predicate of a sentence.

    Args:
        code: its exit code; negative for a signal, as in subprocess.

    >>> describe_exit(2), describe_exit(-9), describe_exit(139)
    ('exited with code 2', 'was killed by SIGKILL', 'exited with code 139 (killed by SIGSEGV)')
    """
    if code < 0:
        return f"was killed by {_signal_name(-code)}"
    killed = code - _SHELL_OFFSET_CODE
    named = killed in {each.value for each in signal.Signals}
    return f"exited with code {code}" + (f" (killed by {_signal_name(killed)})" if named else "")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"
