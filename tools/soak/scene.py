"""What one run meets: repositories, a git server, a CI, a place of its own for temporary files, and trouble."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from homelab_hooks.simulators.git_http import GitServer, PushedRef
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories, make_hermetic_env
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.cli.shell import RESULT
from tests.waiting import HANG_S
from tools.bench.place import PROGRAMS
from tools.soak import leftovers
from tools.soak.disks import ROOMS, CloneDisk
from tools.soak.forge import ProtectedForge
from tools.soak.plan import FOR_GOOD, PLAYS, Outage, Plan, Strike

REPO = "acme/app"
UNREACHABLE_TIMEOUT_S = 3.0
"""seconds until the timeout for a server that is gone for good"""
TIMEOUT_S = 200.0
"""seconds until the timeout for one that comes back, or that is slow because the machine is busy"""
LEFT = 30.0
"""seconds that a process may need to end after the command that started it; less than any timeout"""


class SkewedSystemClock(SystemClock):
    """A server's clock that is wrong."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def wall(self) -> float:
        return super().wall() + self._seconds


@dataclass(frozen=True)
class ProcessResult:
    """How a process ended, and whether a signal met it."""

    code: int
    out: str
    err: str
    struck: bool = False

    @property
    def result(self) -> dict[str, str]:
        """The result line taken apart; empty where there is none."""
        found = RESULT.fullmatch(self.out.splitlines()[-1]) if self.out.strip() else None
        return {"verdict": found["verdict"], **dict(p.split("=", 1) for p in found["pairs"].split())} if found else {}

    @property
    def output(self) -> str:
        """The whole output, for the report of a failed run."""
        return f"exit {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}"


class Scene:
    """One run in a folder of its own; its processes and servers end with it."""

    def __init__(self, folder: Path, plan: Plan, first: Path, *, mark: str) -> None:
        self.folder, self.plan, self.mark = folder, plan, mark
        self._first = first
        self._open = ExitStack()
        self._over = threading.Event()
        self._away: threading.Thread | None = None
        self.complaints: list[str] = []
        self.transcript: list[str] = []
        self.ends: list[str] = []

    def __enter__(self) -> Self:
        seal = make_hermetic_env(os.environ, self.folder / "home")
        shutil.copytree(self._first / "srv", self.folder / "workshop/srv")
        self.workshop = ScratchRepositories(self.folder / "workshop", seal)
        self.woodpecker = self._open.enter_context(WoodpeckerSimulator(SkewedSystemClock(self.plan.skew)))
        self.git = self._open.enter_context(GitServer(self.folder / "workshop/srv", seal))
        self.git.plan.on_push = self.pushed
        self.place = CloneDisk(self.folder / "workshop", self.plan.disk, room=ROOMS[self.plan.number % len(ROOMS)])
        self._open.callback(self.place.leave)
        self._open.callback(leftovers.end_all, self.mark)
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self.clone = self.workshop.clone("disk/ann", at=f"{self.git.url}/{REPO}.git", branch="topic")
        self.environ = {
            **seal,
            "PATH": f"{PROGRAMS}:{seal['PATH']}",
            "TMPDIR": str(self.temporary),
            leftovers.MARK: self.mark,
            "WOODPECKER_SERVER": self.woodpecker.url,
            "WOODPECKER_TOKEN": "alice-token",
            "HOMELAB_CI_REPO": REPO,
            "HOMELAB_OUTPUT": "plain",
            "HOMELAB_APPEAR_TIMEOUT": "2" if self.never_appears else str(TIMEOUT_S),
            "HOMELAB_TIMEOUT": "4" if self.plan.ci == "stuck" else str(TIMEOUT_S),
            "HOMELAB_UNREACHABLE_TIMEOUT": str(UNREACHABLE_TIMEOUT_S if self.gone else TIMEOUT_S),
        }
        main = self.plan.main
        self.forge: ProtectedForge | None = None
        if main:
            new = ProtectedForge(REPO, main, self.workshop, self.woodpecker, self.hook)
            self.forge = self._open.enter_context(new)
            self.environ |= self.forge.environ
        return self

    def __exit__(self, *_: object) -> None:
        self.repair()
        self._open.close()

    @property
    def gone(self) -> bool:
        """Whether CI goes away for good."""
        return self.plan.outage is not None and self.plan.outage.seconds > FOR_GOOD

    @property
    def never_appears(self) -> bool:
        """Whether a pipeline or a check is missing for good."""
        main = self.plan.main
        is_checked = main is None or ("never" not in {main.check, main.own} and not main.loses_webhook)
        return self.plan.ci == "never" or not is_checked

    def pushed(self, update: PushedRef) -> None:
        """The forge's webhook."""
        if update.ref == "refs/heads/main":
            self.hook(update.new)
        elif self.forge and update.ref.startswith("refs/heads/") and update.new.strip("0"):
            self.forge.check(update)

    def hook(self, sha: str) -> None:
        """CI begins with a commit."""
        self.woodpecker.push(REPO, "main", sha, PLAYS[self.plan.ci](self.plan.seconds), after=0.1)

    def begin(self) -> None:
        """From now on things go wrong."""
        plan = self.plan
        self.woodpecker.fail(*plan.rules)
        if plan.git:
            self.git.plan.faults, self.git.plan.remaining = {plan.git.service: plan.git.fault}, plan.git.times
        if self.forge:
            self.forge.begin()
        self.place.spoil(self.clone.path)
        if plan.outage:
            self._away = threading.Thread(target=self._outage, args=(plan.outage,), daemon=True)
            self._away.start()

    def _outage(self, outage: Outage) -> None:
        if not self._over.wait(outage.since):
            self.woodpecker.stop()
            self._over.wait(outage.seconds)
            self.woodpecker.start()

    def repair(self) -> None:
        """From now on nothing goes wrong."""
        self._over.set()
        if self._away:
            self._away.join()
        self.woodpecker.fail()
        self.git.plan.faults = {}
        self.git.plan.before_push = None
        if self.forge:
            self.forge.repair()
        self.place.repair(self.clone.path)

    def run(
        self, *argv: str, strike: Strike | None = None, more: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> ProcessResult:
        """Run to the end, with a signal in between."""
        process = subprocess.Popen(
            argv, cwd=cwd or self.clone.path, env={**self.environ, **(more or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        timer = threading.Timer(strike.after, _send, (process, strike)) if strike else None
        if timer:
            timer.start()
        try:
            out, err = process.communicate(timeout=HANG_S)
        except subprocess.TimeoutExpired:
            leftovers.end_all(self.mark)
            out, err = process.communicate()
            self.complain(f"{argv[0]} took more than {HANG_S:g} s")
        struck = timer is not None and timer.finished.is_set()
        if timer:
            timer.cancel()
        ended = ProcessResult(
            process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), struck
        )
        self.transcript.append(f"$ {' '.join(argv)}\n{ended.output}")
        self.ends.append(str(ended.code))
        if "Traceback" in ended.err or "internal error: " in ended.out + ended.err:
            self.complain("an internal error was shown")
        return ended

    def complain(self, what: str) -> None:
        """Something is wrong."""
        self.complaints.append(what)

    def clean(self, *, killed: bool = False) -> None:
        """Nothing is left."""
        left = leftovers.settled(self.mark, LEFT)
        left += leftovers.files(self.temporary, self.clone.path / ".git")
        left += [] if killed else leftovers.locks(self.clone.path / ".git")
        for each in left:
            self.complain(f"still there: {each}")

    @property
    def bob(self) -> Clone:
        """Another developer's clone, over a path without faults."""
        if not (self.workshop.folder / "bob").exists():
            self.workshop.clone("bob")
        return Clone(self.workshop.folder / "bob", self.workshop.environ)

    def push_to_main(self, name: str, text: str) -> str:
        """Commit as Bob, past the protection of main, and return the commit."""
        bob, origin = self.bob, self.workshop.origin
        bob.git("fetch", "--quiet", "origin")
        bob.git("reset", "--quiet", "--hard", "origin/main")
        sha = bob.commit(name, text)
        bob.git("push", "--quiet", "origin", "HEAD:refs/heads/incoming")
        origin.git("update-ref", "refs/heads/main", sha, bob.sha("origin/main"))
        origin.git("update-ref", "-d", "refs/heads/incoming")
        return sha


def _send(process: subprocess.Popen[bytes], strike: Strike) -> None:
    with contextlib.suppress(ProcessLookupError):
        if process.poll() is None:
            (os.killpg if strike.whole else os.kill)(process.pid, signal.Signals(strike.number))
