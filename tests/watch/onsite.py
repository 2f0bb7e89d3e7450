"""Runs a whole watch against the stand-in over a real socket, both in fast motion."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.clock import SystemClock
from homelab_hooks.demo.woodpecker import Woodpecker as StandIn
from homelab_hooks.events import Event
from homelab_hooks.history import Containment
from homelab_hooks.https import LIMIT, Https
from homelab_hooks.reply import NoReply, Reply
from homelab_hooks.server import parse_dial, parse_server
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.absence import CommitFacts
from homelab_hooks.watch.state import Patience, Scope
from homelab_hooks.watch.watch import Request, Sources, run
from homelab_hooks.woodpecker.client import Woodpecker
from homelab_hooks.woodpecker.ear import Ear
from tests.watch.history import NEWER, OLDER, OURS

SPEED = 50.0
"""seconds of the watch and of the stand-in in one of ours"""
LEAST = 0.4
"""real seconds that an answer is waited for at least: this machine may be busy"""


class FastClock:
    """A clock that runs `speed` times as fast; it can be woken like the real one.

    Args:
        skew: seconds by which its wall clock is wrong.
    """

    def __init__(self, speed: float = SPEED, *, skew: float = 0.0) -> None:
        self.speed = speed
        self._begin, self._skew = time.monotonic(), skew
        self._wall = time.time()
        self._news = threading.Event()

    def now(self) -> float:
        return (time.monotonic() - self._begin) * self.speed

    def wall(self) -> float:
        return self._wall + self.now() + self._skew

    def sleep(self, seconds: float) -> None:
        if self._news.wait(seconds / self.speed):
            self._news.clear()

    def wake(self) -> None:
        self._news.set()


class FastHttps:
    """The real client, whose deadlines and durations are told in the fast clock's seconds."""

    def __init__(self, https: Https, speed: float) -> None:
        self._https, self._speed = https, speed

    def ask(
        self, method: str, path: str, *, deadline: float = 15.0, limit: int = LIMIT, body: bytes = b""
    ) -> Reply | NoReply:
        within = max(LEAST, deadline / self._speed)
        reply = self._https.ask(method, path, deadline=within, limit=limit, body=body)
        return reply._replace(took=reply.took * self._speed) if isinstance(reply, Reply) else reply


class Place(NamedTuple):
    """Where CI is, if not at the stand-in's own address."""

    url: str
    dial: str = ""
    ca_file: Path | None = None


class Outcome(NamedTuple):
    """How a watch ended; `took` in the fast clock's seconds."""

    verdict: Verdict
    events: list[Event]
    took: float

    @property
    def said(self) -> str:
        """Everything that was said."""
        return " ".join((*map(str, self.events), self.verdict.reason, self.verdict.hint))


def contains(*, newer: str, ours: str) -> Containment:
    """As the generated histories have it."""
    del ours
    return {NEWER: Containment.CONTAINS, OLDER: Containment.APART}.get(newer, Containment.UNKNOWN)


class Watching(NamedTuple):
    """How to watch.

    `seconds` are the three patiences: timeout, appear, unreachable.
    """

    seconds: tuple[float, float, float] = (60.0, 10.0, 6.0)
    token: str = "alice-token"
    listen: bool = False
    place: Place | None = None
    scope: Scope = Scope(sha=OURS)
    fail_fast: bool = False
    seed: int = 0


def watch(
    site: StandIn,
    how: Watching | None = None,
    *,
    clock: FastClock | None = None,
    tell: Callable[[Event], None] | None = None,
) -> Outcome:
    """Watch to the end."""
    how, clock = how or Watching(), clock or FastClock(site.speed)
    place = how.place or Place(site.url)
    timeout, appear, unreachable = how.seconds
    events: list[Event] = []
    begin = clock.now()

    def told(event: Event) -> None:
        events.append(event)
        if tell:
            tell(event)

    with ExitStack() as opened:

        def connect() -> Https:
            dial = parse_dial(place.dial) if place.dial else None
            https = Https(
                parse_server(place.url), clock=SystemClock(), dial=dial, ca_file=place.ca_file, token=how.token
            )
            return https

        def listen(repo: int) -> Ear:
            ear = Ear(connect(), repo, wake=clock.wake, now=clock.now)
            ear.start()
            return ear

        https = connect()
        opened.callback(https.close)
        request = Request(
            scope=how.scope,
            names=("acme/app",),
            patience=Patience(timeout=timeout, appear=appear, unreachable=unreachable),
            fail_fast=how.fail_fast,
            seed=how.seed,
            web=place.url,
        )
        sources = Sources(
            ci=Woodpecker(FastHttps(https, clock.speed), token="WOODPECKER_TOKEN"),
            contains=contains,
            facts=CommitFacts,
            listen=listen if how.listen else None,
        )
        verdict = run(request, sources, clock=clock, tell=told)
    return Outcome(verdict, events, clock.now() - begin)
