"""How soon a command is there, and what `git land` adds to fetch, merge and push."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tools.bench import hooking
from tools.bench.figures import Figure, ratio
from tools.bench.place import PROGRAMS, BenchClone

BARE = (sys.executable, "-c", "pass")


def figures(place: BenchClone, times: int) -> Iterator[Figure]:
    """One after another."""
    for words in (("homelab", "--help"), ("homelab-watch", "--version")):
        ours, bare = in_turn(place, (str(PROGRAMS / words[0]), *words[1:]), BARE, times)
        yield ratio(f"`{' '.join(words)}` compared with `python -c pass`", ours, bare, 2.5)
    yield first_request(place, times)
    yield attaching(place, times)
    yield from hooking.figures(place, 2 * times)
    yield landing(place, max(5, times // 2))


def in_turn(place: BenchClone, ours: Sequence[str], bare: Sequence[str], times: int) -> tuple[list[float], list[float]]:
    """Seconds of each, taken alternately."""
    found = [(place.took(ours), place.took(bare)) for _ in range(times + 1)][1:]
    return [mine for mine, _ in found], [its for _, its in found]


def first_request(place: BenchClone, times: int) -> Figure:
    """From the start of `homelab-watch` to the first request that the server gets; the token is in the environment."""
    ours, bare = [], []
    for _ in range(times):
        bare.append(place.took(BARE))
        with WoodpeckerSimulator(SystemClock()) as woodpecker:
            woodpecker.push("acme/app", "main", place.clone.head, timelines.make_blocked())
            more = {"WOODPECKER_SERVER": woodpecker.url, "WOODPECKER_TOKEN": "alice-token"}
            begin = time.monotonic()
            running = place.start(
                [str(PROGRAMS / "homelab-watch"), "--repo", "acme/app"], more=more, cwd=place.clone.path
            )
            running.ended()
            ours.append(woodpecker.requests[0].at - begin)
    return ratio("first API request compared with `python -c pass`", ours, bare, 9)


def attaching(place: BenchClone, times: int) -> Figure:
    """`homelab follow` of a commit whose background watcher has ended, against a bare process."""
    place.clone.git("push", "--quiet", "origin", "HEAD:main")
    place.clone.git("remote", "set-head", "origin", "main")
    place.clone.git("config", "homelab.follow", "run:true")
    follow = (str(PROGRAMS / "homelab"), "follow")
    place.took((*follow, "--detach"))
    place.took(follow)  # waits for the watcher's end
    ours, bare = in_turn(place, follow, BARE, times)
    place.clone.git("config", "--unset", "homelab.follow")
    return ratio("`homelab follow` attached to an ended watcher, compared with `python -c pass`", ours, bare, 6)


def landing(place: BenchClone, times: int) -> Figure:
    """`git land` against the three commands that it stands for, on a local remote."""
    ours, bare, python = [], [], []
    mine = place.workshop.clone("landing", branch="topic")
    its = place.workshop.clone("bare", branch="topic")
    script = "git fetch --quiet origin && git merge --quiet origin/main && git push --quiet origin HEAD:main"
    for number in range(times):
        mine.commit(f"mine {number}")
        ours.append(place.took([str(PROGRAMS / "git-land"), "--no-ci-watch", "--no-verify"], cwd=mine.path))
        its.git("fetch", "--quiet", "origin")
        its.git("merge", "--quiet", "origin/main")
        its.commit(f"bare {number}")
        bare.append(place.took(["sh", "-c", script], cwd=its.path))
        _follow(mine.path, place)
        python.append(place.took(BARE))
    more, start = statistics.median(ours) - statistics.median(bare), statistics.median(python)
    found = f"{more / start:.1f} times `python -c pass` ({more * 1000:.0f} ms and {start * 1000:.0f} ms)"
    what = "`git land --no-ci-watch --no-verify`, added to fetch, merge, push"
    return Figure(what, found, "15 times", more / start <= 15)


def _follow(clone: Path, place: BenchClone) -> None:
    """Take the other's commit in beforehand, so that both merge nothing."""
    place.took(["git", "pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main"], cwd=clone)
