"""A clone to push from: real git, real hooks, real background watchers, and a file that receives notifications."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.system.process_table import command_line, process_info
from tests.cli.shell import PROGRAMS, Shell
from tests.waiting import HANG_S, wait_until

TOKEN = "alice-token"
SHIM = """\
[ "$1" = committed ] || exit 0
[ -z "$HOMELAB_IN_LAND$HOMELAB_NO_WATCH" ] || exit 0
while read -r old new ref; do
  case $ref in refs/remotes/*/HEAD) ;; refs/remotes/*)
    HOMELAB_NO_WATCH=1 homelab hooks pushed "$ref" "$new" </dev/null >&2 || : ;;
  esac
done
"""
"""what the real shim calls, without its questions"""


@dataclass
class PushSandbox:
    """A clone of acme/app; every notification is written into the file `heard`."""

    seal: dict[str, str]
    clone: Clone
    woodpecker: WoodpeckerSimulator
    heard: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        return {
            **self.seal,
            "PATH": f"{PROGRAMS}:{self.seal['PATH']}",
            "WOODPECKER_SERVER": self.woodpecker.url,
            "WOODPECKER_TOKEN": TOKEN,
            "HOMELAB_CI_REPO": "acme/app",
            "HOMELAB_NOTIFY": f"cat >'{self.heard}.new' && mv '{self.heard}.new' '{self.heard}'",
            **self.more,
        }

    @property
    def watches(self) -> Path:
        return self.clone.path / ".git/homelab/watches"

    @property
    def shell(self) -> Shell:
        return Shell(self.environ, self.clone.path)

    def config(self, name: str, value: str) -> None:
        self.clone.git("config", name, value)

    def commit(self, script: PipelineTimeline | None = None, *, branch: str = "main") -> str:
        """A new commit, and what CI will make of it."""
        number = self.clone.git("rev-list", "--count", "HEAD")
        sha = self.clone.commit(f"file-{number}")
        if script is not None:
            self.woodpecker.push("acme/app", branch, sha, script)
        return sha

    def passes(self, sha: str) -> None:
        """CI runs a commit again, whose first pipeline would never end, and it passes: what waits for it ends now."""
        self.woodpecker.push("acme/app", "main", sha, timelines.make_green())

    def git(self, *args: str, **environ: str) -> Completed:
        return ProcessRunner({**self.environ, **environ}).run(["git", *args], cwd=self.clone.path, timeout=HANG_S)

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.watches.glob("*.json"))]

    def record(self) -> dict[str, Any]:
        """The only one, once its watch has ended."""
        wait_until(lambda: [one["state"] for one in self.records()] == ["ended"], lambda: f"{self.records()}")
        return self.records()[0]

    def wait_for_watcher(self) -> int:
        """The one that watches now."""
        wait_until(lambda: any(one["state"] == "watching" for one in self.records()), lambda: f"{self.records()}")
        (number,) = self.watchers()
        return number

    def log(self) -> str:
        return "".join(path.read_text() for path in self.watches.glob("*.log"))

    def notification(self) -> dict[str, Any]:
        """The result in the notification."""
        wait_until(self.heard.exists, lambda: f"{self.records()} {self.log()}")
        found: dict[str, Any] = json.loads(self.heard.read_text())
        return found

    def watchers(self) -> list[int]:
        """Those of this clone that run, whatever the records say: the ticket in their environment names it.

        A child of one that has not become another program yet looks the same, and may be gone a moment later.
        """
        found = []
        for place in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if place.name.isdigit() and str(self.clone.path).encode() in (place / "environ").read_bytes():
                    found += [int(place.name)] if "hooks watcher" in command_line(int(place.name)) else []
        return [number for number in found if (known := process_info(number)) and known.parent not in found]

    @staticmethod
    def proc(number: int) -> Path:
        """What the system lists of a process."""
        return Path("/proc") / str(number)

    def end_watchers(self) -> None:
        for number in self.watchers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
            wait_until(lambda number=number: process_info(number) is None)  # type: ignore[misc]  # bound at once
