"""How soon the end is known, what it costs the server, and how much memory: against the way it was done before."""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.message import HttpResponse
from homelab_hooks.simulators.faults import FaultRule, StatusFault
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.simulators.woodpecker.server import STREAM_PATH, WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.watch.log_tail import QUIET_PERIOD_S
from tests.watch.run_without_sockets import InMemoryWoodpecker, attempts
from tools.bench.figures import Figure, at_most, delays
from tools.bench.place import PROGRAMS, BenchClone
from tools.bench.pollers import POLL_INTERVAL_S, POLLERS, Ask

UP, DOWN, RED = (1 / 15, 1 / 5), (1 / 3, None), (1 / 5, None)
"""of the median and of the worst of the 3-second poller"""
AT_ONCE = 4
"""pipelines that are watched side by side: each watch has a few milliseconds of work"""
WATCHERS = {"alice": "ours", "bob": "go", "carol": "three"}
SAID = {"go": "a 15-second poller", "three": "a 3-second poller that also requests details and logs"}
STEPS = ("clone", "build", "test")
TEN = 600.0


class ObservedPipeline(NamedTuple):
    """A pipeline as one watcher saw it: seconds from its end to the exit, and what it asked."""

    delay: float
    requests: int
    memory: float


def lengths(number: int, longest: float) -> list[float]:
    """Seconds from 3 to about the longest, whose ends divide the interval between two looks into equal parts."""
    rounds = [int((longest - 3.0) * (index * 0.618 % 1.0) / POLL_INTERVAL_S) for index in range(number)]
    return [3.0 + POLL_INTERVAL_S * (before + index / number) for index, before in enumerate(rounds)]


class WatchMethod(NamedTuple):
    """One way to watch many pipelines."""

    streaming: bool
    history: bool
    watchers: tuple[str, ...]
    exit: ExitCode = ExitCode.OK
    """if they fail, the wait begins when the log of the failed step is there"""

    def script(self, seconds: float) -> PipelineTimeline:
        """The timeline of a pipeline of this length."""
        is_green = self.exit is ExitCode.OK
        return timelines.make_green(seconds, steps=STEPS) if is_green else timelines.make_red(seconds=seconds)

    def log_after(self, seconds: float) -> float:
        """Seconds from the end of such a pipeline until its last log is there; 0 if that does not matter."""
        script = self.script(seconds)
        last = max((chunk.t for chunk in script.logs), default=0.0)
        return 0.0 if self.exit is ExitCode.OK else max(0.0, last - script.frames[-1].t)


class PushedPipeline(NamedTuple):
    """A pipeline on a server of its own."""

    woodpecker: WoodpeckerSimulator
    number: int
    log_after: float
    exit: ExitCode


def latency(place: BenchClone, seconds: list[float]) -> Iterator[Figure]:
    """With the stream and without it, with earlier pipelines of the branch and without."""
    memory, poller = 0.0, [0.0]
    for streaming in (True, False):
        for history in (True, False):
            watchers = ("ours", "go", "three") if streaming and history else ("ours",)
            found = side_by_side(place, WatchMethod(streaming, history, watchers), seconds)
            way = f"event stream {'up' if streaming else 'down'}, duration {'known' if history else 'unknown'}"
            memory = max(memory, *(one.memory for one in found["ours"]))
            poller = [one.delay for one in found["three"]] if "three" in found else poller
            figure = delays(f"end of a pipeline to exit: {way}", [one.delay for one in found["ours"]])
            yield _against(figure, [one.delay for one in found["ours"]], poller, UP if streaming else DOWN)
            for name in watchers[1:]:
                asked = statistics.mean(one.requests for one in found[name])
                mine = statistics.mean(one.requests for one in found["ours"])
                figure = delays(f"end of a pipeline to exit: {SAID[name]}", [one.delay for one in found[name]])
                yield figure._replace(found=f"{figure.found}; {asked:.0f} requests each (homelab: {mine:.0f})")
    yield red(place, seconds)
    yield at_most("memory of a watch", memory, 40, "MB")


def red(place: BenchClone, seconds: list[float]) -> Figure:
    """Pipelines that fail, whose logs are shown before the exit."""
    found = side_by_side(
        place, WatchMethod(streaming=True, history=True, watchers=("ours", "three"), exit=ExitCode.FAILED), seconds
    )
    ours = [one.delay - QUIET_PERIOD_S for one in found["ours"]]
    what = f"log of a failed pipeline to exit, beyond the {QUIET_PERIOD_S:g} s in which a complete log does not grow"
    return _against(delays(what, ours), ours, [one.delay for one in found["three"]], RED)


def _against(figure: Figure, ours: list[float], poller: list[float], most: tuple[float, float | None]) -> Figure:
    """The figure, held against the 3-second poller of the same run."""
    median, worst = most
    held = statistics.median(ours) <= median * statistics.median(poller)
    limit = f"median {median * statistics.median(poller):.2f} s (1/{1 / median:.0f} of the 3-second poller's)"
    if worst is not None:
        held = held and max(ours) <= worst * max(poller)
        limit += f", worst {worst * max(poller):.2f} s (1/{1 / worst:.0f})"
    return figure._replace(limit=limit, held=held)


def side_by_side(place: BenchClone, run: WatchMethod, seconds: list[float]) -> dict[str, list[ObservedPipeline]]:
    """Each pipeline has a server of its own and all the watchers."""
    found: dict[str, list[ObservedPipeline]] = {name: [] for name in run.watchers}
    for first in range(0, len(seconds), AT_ONCE):
        threads = []
        for index, length in enumerate(seconds[first : first + AT_ONCE]):
            threads.append(threading.Thread(target=_one, args=(place, run, length, 0.7 * index, found)))
            threads[-1].start()
        for thread in threads:
            thread.join()
    return found


def _one(
    place: BenchClone, run: WatchMethod, length: float, wait: float, found: dict[str, list[ObservedPipeline]]
) -> None:
    threading.Event().wait(wait)
    sha = place.clone.head
    with WoodpeckerSimulator(SystemClock()) as woodpecker:
        if not run.streaming:
            woodpecker.fail(FaultRule(fault=StatusFault(code=502), path=STREAM_PATH))
        if run.history:
            for number in range(3):
                woodpecker.push(
                    "acme/app", "main", "b" * 40, timelines.make_green(length + number / 10, steps=STEPS), after=-3000
                )
        row = woodpecker.push("acme/app", "main", sha, run.script(length), after=0.5)
        assert row is not None
        pushed = PushedPipeline(woodpecker, row.number, run.log_after(length), run.exit)
        threads = [threading.Thread(target=_watched, args=(place, pushed, name, found)) for name in run.watchers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _watched(place: BenchClone, pushed: PushedPipeline, name: str, found: dict[str, list[ObservedPipeline]]) -> None:
    woodpecker = pushed.woodpecker
    user = next(user for user, watcher in WATCHERS.items() if watcher == name)
    more = {"WOODPECKER_SERVER": woodpecker.url, "WOODPECKER_TOKEN": f"{user}-token"}
    sha = place.clone.head
    ours = [str(PROGRAMS / "homelab-watch"), sha, "--repo", "acme/app", "--output", "plain"]
    argv = ours if name == "ours" else [sys.executable, "-m", "tools.bench.pollers", name, woodpecker.url, sha]
    running = place.start(argv, more=more)
    memory = 0.0
    while running.process.poll() is None:
        memory = max(memory, running.peak)
        threading.Event().wait(0.004)
    exited, code = running.ended()
    end = woodpecker.ended("acme/app", pushed.number)
    assert code == pushed.exit, (name, code)
    assert end is not None
    asked = sum(1 for request in woodpecker.requests if request.user == user)
    found[name].append(ObservedPipeline(exited - end - pushed.log_after, asked, memory))


def requests() -> Iterator[Figure]:
    """Of a ten-minute watch of one pipeline, in simulated time; the stream's own attempts are counted."""
    for stream, most in (("up", 45), ("", 190)):
        for history in (True, False):
            woodpecker = _ten(stream=stream, history=history)
            woodpecker.watch()
            asked = len(woodpecker.requests) + (1 if stream else attempts(TEN))
            way = f"event stream {'up' if stream else 'down'}, duration {'known' if history else 'unknown'}"
            yield at_most(f"requests of a ten-minute watch: {way}", asked, most, "requests")
    for name, poll in POLLERS.items():
        woodpecker = _ten(stream="", history=False)
        poll(_asking(woodpecker), woodpecker.clock.sleep, woodpecker.book.rows[-1].commit)
        yield Figure(f"requests of a ten-minute watch: {SAID[name]}", f"{len(woodpecker.requests)} requests")


def _ten(*, stream: str, history: bool) -> InMemoryWoodpecker:
    woodpecker = InMemoryWoodpecker(stream=stream)
    for number in range(3 if history else 0):
        woodpecker.push(timelines.make_green(TEN, steps=STEPS), at=number * TEN, sha="b" * 40)
    woodpecker.clock.t = 4 * TEN if history else 0.0
    woodpecker.push(timelines.make_green(TEN, steps=STEPS), at=woodpecker.clock.t + 0.5)
    return woodpecker


def _asking(woodpecker: InMemoryWoodpecker) -> Ask:
    def ask(path: str) -> object:
        reply = woodpecker.request("GET", path)
        assert isinstance(reply, HttpResponse)
        return json.loads(reply.body or b"null")

    return ask


def hour(place: BenchClone, speed: float) -> Figure:
    """A watch of one hour in fast motion, as a process of its own."""
    with WoodpeckerSimulator(SystemClock(), speed=speed) as woodpecker:
        woodpecker.push("acme/app", "main", "a" * 40, timelines.make_green(3600, steps=[f"step{n}" for n in range(40)]))
        running = place.start([sys.executable, "-m", "tools.bench.hour", woodpecker.url, str(speed)])
        memory, begin = 0.0, time.monotonic()
        while running.process.poll() is None:
            memory = max(memory, running.peak)
            threading.Event().wait(0.01)
        _, code = running.ended()
        assert code == ExitCode.OK, code
        took = time.monotonic() - begin
    return at_most(f"memory of a one-hour watch (simulated in {took:.0f} s)", memory, 60, "MB")
