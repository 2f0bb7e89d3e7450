"""Carries out many runs, two at a time, and counts what happened."""

from __future__ import annotations

import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from homelab_hooks.simulators.repositories import ScratchRepositories, make_hermetic_env
from tools.soak import landing, lasting, proposing, pushing, reverting, waits
from tools.soak.disks import mountable
from tools.soak.plan import Plan, RunKind, drawn
from tools.soak.scene import Scene

AT_ONCE = 2
ACTS: dict[RunKind, Callable[[Scene], None]] = {
    RunKind.LAND: landing.land, RunKind.WATCH: waits.watch, RunKind.DEPLOY: waits.deploy,
    RunKind.PUSHED: pushing.pushed, RunKind.PROPOSE: proposing.propose, RunKind.REVERT: reverting.revert,
}  # fmt: skip


@dataclass
class Report:
    """What happened."""

    seed: int
    mounts: bool
    runs: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    took: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """As tables."""
        lines = [f"{sum(self.runs.values())} runs of seed {self.seed} in {self.took:.0f} s, {len(self.wrong)} wrong"]
        if not self.mounts:
            lines.append("nothing could be mounted: no full and no read-only disk")
        lines += self.notes
        for name, kinds in (("runs", self.runs), ("faults", self.faults), ("ends", self.ends)):
            lines += ["", f"| {name} | times |", "|---|---|"]
            lines += [
                f"| {kind} | {times} |" for kind, times in sorted(kinds.items(), key=lambda one: (-one[1], one[0]))
            ]
        return "\n".join([*lines, *(f"\n{one}" for one in self.wrong)]) + "\n"


class Soak:
    """Runs of one seed; `tell` hears of each that was wrong at once."""

    def __init__(self, seed: int, *, minutes: float, tell: Callable[[str], object]) -> None:
        self._seed, self._tell = seed, tell
        self._until = time.monotonic() + 60 * minutes
        self._lock = threading.Lock()

    def one(self, number: int) -> Report:
        """A run alone, with all that its commands said."""
        with tempfile.TemporaryDirectory(prefix="homelab-soak-") as name:
            report = self._prepared(Path(name))
            self._run(Path(name), number, report, whole=True)
        return report

    def all(self, count: int, *, played: float = 30.0) -> Report:
        """So many, and a long watch beside them.

        Args:
            played: seconds of the long watch.
        """
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="homelab-soak-") as name:
            folder = Path(name)
            report = self._prepared(folder)
            numbers = iter(range(count))
            threads = [threading.Thread(target=self._work, args=(folder, numbers, report)) for _ in range(AT_ONCE)]
            threads.append(threading.Thread(target=self._long, args=(played, report)))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        report.took = time.monotonic() - begin
        return report

    def _prepared(self, folder: Path) -> Report:
        ScratchRepositories(folder / "first", make_hermetic_env({}, folder / "home"))
        return Report(self._seed, mountable(folder))

    def _work(self, folder: Path, numbers: object, report: Report) -> None:
        while time.monotonic() < self._until:
            with self._lock:
                number = next(numbers, None)  # type: ignore[call-overload]  # an iterator of whole numbers
            if number is None:
                return
            self._run(folder, number, report, whole=False)

    def _run(self, folder: Path, number: int, report: Report, *, whole: bool) -> None:
        plan = drawn(self._seed, number, mounts=report.mounts)
        begin = time.monotonic()
        own = folder / str(number)
        own.mkdir()
        try:
            with Scene(own, plan, folder / "first", mark=f"{self._seed}-{number}-{id(self)}") as scene:
                try:
                    ACTS[plan.kind](scene)
                except Exception:  # noqa: BLE001 - a run that breaks off is reported like one that is wrong
                    scene.complain(traceback.format_exc())
        except Exception:  # noqa: BLE001 - the same
            with self._lock:
                report.wrong.append(f"run {number}: no scene\n{traceback.format_exc()}")
            return
        with self._lock:
            self._count(plan, scene, report, time.monotonic() - begin, whole=whole)

    def _count(self, plan: Plan, scene: Scene, report: Report, took: float, *, whole: bool) -> None:
        report.runs[f"{plan.kind}{' (protected)' if plan.main else ''}: {plan.ci}"] += 1
        report.faults.update(plan.faults)
        report.ends.update(f"{plan.kind}: {end}" for end in scene.ends)
        report.seconds[f"{plan.kind} {plan.number}"] = took
        said = "\n".join([str(plan), *scene.transcript])
        if scene.complaints:
            again = f"python -m tools.soak --seed {self._seed} --only {plan.number}"
            report.wrong.append(
                "\n".join([f"run {plan.number}: {'; '.join(scene.complaints)}", f"again: {again}", said])
            )
            self._tell(f"run {plan.number} is wrong: {'; '.join(scene.complaints)}\n")
        elif whole:
            self._tell(said + "\n")

    def _long(self, played: float, report: Report) -> None:
        note, wrong = lasting.watch(played)
        with self._lock:
            report.notes.append(note)
            report.wrong += wrong
