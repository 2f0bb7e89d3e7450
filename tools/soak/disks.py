"""A disk that is full, read-only, or has a file where our directory should be; mounting needs rights of its own."""

from __future__ import annotations

import contextlib
import subprocess
from functools import cache
from pathlib import Path

from tools.soak.plan import Disk

SIZE = 4 << 20
"""bytes of a small disk"""
BLOCK = 4096
ROOMS = (0, 2, 12)
"""blocks that are left on a full one"""


@cache
def mountable(folder: Path) -> bool:
    """Whether this process may mount."""
    place = folder / "mountable"
    place.mkdir(exist_ok=True)
    if not mount("-t", "tmpfs", "-o", "size=64k", "none", str(place)):
        return False
    return unmount(place)


def mount(*args: str) -> bool:
    """Whether it could be done."""
    with contextlib.suppress(OSError):
        return subprocess.run(["mount", *args], capture_output=True, check=False).returncode == 0
    return False


def unmount(place: Path) -> bool:
    """The same."""
    return subprocess.run(["umount", "--lazy", str(place)], capture_output=True, check=False).returncode == 0


class CloneDisk:
    """Where a clone stands."""

    def __init__(self, folder: Path, disk: Disk, *, room: int) -> None:
        self._disk, self._room = disk, room
        self._mounted: list[Path] = []
        self.home = folder / "disk"
        self.home.mkdir()
        if disk is Disk.FULL and mount("-t", "tmpfs", "-o", f"size={SIZE}", "none", str(self.home)):
            self._mounted.append(self.home)

    def spoil(self, clone: Path) -> None:
        """From now on it is as the plan says."""
        git = clone / ".git"
        match self._disk:
            case Disk.WELL:
                return
            case Disk.FILE:
                (git / "homelab").write_text("not a directory\n", encoding="utf-8")
            case Disk.FULL:
                self._fill()
            case Disk.READ_ONLY:
                if mount("--bind", str(git), str(git)):
                    self._mounted.append(git)
                    mount("-o", "remount,bind,ro", str(git))

    def _fill(self) -> None:
        if not self._mounted:
            return
        with (self.home / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(BLOCK))
        with (self.home / "filler").open("r+b") as file:
            size = file.seek(0, 2)
            file.truncate(max(0, size - self._room * BLOCK))

    def repair(self, clone: Path) -> None:
        """From now on all is well."""
        git = clone / ".git"
        if self._disk is Disk.FILE and (git / "homelab").is_file():
            (git / "homelab").unlink()
        (self.home / "filler").unlink(missing_ok=True)
        if git in self._mounted:
            unmount(git)
            self._mounted.remove(git)

    def leave(self) -> None:
        """Nothing stays mounted."""
        for place in reversed(self._mounted):
            unmount(place)
        self._mounted.clear()
