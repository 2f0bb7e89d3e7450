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
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.system.clock import SystemClock
from tests.real.branch import Branch, Watched
from tests.real.ci import VARIABLES, Binaries
from tests.real.no_event_stream import NoEventStreamProxy
from tests.real.real_servers import RealServers

TIMES = 20
_POLL_S = 0.01
LASTS = (3.0, 6.0)
"""seconds that a step lasts once the watch has seen it run; spread, so that it ends anywhere between two looks"""
LIMIT = {True: "median 0.3, worst 1.5", False: "median 1.5, worst 4"}
"""seconds, with the event stream and without it"""


class Measured(NamedTuple):
    """One pipeline: seconds from its end to the exit of the watch, and what the watch asked."""

    step: float
    """from the last act of its step"""
    list: float
    """from the moment at which the list told, as a fast poller saw it; it may be a little late itself"""
    lasted: float
    """how long the watch took in all"""
    requests: int


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.latency", description=__doc__)
    parser.add_argument("-n", type=int, default=TIMES, help=f"pipelines (default {TIMES})")
    parser.add_argument("--no-stream", action="store_true", help="the event stream answers 502")
    given = parser.parse_args(argv)
    binaries = Binaries.named(os.environ)
    if binaries is None:
        sys.stderr.write(f"set {' and '.join(VARIABLES)}\n")
        return ExitCode.USAGE
    with ExitStack() as begun:
        folder = Path(begun.enter_context(tempfile.TemporaryDirectory(prefix="homelab-latency-")))
        servers = begun.enter_context(RealServers(binaries, folder))
        if given.no_stream:
            servers.environ["WOODPECKER_SERVER"] = begun.enter_context(NoEventStreamProxy(servers.ci.url)).url
        found = [one(servers, folder, f"pipeline-{number}") for number in range(given.n)]
    sys.stdout.write("\n".join(table(found, streaming=not given.no_stream)) + "\n")
    return ExitCode.OK


def one(servers: RealServers, folder: Path, name: str) -> Measured:
    """Push one pipeline, watch it in a process, and let it end in between."""
    place = folder / f"gate-{name}"
    place.mkdir()
    branch = Branch(servers, servers.clone(name), name, place)
    ended = place / "ended"
    branch.push((*branch.waits[:-1], f"date +%s.%N > {ended}"))
    before, clock = len(servers.ci.requests()), SystemClock()
    begin = clock.wall()
    with ThreadPoolExecutor(1) as pool:
        listed: list[Future[float]] = []

        def act(_: int, status: str) -> None:
            if status == "running" and not listed:
                lasts = random.uniform(*LASTS)  # noqa: S311 - spreads the ends, guards nothing
                listed.append(pool.submit(lambda: _seen_by_a_fast_poller(branch, clock, after=lasts)))

        watched = branch.watch(act=act)
        exited = clock.wall()
        told = listed[0].result()
    _sound(watched)
    step = exited - float(ended.read_text(encoding="utf-8"))
    return Measured(step, exited - told, exited - begin, len(servers.ci.requests()) - before)


def _seen_by_a_fast_poller(branch: Branch, clock: SystemClock, *, after: float) -> float:
    """Open the step after a while; the moment at which the list tells that the pipeline has ended, to 10 ms."""
    pause = threading.Event()
    pause.wait(after)
    branch.opened()
    number = branch.rows()[0]["number"]
    path = f"/api/repos/{branch.servers.repo}/pipelines?perPage=1"
    for _ in range(3000):
        row = branch.servers.ci.api.get(path).json()[0]
        if row["number"] == number and row["status"] == "success":
            return clock.wall()
        pause.wait(_POLL_S)
    raise TimeoutError("the pipeline did not end")


def _sound(watched: Watched) -> None:
    if watched.code != ExitCode.OK:
        raise RuntimeError(f"a watch ended with {watched.code}: {watched.result}")


def table(found: Sequence[Measured], *, streaming: bool) -> list[str]:
    """The figures as a Markdown table."""
    rows = {
        "end of the step to exit, s": [one.step for one in found],
        "end in the list to exit, s": [one.list for one in found],
        "the whole watch, s": [one.lasted for one in found],
        "requests that the server answered": [float(one.requests) for one in found],
    }
    way = "event stream up" if streaming else "event stream down"
    lines = [f"| {len(found)} pipelines, {way} | min | median | max |", "|---|---|---|---|"]
    for name, values in rows.items():
        lines.append(f"| {name} | {min(values):.2f} | {statistics.median(values):.2f} | {max(values):.2f} |")
    return [*lines, "", f"to hold, s: {LIMIT[streaming]}"]


if __name__ == "__main__":
    sys.exit(main())
