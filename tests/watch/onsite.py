"""Runs a whole watch against the stand-in over a real socket, both in fast motion."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.clock import SystemClock
from homelab_hooks.demo.woodpecker import Woodpecker as StandIn
from homelab_hooks.events import Event
from homelab_hooks.history import Containment
from homelab_hooks.https import Https
from homelab_hooks.server import parse_dial, parse_server
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.absence import CommitFacts
from homelab_hooks.watch.state import Patience, Scope
from homelab_hooks.watch.watch import Request, Sources, run
from homelab_hooks.woodpecker.client import Woodpecker
from homelab_hooks.woodpecker.ear import Ear
from homelab_hooks.woodpecker.entry import entered
from tests.bench.fast import FastClock, FastHttps
from tests.watch.history import NEWER, OLDER, OURS


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
            return Https(
                parse_server(place.url), clock=SystemClock(), dial=dial, ca_file=place.ca_file, token=how.token
            )

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
            ci=Woodpecker(entered(FastHttps(https, clock.speed), token="WOODPECKER_TOKEN")),
            contains=contains,
            facts=CommitFacts,
            listen=listen if how.listen else None,
        )
        verdict = run(request, sources, clock=clock, tell=told)
    return Outcome(verdict, events, clock.now() - begin)
