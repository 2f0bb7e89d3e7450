"""A long watch in fast motion, under faults all the time: what it holds open does not grow."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from homelab_hooks.simulators.faults import BAD_GATEWAY, BodyFault, Cut, FaultPoint, FaultRule, Hang
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import STREAM_PATH, WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.waiting import HANG_S
from tools.bench.place import ROOT
from tools.soak.leftovers import opened

SPEED = 120.0
"""more, and an answer that takes its time on a busy machine counts as a server that is gone"""
WARM_REQUESTS = 20
"""before these the watch still starts, and holds less open than later"""
MORE = 2
"""descriptors or threads by which the least of the last third may be above the least of the first"""
RULES = (
    FaultRule(fault=Cut(FaultPoint.BODY), path="pipelines", every=7),
    FaultRule(fault=Cut(FaultPoint.BEFORE), path="pipelines", first=1, every=11),
    FaultRule(fault=BAD_GATEWAY, path="pipelines", first=2, every=9),
    FaultRule(fault=BodyFault(), path="pipelines", first=3, every=13),
    FaultRule(fault=Hang(FaultPoint.BODY, 20.0), path="pipelines", first=4, every=17),
    FaultRule(fault=Cut(FaultPoint.HEADERS), path=STREAM_PATH, first=1, every=3),
)


def watch(played: float) -> tuple[str, list[str]]:
    """What it held open, and what is wrong with that, in `played` seconds: thirty make an hour."""
    length = SPEED * played
    with WoodpeckerSimulator(SystemClock(), speed=SPEED) as woodpecker:
        woodpecker.push(
            "acme/app", "main", "a" * 40, timelines.make_green(length, steps=[f"step{n}" for n in range(40)])
        )
        woodpecker.fail(*RULES)
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.bench.hour", woodpecker.url, str(SPEED)], cwd=ROOT, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        seen: list[tuple[int, int]] = []
        begin = time.monotonic()
        while process.poll() is None:
            if len(woodpecker.requests) >= WARM_REQUESTS and all(found := opened(process.pid)):
                seen.append(found)
            if len(seen) % 20 == 19:
                woodpecker.drop_streams()
            threading.Event().wait(played / 1000)
            if time.monotonic() - begin > HANG_S:
                process.kill()
        asked = len(woodpecker.requests)
    note, wrong = judge(seen, process.returncode)
    return f"a watch of {length / 60:.0f} minutes, {asked} requests: {note}", wrong


def judge(seen: list[tuple[int, int]], code: int) -> tuple[str, list[str]]:
    """What it held open, and what is wrong with that.

    What is opened and never closed raises the least of it; the most depends on which moments a busy machine looked at.
    """
    third = len(seen) // 3
    wrong = [f"the long watch ended with {code}"] if code else []
    if not third:
        return "it was over before it was looked at", wrong
    least = [min(one[kind] for one in part) for part in (seen[:third], seen[2 * third :]) for kind in (0, 1)]
    begin, end = least[:2], least[2:]
    note = (
        f"at least {begin[0]} descriptors and {begin[1]} threads in the first third, {end[0]} and {end[1]} in the last"
    )
    if any(late > early + MORE for early, late in zip(begin, end, strict=True)):
        wrong.append(f"it grows: {note}")
    return note, wrong
