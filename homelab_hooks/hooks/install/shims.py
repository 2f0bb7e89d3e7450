"""Our own hooks: their text, and how a git with hooks in its settings starts them."""

from __future__ import annotations

import shlex
from pathlib import Path

TRANSACTION_HOOK, PRE_PUSH_HOOK = "reference-transaction", "pre-push"
INSTALLED_HOOKS = (PRE_PUSH_HOOK, TRANSACTION_HOOK)
"""what is installed; `post-push` is not: `git land` would run it in place of its own stage, which knows more"""
_PATH_PLACEHOLDER = "known=''"


def source_dir() -> Path:
    """The directory of the shims."""
    return Path(__file__).parent / "shims"


MAX_LINE_CHARS = 8192
"""characters of a line that can name a program: more than a path may have"""


def shim_text(name: str, program: str) -> str:
    """A shim that finds homelab at this path where PATH does not have it."""
    return (
        (source_dir() / name).read_text(encoding="utf-8").replace(_PATH_PLACEHOLDER, f"known={shlex.quote(program)}", 1)
    )


def embedded_path(shim: str) -> str:
    r"""The path of homelab that was written into a shim; empty where none was.

    >>> embedded_path("#!/bin/sh\nknown='/opt/my tools/homelab' # x\n"), embedded_path("#!/bin/sh\n")
    ('/opt/my tools/homelab', '')
    >>> embedded_path(f"known={MAX_LINE_CHARS * 'a'}")
    ''
    """
    line = next((line for line in shim.splitlines() if line.startswith("known=")), "")
    if len(line) > MAX_LINE_CHARS:
        return ""
    try:
        return next(iter(shlex.split(line.removeprefix("known="), comments=True)), "")
    except ValueError:  # a quote without its end: somebody has changed it
        return ""


def config_section(name: str) -> str:
    """The name of our hook in git's settings; it must not be that of an event."""
    return f"homelab-{name}"


def config_command(name: str, shim: Path) -> str:
    """What stands in git's settings; git puts the arguments behind it.

    A shim that is gone must not stop a push, and above all no change of a ref: before `committed` nothing is started.

    >>> config_command("pre-push", Path("/h/pre-push"))
    'f() { [ ! -x /h/pre-push ] || /h/pre-push "$@" || :; }; f'
    """
    file = shlex.quote(str(shim))
    if name == TRANSACTION_HOOK:
        return f'f() {{ [ "$1" != committed ] || [ ! -x {file} ] || exec {file} "$@"; }}; f'
    return f'f() {{ [ ! -x {file} ] || {file} "$@" || :; }}; f'
