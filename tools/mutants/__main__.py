"""Applies each mutation of the register to a copy of the project and runs its tests: tools.mutants [NAME...]."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tools.mutants.copies import ProjectCopy
from tools.mutants.mutant import Defence
from tools.mutants.register import REGISTER

AT_ONCE = 2
"""copies in which tests run"""
PASSED, FAILED = 0, 1
"""pytest's exit codes"""


class MutantOutcome(StrEnum):
    """The result of one mutation."""

    CAUGHT = "caught"
    """a test failed, as it should"""
    SURVIVED = "survived"
    """every test passed"""
    NOT_APPLIED = "did not apply"


class MutantResult(NamedTuple):
    """The outcome, the test that failed or the reason, and the seconds that the tests took."""

    outcome: MutantOutcome
    detail: str
    took_s: float = 0.0


def run_mutant(defence: Defence, folder: Path, source: Path) -> MutantResult:
    """Apply one mutation to a copy of the project, run its tests there, and delete the copy."""
    try:
        copy = ProjectCopy(folder, source)
        if reason := copy.change(defence.changes):
            return MutantResult(MutantOutcome.NOT_APPLIED, reason)
        begin = time.monotonic()
        done = copy.run(defence.tests, "-x")
        return _finding(done, defence, time.monotonic() - begin)
    finally:
        shutil.rmtree(folder)


def _finding(done: subprocess.CompletedProcess[str], defence: Defence, took: float) -> MutantResult:
    lines = done.stdout.strip().splitlines()
    failed = next((line.removeprefix("FAILED ") for line in lines if line.startswith("FAILED ")), "")
    if done.returncode == FAILED and failed:
        return MutantResult(MutantOutcome.CAUGHT, failed, took)
    if done.returncode == PASSED:
        return MutantResult(MutantOutcome.SURVIVED, " ".join(defence.tests), took)
    return MutantResult(MutantOutcome.NOT_APPLIED, " / ".join(lines[-4:]) or done.stderr.strip(), took)


def run_mutants(defences: Sequence[Defence], folder: Path) -> Iterator[tuple[Defence, MutantResult]]:
    """Yield each defence with its result; yield nothing if the tests fail without a mutation."""
    whole = ProjectCopy(folder / "whole")
    done = whole.run(sorted({test for defence in defences for test in defence.tests}), "-n", str(AT_ONCE))
    if done.returncode != PASSED:
        sys.stderr.write(f"the tests fail without any mutation:\n{done.stdout[-3000:]}{done.stderr[-3000:]}\n")
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        places = [folder / str(number) for number, _ in enumerate(defences)]
        yield from zip(defences, pool.map(run_mutant, defences, places, [whole.project] * len(defences)), strict=True)


def main(names: Sequence[str]) -> int:
    """Run the named mutations, or all; return 1 if one of them survived or did not apply."""
    begin = time.monotonic()
    chosen = [defence for defence in REGISTER if defence.name in names or not names]
    if strange := set(names) - {defence.name for defence in chosen}:
        sys.stderr.write(f"no such defence: {', '.join(sorted(strange))}\n")
        return 2
    counted = dict.fromkeys(MutantOutcome, 0)
    with TemporaryDirectory(prefix="defences-") as folder:
        for defence, (outcome, detail, took_s) in run_mutants(chosen, Path(folder)):
            counted[outcome] += 1
            sys.stdout.write(f"{outcome:<13}  {defence.name}: {defence.what}\n{'':<13}    {detail} ({took_s:.0f} s)\n")
            sys.stdout.flush()
    summary = ", ".join(f"{number} {outcome}" for outcome, number in counted.items())
    sys.stdout.write(f"of {len(chosen)} mutations {summary}; {time.monotonic() - begin:.0f} s\n")
    return 0 if chosen and counted[MutantOutcome.CAUGHT] == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
