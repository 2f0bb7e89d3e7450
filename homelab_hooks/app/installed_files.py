"""Reads the files that the wheel installs outside the package: completion scripts."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from homelab_hooks.errors import CommandError

DISTRIBUTION = "homelab-hooks"


def find_installed_file(place: str) -> Path:
    """Return the path of a file that was installed below the prefix, such as `share/fish/...`.

    The record of the installation names it, whatever the prefix is: that of pip, pipx, uv, or `pip install --user`.

    Raises:
        CommandError: (usage) this installation has no such file, as an editable one.
    """
    for file in metadata.files(DISTRIBUTION) or ():
        if file.as_posix().endswith(f"/{place}"):
            return Path(str(file.locate())).resolve()
    raise CommandError(
        f"this installation has no {place}",
        hint="it is made when a wheel is built: install with pipx install PATH, or uv tool install PATH",
    )
