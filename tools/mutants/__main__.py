"""Takes each defence out of a copy of the project, and sees whether it is missed: tools.mutants [NAME...]."""

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

from tools.mutants.copies import Copy
from tools.mutants.mutant import Defence
from tools.mutants.register import REGISTER

AT_ONCE = 2
"""copies in which tests run"""
PASSED, FAILED = 0, 1
"""pytest's exit codes"""


class Came(StrEnum):
    """What taking a defence out came to."""

    FELL = "fell"
    """a test failed, as it should"""
    STOOD = "stood"
    """no test noticed"""
    NOT_APPLIED = "did not apply"


class Finding(NamedTuple):
    """It, the test that fell or the reason, and the seconds that the tests took."""

    came: Came
    said: str
    took: float = 0.0


def without(defence: Defence, folder: Path, source: Path) -> Finding:
    """Take one defence out of a copy, and run its tests there; the copy goes away again."""
    try:
        copy = Copy(folder, source)
        if reason := copy.change(defence.changes):
            return Finding(Came.NOT_APPLIED, reason)
        begin = time.monotonic()
        done = copy.run(defence.tests, "-x")
        return _finding(done, defence, time.monotonic() - begin)
    finally:
        shutil.rmtree(folder)


def _finding(done: subprocess.CompletedProcess[str], defence: Defence, took: float) -> Finding:
    lines = done.stdout.strip().splitlines()
    failed = next((line.removeprefix("FAILED ") for line in lines if line.startswith("FAILED ")), "")
    if done.returncode == FAILED and failed:
        return Finding(Came.FELL, failed, took)
    if done.returncode == PASSED:
        return Finding(Came.STOOD, " ".join(defence.tests), took)
    return Finding(Came.NOT_APPLIED, " / ".join(lines[-4:]) or done.stderr.strip(), took)


def findings(defences: Sequence[Defence], folder: Path) -> Iterator[tuple[Defence, Finding]]:
    """Each, as it comes; nothing where the tests fail with every defence in its place."""
    whole = Copy(folder / "whole")
    done = whole.run(sorted({test for defence in defences for test in defence.tests}), "-n", str(AT_ONCE))
    if done.returncode != PASSED:
        sys.stderr.write(
            f"with every defence in its place the tests do not pass:\n{done.stdout[-3000:]}{done.stderr[-3000:]}\n"
        )
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        places = [folder / str(number) for number, _ in enumerate(defences)]
        yield from zip(defences, pool.map(without, defences, places, [whole.project] * len(defences)), strict=True)


def main(names: Sequence[str]) -> int:
    """Take out those that are named, or all; 1 where one of them was not missed."""
    begin = time.monotonic()
    chosen = [defence for defence in REGISTER if defence.name in names or not names]
    if strange := set(names) - {defence.name for defence in chosen}:
        sys.stderr.write(f"no such defence: {', '.join(sorted(strange))}\n")
        return 2
    counted = dict.fromkeys(Came, 0)
    with TemporaryDirectory(prefix="defences-") as folder:
        for defence, (came, said, took) in findings(chosen, Path(folder)):
            counted[came] += 1
            sys.stdout.write(f"{came:<13}  {defence.name}: {defence.what}\n{'':<13}    {said} ({took:.0f} s)\n")
            sys.stdout.flush()
    told = ", ".join(f"{number} {came}" for came, number in counted.items())
    sys.stdout.write(f"of {len(chosen)} defences that were taken out {told}; {time.monotonic() - begin:.0f} s\n")
    return 0 if chosen and counted[Came.FELL] == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
