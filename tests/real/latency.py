"""Measures from a pipeline's end on a real server to the exit of `homelab-watch`: `python -m tests.real.latency`."""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from homelab_hooks.clock import SystemClock
from homelab_hooks.exits import Exit
from tests.real.branch import Branch, Watched
from tests.real.ci import VARIABLES, Binaries
from tests.real.site import Site

TIMES = 20
LASTS = (3.0, 6.0)
"""seconds that a step lasts once the watch has seen it run; spread, so that it ends anywhere between two looks"""
LIMIT = {"stream": (0.3, 1.5), "polls only": (1.5, 4.0)}
"""seconds, median and worst (contract, section 9)"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One pipeline: seconds from its end to the exit of the watch, and what the watch asked."""

    step: float
    """from the last act of its step"""
    list: float
    """from the moment at which the list told"""
    requests: int
    streams: int


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.latency", description=__doc__)
    parser.add_argument("-n", type=int, default=TIMES, help=f"pipelines (default {TIMES})")
    times = parser.parse_args(argv).n
    binaries = Binaries.named(os.environ)
    if binaries is None:
        sys.stderr.write(f"set {' and '.join(VARIABLES)}\n")
        return Exit.USAGE
    with tempfile.TemporaryDirectory(prefix="homelab-latency-") as folder, Site(binaries, Path(folder)) as site:
        found = [one(site, Path(folder), f"pipeline-{number}") for number in range(times)]
    sys.stdout.write("\n".join(table(found)) + "\n")
    return Exit.OK


def one(site: Site, folder: Path, name: str) -> Measured:
    """Push one pipeline, watch it in a process, and let it end in between."""
    place = folder / f"gate-{name}"
    place.mkdir()
    branch = Branch(site, site.clone(name), name, place)
    ended = place / "ended"
    branch.push((*branch.waits[:1], f"date +%s.%N > {ended}"))
    before, clock = len(site.ci.requests()), SystemClock()
    with ThreadPoolExecutor(2) as pool:
        listed: list[Future[float]] = []

        def act(_: int, status: str) -> None:
            if status == "running" and not listed:
                lasts = random.uniform(*LASTS)  # noqa: S311 - spreads the ends, guards nothing
                listed.append(pool.submit(lambda: _seen_by_a_fast_poller(branch, clock, after=lasts)))

        watched = branch.watch(act=act)
        exited = clock.wall()
        told = listed[0].result()
    _sound(watched)
    asked = [entry["path"] for entry in site.ci.requests()[before:]]
    streams = sum(path.startswith("/api/stream") for path in asked)
    step = exited - float(ended.read_text(encoding="utf-8"))
    return Measured(step, exited - told, len(asked), streams)


def _seen_by_a_fast_poller(branch: Branch, clock: SystemClock, *, after: float) -> float:
    """Open the step after a while; the moment at which the list tells that the pipeline has ended, to 10 ms."""
    pause = threading.Event()
    pause.wait(after)
    branch.opened()
    number = branch.rows()[0]["number"]
    path = f"/api/repos/{branch.site.repo}/pipelines?perPage=1"
    for _ in range(3000):
        row = branch.site.ci.api.get(path).json()[0]
        if row["number"] == number and row["status"] == "success":
            return clock.wall()
        pause.wait(0.01)
    raise TimeoutError("the pipeline did not end")


def _sound(watched: Watched) -> None:
    if watched.code != Exit.OK:
        raise RuntimeError(f"a watch ended with {watched.code}: {watched.result}")


def table(found: Sequence[Measured]) -> list[str]:
    """The figures as a Markdown table; a stream that is open at the exit is not yet in the server's log."""
    rows = {
        "end of the step to exit, s": [one.step for one in found],
        "end in the list to exit, s": [one.list for one in found],
        "requests that the server answered": [float(one.requests) for one in found],
        "of these event streams that had ended": [float(one.streams) for one in found],
    }
    lines = [f"| {len(found)} pipelines | min | median | max |", "|---|---|---|---|"]
    for name, values in rows.items():
        lines.append(f"| {name} | {min(values):.2f} | {statistics.median(values):.2f} | {max(values):.2f} |")
    limits = "; ".join(f"{way}: median {median}, worst {worst}" for way, (median, worst) in LIMIT.items())
    return [*lines, "", f"contract, section 9 ({limits})"]


if __name__ == "__main__":
    sys.exit(main())
