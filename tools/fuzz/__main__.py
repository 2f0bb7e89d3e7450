"""Feeds every reader of something outside what is nearly right: `python -m tools.fuzz [SECONDS] [TARGET...]`."""

from __future__ import annotations

import argparse
import importlib.util
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tools.fuzz.fed import FuzzTarget
from tools.fuzz.mutations import mutated
from tools.fuzz.targets import TARGETS

SLOW_S = 20.0
"""of this process's own time for one input, after which it is a finding too, however busy the machine is"""


class BrokenPromise(NamedTuple):
    """An input that broke a promise."""

    data: bytes
    why: str


def main(argv: Sequence[str] | None = None) -> int:
    """Share the seconds among the targets; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=60.0, help="for all of it (default: 60)")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6, help="of the random numbers")
    parser.add_argument("--atheris", action="store_true", help="guided by coverage (pip install atheris)")
    given = parser.parse_intermixed_args(argv)
    names = given.targets or list(TARGETS)
    if given.atheris and importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed: pip install atheris")
    broken = 0
    for name in names:
        if given.atheris:
            broken += guided(name, given.seconds / len(names))
            continue
        cases, took, found = fed(TARGETS[name], given.seconds / len(names), given.seed)
        sys.stdout.write(f"{name:<16}{cases:>9} cases {took:>7.1f} s  {len(found)} findings  (seed {given.seed})\n")
        for finding in found:
            sys.stdout.write(f"  {finding.data[:400]!r}\n    {finding.why}\n")
        broken += len(found)
        sys.stdout.flush()
    return int(broken > 0)


def fed(fed_: FuzzTarget, seconds: float, seed: int) -> tuple[int, float, list[BrokenPromise]]:
    """Cases, seconds, and one finding of each kind."""
    rng = random.Random(seed)  # noqa: S311 - inputs, not secrets
    begin, cases, found = time.monotonic(), 0, dict[str, BrokenPromise]()
    while time.monotonic() - begin < seconds:
        data = mutated(rng, fed_.seeds)
        cases += 1
        before = time.process_time()
        try:
            fed_.feed(data)
        except Exception as error:  # noqa: BLE001 - every one is a finding
            last = traceback.extract_tb(error.__traceback__)[-1]
            key = f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"
            known = found.get(key)
            if known is None or len(data) < len(known.data):
                found[key] = BrokenPromise(data, f"{key}: {str(error)[:300]}")
        if (spent := time.process_time() - before) > SLOW_S:
            found["slow"] = BrokenPromise(data, f"slow: {spent:.1f} s for {len(data)} bytes")
    return cases, time.monotonic() - begin, list(found.values())


_GUIDED = """
import atheris, sys
with atheris.instrument_imports(include=["homelab_hooks"]):
    from tools.fuzz.targets import TARGETS
fed = TARGETS[sys.argv.pop(1)]
atheris.Setup(sys.argv, lambda data: fed.feed(bytes(data)))
atheris.Fuzz()
"""


def guided(name: str, seconds: float) -> int:
    """The same by atheris, in a process of its own, which ends with its first finding."""
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(TARGETS[name].seeds):
            (Path(folder) / str(number)).write_bytes(seed)
        options = [
            f"-max_total_time={int(seconds)}",
            "-print_final_stats=1",
            "-max_len=65536",
            f"-artifact_prefix={folder}/",
        ]
        done = subprocess.run(
            [sys.executable, "-c", _GUIDED, name, folder, *options], stderr=subprocess.PIPE, text=True
        )
    stats = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line or "Error" in line]
    sys.stdout.write(f"{name:<16}{'; '.join(stats) or 'no figures'}  ended with {done.returncode}\n")
    if done.returncode:
        sys.stdout.write(done.stderr[-3000:] + "\n")
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
