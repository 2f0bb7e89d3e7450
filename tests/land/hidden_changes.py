"""Settings with which git takes a changed file for an unchanged one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories

HIDING_SETTINGS = {
    "a file system monitor that reports nothing": {"core.fsmonitor": "{monitor}", "core.fsmonitorHookVersion": "2"},
    "a comparison of sizes and times alone": {"core.trustctime": "false", "core.checkStat": "minimal"},
}
LONG_AGO = (1_600_000_000, 1_600_000_000)
"""access and modification, in unix seconds; git compares a file that is as new as the index by content"""


@contextmanager
def hiding_changes(workshop: ScratchRepositories, clone: Clone, name: str, path: str) -> Iterator[None]:
    """Set up a clone so that it hides a change of this committed file that keeps its size and times.

    At the end, the file and the settings are as they were.
    """
    monitor = workshop.write_hook("monitor", "printf 'token\\0'", where=workshop.folder / "bin")
    os.utime(clone.path / path, LONG_AGO)
    clone.git("status")
    for key, value in HIDING_SETTINGS[name].items():
        clone.git("config", key, value.format(monitor=monitor))
    if "core.fsmonitor" in HIDING_SETTINGS[name]:
        clone.git("update-index", "--fsmonitor")
        clone.git("status")
    try:
        yield
    finally:
        for key in HIDING_SETTINGS[name]:
            clone.git("config", "--unset", key)
        clone.git("update-index", "--no-fsmonitor")
        clone.git("checkout", "--quiet", "--force", "HEAD", "--", path)


def change_unnoticed(clone: Clone, path: str, text: str) -> None:
    """Change a file without changing its size and times; git status must not show it."""
    os.utime(clone.write(path, text), LONG_AGO)
    assert clone.git("status", "--porcelain") == ""
