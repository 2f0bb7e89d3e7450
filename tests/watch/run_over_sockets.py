"""Runs a whole watch against the simulated server over real sockets, both in one played time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from homelab_hooks.ci.connection import connect_now
from homelab_hooks.ci.model import LogLine, Repo, RunRef, Step
from homelab_hooks.ci.woodpecker.client import WoodpeckerClient
from homelab_hooks.ci.woodpecker.connect import make_provider
from homelab_hooks.ci.woodpecker.log_stream import LogStreamReader, format_log_path
from homelab_hooks.ci.woodpecker.stream import EventStreamListener
from homelab_hooks.config.address import parse_dial, parse_server_url
from homelab_hooks.events import Event
from homelab_hooks.git.containment import Containment
from homelab_hooks.net.http import HttpClient
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.no_pipeline import CommitFacts
from homelab_hooks.watch.poller import WatchDependencies, WatchRequest
from homelab_hooks.watch.run import run_watch
from homelab_hooks.watch.state import WatchScope, WatchTimeouts
from homelab_hooks.watch.step_output import OpenLogStream
from tests.ci.values import scope_of
from tests.watch.random_history import NEWER, NEWEST, OLDER, OURS
from tests.watch.shared_clock import SharedClock, SharedClockHttp, SkewedClock, hears


class CiLocation(NamedTuple):
    """The address of CI, where it is not the simulated server's own."""

    url: str
    dial: str = ""
    ca_file: Path | None = None


class Outcome(NamedTuple):
    """How a watch ended, and after how many seconds of its own time."""

    verdict: Verdict
    events: list[Event]
    lasted: float

    @property
    def said(self) -> str:
        """Everything that was said."""
        return " ".join((*map(str, self.events), self.verdict.reason, self.verdict.hint))


def contains(*, newer: str, ours: str) -> Containment:
    """As the generated histories have it."""
    del ours
    known = {NEWER: Containment.CONTAINS, NEWEST: Containment.CONTAINS, OLDER: Containment.NOT_CONTAINED}
    return known.get(newer, Containment.UNKNOWN)


class Watching(NamedTuple):
    """How to watch.

    `seconds` are the three timeouts: timeout, appear, unreachable.
    """

    seconds: tuple[float, float, float] = (60.0, 10.0, 6.0)
    token: str = "alice-token"
    listen: bool = False
    shows_output: bool = False
    place: CiLocation | None = None
    scope: WatchScope = scope_of(OURS)
    fail_fast: bool = False
    seed: int = 0
    signs: Mapping[str, str] = MappingProxyType({})
    """by commit, why a run of it depends on the commit before"""
    skew: float = 0.0
    """seconds by which its wall clock is wrong"""


def read_logs(connect: Callable[[], HttpClient]) -> OpenLogStream:
    """As Woodpecker's provider opens the logs of running steps."""

    def open_log(repo: Repo, run: RunRef, step: Step, on_line: Callable[[LogLine], None]) -> LogStreamReader:
        reader = LogStreamReader(connect(), format_log_path(repo, run, step), on_line)
        reader.start()
        return reader

    return open_log


def watch(
    woodpecker: WoodpeckerSimulator, how: Watching | None = None, *, tell: Callable[[Event], None] | None = None
) -> Outcome:
    """Watch to the end, in the server's own time."""
    how, time = how or Watching(), woodpecker.clock
    assert isinstance(time, SharedClock)
    place = how.place or CiLocation(woodpecker.url)
    timeout, appear, unreachable = how.seconds
    events: list[Event] = []
    begin = time.now()

    def record(event: Event) -> None:
        events.append(event)
        if tell:
            tell(event)

    with ExitStack() as opened:

        def connect() -> HttpClient:
            dial = parse_dial(place.dial) if place.dial else None
            return HttpClient(
                parse_server_url(place.url), clock=time, dial=dial, ca_file=place.ca_file, token=how.token
            )

        def listen(repo: Repo) -> EventStreamListener:
            ear = EventStreamListener(connect(), repo, wake=time.wake, now=time.now)
            ear.start()
            hears(woodpecker, time)
            return ear

        https = connect()
        opened.callback(https.close)
        request = WatchRequest(
            scope=how.scope,
            repo_names=("acme/app",),
            timeouts=WatchTimeouts(overall=timeout, appear=appear, unreachable=unreachable),
            fail_fast=how.fail_fast,
            seed=how.seed,
        )
        sources = WatchDependencies(
            ci=make_provider(
                WoodpeckerClient(
                    connect_now(SharedClockHttp(https, woodpecker, time), token_source="WOODPECKER_TOKEN"),
                    server_url=place.url,
                )
            ),
            contains=contains,
            find_dependence=lambda _repo, sha: how.signs.get(sha, ""),
            commit_facts=CommitFacts,
            open_stream=listen if how.listen else None,
            open_log_stream=read_logs(connect) if how.shows_output else None,
        )
        verdict = run_watch(request, sources, clock=SkewedClock(time, how.skew), emit=record)
    return Outcome(verdict, events, time.now() - begin)
