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
MORE = 2
"""descriptors or threads by which the last third may be above the first"""
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
            seen.append(opened(process.pid))
            if len(seen) % 20 == 0:
                woodpecker.drop_streams()
            threading.Event().wait(played / 1000)
            if time.monotonic() - begin > HANG_S:
                process.kill()
        asked = len(woodpecker.requests)
    note, wrong = _judged(seen, process.returncode)
    return f"a watch of {length / 60:.0f} minutes, {asked} requests: {note}", wrong


def _judged(seen: list[tuple[int, int]], code: int) -> tuple[str, list[str]]:
    third = len(seen) // 3
    first, last = seen[third // 3 : third], seen[2 * third :]
    most = [max(one[kind] for one in part) for part in (first, last) for kind in (0, 1)]
    note = (
        f"at most {most[0]} descriptors and {most[1]} threads in its first third, {most[2]} and {most[3]} in its last"
    )
    wrong = [f"the long watch ended with {code}"] if code else []
    if most[2] > most[0] + MORE or most[3] > most[1] + MORE:
        wrong.append(f"it grows: {note}")
    return note, wrong
