"""The three installed commands; each imports as little as it can."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` itself would cost a tenth of what --help may take
import gc
import os
import sys
from collections.abc import Sequence

from homelab_hooks import __version__

TYPE_CHECKING = False  # `typing` itself would cost a third of what --help may take
if TYPE_CHECKING:
    from typing import NoReturn

_MAX_YOUNG_OBJECTS = 100_000
"""objects after which garbage is collected: more than a start makes, which are about 30,000 and hardly ever garbage"""


def homelab(argv: Sequence[str] | None = None) -> int:
    """Run `homelab COMMAND ...`, and return its exit code."""
    return _start("homelab", (), argv)


def homelab_watch(argv: Sequence[str] | None = None) -> int:
    """Run `homelab-watch`, the same as `homelab ci watch`."""
    return _start("homelab-watch", ("ci", "watch"), argv)


def git_land(argv: Sequence[str] | None = None) -> int:
    """Run `git land`, the same as `homelab work land`."""
    return _start("git land", ("work", "land"), argv)


def _start(prog: str, words: tuple[str, ...], argv: Sequence[str] | None) -> int:
    """Run a command. Without `argv`, the arguments are this process's own, and `leave` ends it after the result."""
    if argv is None:
        _end_on_signals()
        from homelab_hooks.cli.process import prepare_interpreter

        prepare_interpreter()
        gc.set_threshold(_MAX_YOUNG_OBJECTS)
    args = list(sys.argv[1:] if argv is None else argv)
    code = 0
    try:
        if args == ["--version"]:
            sys.stdout.write(f"{prog} {__version__}\n")
        else:
            from homelab_hooks.cli.main import main

            code = main(prog, words, args, leave if argv is None else int)
        _flush()
    except KeyboardInterrupt:
        return 130  # before the session began: there is nothing to report
    except OSError as error:
        return code or _unwritten(error)
    return code


def _end_on_signals() -> None:
    """End with 130 or 143 on a signal that arrives before the session begins: there is nothing to report yet.

    A signal that is ignored stays ignored.
    """
    for number, code in ((_signal.SIGINT, 130), (_signal.SIGTERM, 143)):
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, lambda *_, code=code: os._exit(code))


def leave(code: int) -> NoReturn:
    """End this process at once, with the exit code that was printed.

    A normal exit of Python runs atexit handlers, waits for threads and flushes; each of these, or a signal meanwhile,
    could change the code (120 if the flush fails). This program does not need a normal exit: output is flushed at
    once, and children and files are closed where they are used.
    """
    try:
        _flush()
    except OSError as error:
        code = code or _unwritten(error)
    os._exit(code)


def _flush() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def _unwritten(error: OSError) -> int:
    """Return the exit code if output could not be written: 0 for a closed pipe, 1 for an error such as a full disk."""
    from homelab_hooks.system.terminal import redirect_to_devnull

    redirect_to_devnull(1)
    return 0 if isinstance(error, BrokenPipeError) else 1
