"""The three commands that are installed; each starts as little as it can."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from homelab_hooks import __version__


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
    args = list(sys.argv[1:] if argv is None else argv)
    code = 0
    try:
        if args == ["--version"]:
            sys.stdout.write(f"{prog} {__version__}\n")
        else:
            from homelab_hooks.cli.main import main

            code = main(prog, words, args)
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return 130  # before there was anything to say
    except OSError as error:
        from homelab_hooks.terminal import silence

        silence(1)
        seen_enough = isinstance(error, BrokenPipeError)
        return code or (0 if seen_enough else 1)  # a reader may go away; a full disk may not
    return code
