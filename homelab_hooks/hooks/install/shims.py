"""The shims: their text, and the command by which a config hook runs them."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path

TRANSACTION_HOOK, PRE_PUSH_HOOK = "reference-transaction", "pre-push"
INSTALLED_HOOKS = (PRE_PUSH_HOOK, TRANSACTION_HOOK)
"""the hooks that are installed; not `post-push`, which `git land` would run instead of its own CI watch"""
_PATH_PLACEHOLDER = "known=''"
_CHECKSUM_MARK = "# homelab-hooks checksum: "
_CHECKSUM_DIGITS = 16


def source_dir() -> Path:
    """Return the directory of the shims."""
    return Path(__file__).parent / "shims"


MAX_LINE_CHARS = 8192
"""of the line with homelab's path; longer than any path"""


def shim_text(name: str, program: str) -> str:
    """Return the text of a shim that finds homelab at this path if it is not on PATH; its last line is a checksum."""
    source = (source_dir() / name).read_text(encoding="utf-8")
    text = source.replace(_PATH_PLACEHOLDER, f"known={shlex.quote(program)}", 1)
    return f"{text}{_CHECKSUM_MARK}{_checksum(text)}\n"


def is_edited_shim(name: str, text: str) -> bool:
    r"""Return whether a shim was edited after it was installed, as tools do that append to a hook.

    The checksum holds for every version of the shim. One without it is compared with the present version.

    >>> text = shim_text("pre-push", "/opt/homelab")
    >>> is_edited_shim("pre-push", text), is_edited_shim("pre-push", text + "echo more\n")
    (False, True)
    """
    body, mark, rest = text.rpartition(_CHECKSUM_MARK)
    if mark:
        return rest != f"{_checksum(body)}\n"
    return text != shim_text(name, embedded_path(text)).rpartition(_CHECKSUM_MARK)[0]


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_CHECKSUM_DIGITS]


def embedded_path(shim: str) -> str:
    r"""Return the path of homelab in a shim; empty if there is none.

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
    except ValueError:  # an unterminated quote: the line was edited by hand
        return ""


def config_section(name: str) -> str:
    """Return the name of our config hook; it must differ from every hook event, or git reads it as one."""
    return f"homelab-{name}"


def config_command(name: str, shim: Path) -> str:
    """Return the command of a config hook; git appends the hook's arguments.

    A missing shim must not stop a push, and above all no ref update, so nothing runs before the state `committed`.

    >>> config_command("pre-push", Path("/h/pre-push"))
    'f() { [ ! -x /h/pre-push ] || /h/pre-push "$@" || :; }; f'
    """
    file = shlex.quote(str(shim))
    if name == TRANSACTION_HOOK:
        return f'f() {{ [ "$1" != committed ] || [ ! -x {file} ] || exec {file} "$@"; }}; f'
    return f'f() {{ [ ! -x {file} ] || {file} "$@" || :; }}; f'
