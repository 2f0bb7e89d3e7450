"""The three commands that are installed; each starts as little as it can."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from homelab_hooks import __version__

TYPE_CHECKING = False  # `typing` itself would cost a third of what --help may take
if TYPE_CHECKING:
    from typing import NoReturn


def homelab(argv: Sequence[str] | None = None) -> int:
    """`homelab VERB ...`."""
    return _start("homelab", (), argv)


def homelab_watch(argv: Sequence[str] | None = None) -> int:
    """`homelab-watch`, the same as `homelab ci watch`."""
    return _start("homelab-watch", ("ci", "watch"), argv)


def git_land(argv: Sequence[str] | None = None) -> int:
    """`git land`, the same as `homelab work land`."""
    return _start("git land", ("work", "land"), argv)


def _start(prog: str, words: tuple[str, ...], argv: Sequence[str] | None) -> int:
    """Run a command; without `argv` it is this process's own, which `leave` ends once there is a result."""
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
        return 130  # before there was anything to say
    except OSError as error:
        return code or _unwritten(error)
    return code


def leave(code: int) -> NoReturn:
    """End this process at once, with the exit code that was printed.

    On Python's own way out atexit handlers, other threads, a signal or an output that cannot be flushed (120) could
    change it. Nothing of ours needs that way: output is flushed at once, children and files are closed where they are
    used.
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
    """The exit code where not all output could be written: its reader may go away, a full disk is an error."""
    from homelab_hooks.system.terminal import redirect_to_devnull

    redirect_to_devnull(1)
    return 0 if isinstance(error, BrokenPipeError) else 1
