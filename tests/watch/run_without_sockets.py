"""A whole watch of the simulated server without sockets: an hour takes milliseconds, every request is counted."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from homelab_hooks.ci.connection import Connect, connect_now
from homelab_hooks.ci.model import Pipeline, Repo
from homelab_hooks.ci.provider import Provider, find_skip_marker
from homelab_hooks.ci.woodpecker.client import WoodpeckerClient
from homelab_hooks.ci.woodpecker.connect import make_provider
from homelab_hooks.ci.woodpecker.stream import RECONNECT_DELAY_RANGE_S, EventStreamListener
from homelab_hooks.events import Event
from homelab_hooks.git.containment import ContainmentCheck
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators.woodpecker.request import IncomingRequest
from homelab_hooks.simulators.woodpecker.routes import route_request
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.simulators.woodpecker.server import make_default_users
from homelab_hooks.simulators.woodpecker.sse import PING_EVENT, PING_INTERVAL_S, collect_events, find_next_event_time
from homelab_hooks.simulators.woodpecker.store import PipelineStore, SimulatedRepo
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch.no_pipeline import CommitFacts
from homelab_hooks.watch.poller import WatchDependencies, WatchRequest
from homelab_hooks.watch.run import run_watch
from homelab_hooks.watch.snapshot import ONE_POLL, CommitSnapshot, take_snapshot
from homelab_hooks.watch.state import WatchScope, WatchTimeouts
from tests.ci.values import scope_of
from tests.waiting import HANG_S
from tests.watch.random_history import OURS
from tests.watch.run_over_sockets import contains

LATENCY = 0.02
LIE_INTERVAL_S = 0.5
WALL = 1_800_000_000.0
SERVER_URL = "https://ci.example.test"
Bad = Callable[[str, float], RequestFailed | HttpResponse | None]
"""what goes wrong with a request at a moment; a RequestFailed of a timeout takes its whole time"""


def attempts(seconds: float) -> int:
    """How often a stream that is absent is asked for."""
    pause, longest = RECONNECT_DELAY_RANGE_S
    found, t = 0, 0.0
    while t < seconds:
        found, pause = found + 1, min(longest, pause * 2)
        t += pause
    return found


class StreamClock:
    """Time that passes only in `sleep`, during which the event stream delivers its events.

    Attributes:
        stops: seconds for which this process is stopped, by the moment from which its next sleep ends so much later.
    """

    def __init__(self) -> None:
        self.t = 0.0
        self.jump = 0.0
        self.stops: dict[float, float] = {}
        self.speaks: Callable[[float, float], None] = lambda _since, _until: None
        self.next: Callable[[float], float | None] = lambda _after: None
        self._news = False

    def now(self) -> float:
        return self.t

    def wall(self) -> float:
        return WALL + self.t + self.jump

    def wake(self) -> None:
        self._news = True

    def sleep(self, seconds: float) -> None:
        end = self.t + seconds
        while not self._news and self.t < end:
            due = self.next(self.t)
            self.pass_(min(end, due) if due is not None else end)
        self._news = False
        for moment in [moment for moment in self.stops if moment <= self.t]:
            self.t += self.stops.pop(moment)

    def pass_(self, until: float) -> None:
        """Let time pass without looking up."""
        since, self.t = self.t, until
        self.speaks(since, until)


class FakeStream:
    """A stream whose bytes come from the test; the listener's thread blocks until the test ends."""

    def __init__(self) -> None:
        self.hear: Callable[[bytes], None] | None = None
        self.opened, self.over = threading.Event(), threading.Event()

    def stream(self, path: str, on_chunk: Callable[[bytes], None], *, idle_timeout: float) -> RequestFailed:
        del path, idle_timeout
        self.hear = on_chunk
        self.opened.set()
        self.over.wait(HANG_S)
        return RequestFailed(FailureKind.CONNECTION, "the stream ended")

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class InMemoryWoodpecker:
    """CI as pure functions.

    Attributes:
        stream: up, absent (empty), silent: open, and sending nothing after its first ping; pings: nothing else; or
            lies: no true event, but what `lies` returns.
        lies: events between two moments that are not true.
        lag: seconds that the stream is behind the list.
        enter: the way in, where it is not open.
        compare: git's answer about two commits.
        signs: by commit, why a run of it depends on the commit before.
        effect: whether a POST with a bad answer did its work.
        requests: when, and for what; `posts` alone in `posts`.
    """

    stream: str = "up"
    lag: float = 0.045
    bad: Bad = lambda _path, _t: None
    lies: Callable[[float, float], list[bytes]] = lambda _since, _until: []
    effect: bool = True
    version: str = "3.17.0"
    token: str = "alice-token"
    compare: ContainmentCheck = contains
    signs: dict[str, str] = field(default_factory=dict)
    enter: Connect | None = None
    facts: CommitFacts = field(default_factory=CommitFacts)
    clock: StreamClock = field(default_factory=StreamClock)
    requests: list[tuple[float, str]] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)
    post_deadlines: list[float] = field(default_factory=list)
    deadlines: list[tuple[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.repo = SimulatedRepo(id=8, full_name="acme/app")
        self.book = PipelineStore([self.repo], make_default_users("acme/app"), wall=WALL, version=self.version)
        self.wire = FakeStream()

    def push(self, script: PipelineTimeline, *, at: float = 0.0, sha: str = OURS, **facts: object) -> None:
        facts = {"branch": "main", "ref": "refs/heads/main", **facts}
        self.book.add(self.repo, script, at, commit=sha, **facts)

    def count(self, path: str = "") -> int:
        return sum(1 for _, asked in self.requests if re.search(path, asked))

    def request(
        self, method: str, path: str, *, timeout: float = 15.0, max_bytes: int = 0, body: bytes = b""
    ) -> HttpResponse | RequestFailed:
        del max_bytes
        self.requests.append((self.clock.t, path))
        self.posts += [path] if method == "POST" else []
        self.post_deadlines += [timeout] if method == "POST" else []
        self.deadlines.append((path, timeout))
        wrong = self.bad(path, self.clock.t)
        if isinstance(wrong, RequestFailed) and wrong.kind is FailureKind.TIMEOUT:
            self.clock.pass_(self.clock.t + timeout)
        else:
            self.clock.pass_(self.clock.t + LATENCY)
        if wrong is not None and (method == "GET" or not self.effect):
            return wrong
        headers: Mapping[str, str] = {"authorization": f"Bearer {self.token}"}
        found = route_request(
            self.book, IncomingRequest(method=method, path=path, t=self.clock.t, headers=headers, body=body)
        )
        if wrong is not None:
            return wrong
        told = {name.lower(): value for name, value in found.headers}
        told |= {"content-type": found.content_type, "x-woodpecker-version": self.version}
        return HttpResponse(found.status, told, found.body, LATENCY)

    @cached_property
    def ci(self) -> Provider:
        """One client of it, as a command has one for all its requests."""
        return make_provider(
            WoodpeckerClient(self.enter or connect_now(self, token_source="WOODPECKER_TOKEN"), server_url=SERVER_URL)
        )

    def survey(
        self, sha: str = OURS, *, timeouts: WatchTimeouts = ONE_POLL, scope: WatchScope | None = None
    ) -> CommitSnapshot:
        """One look at a commit."""
        request = WatchRequest(scope=scope or scope_of(sha), repo_names=("acme/app",))
        return take_snapshot(request, self.sources(), clock=self.clock, timeouts=timeouts)

    def sources(self) -> WatchDependencies:
        listen = self._listen if self.stream else None
        return WatchDependencies(
            ci=self.ci,
            contains=self.compare,
            commit_facts=lambda: self.facts,
            open_stream=listen,
            find_dependence=lambda _repo, sha: self.signs.get(sha, ""),
            skip_marker=lambda: find_skip_marker(self.facts.message, self.ci.traits),
        )

    def watch(
        self,
        *,
        timeouts: WatchTimeouts | None = None,
        scope: WatchScope | None = None,
        tell: Callable[[Event], None] = lambda _: None,
        names: tuple[str, ...] = ("acme/app",),
        started: tuple[Pipeline, ...] = (),
    ) -> Verdict:
        """To the end, on this clock."""
        request = WatchRequest(
            scope=scope or scope_of(OURS), repo_names=names, timeouts=timeouts or WatchTimeouts(), started=started
        )
        try:
            return run_watch(request, self.sources(), clock=self.clock, emit=tell)
        finally:
            self.wire.over.set()

    def _listen(self, repo: Repo) -> EventStreamListener:
        ear = EventStreamListener(self.wire, repo, wake=self.clock.wake, now=self.clock.now)
        ear.start()
        assert self.wire.opened.wait(HANG_S)
        self._say(PING_EVENT)
        if self.stream == "up":
            self.clock.speaks, self.clock.next = self._speak, self._next
        elif self.stream == "lies":
            self.clock.speaks = self._lie
            self.clock.next = lambda after: after + LIE_INTERVAL_S
        elif self.stream == "pings":
            self.clock.speaks, self.clock.next = (
                self._ping,
                lambda after: after - after % PING_INTERVAL_S + PING_INTERVAL_S,
            )
        return ear

    def _say(self, chunk: bytes) -> None:
        assert self.wire.hear is not None
        try:
            self.wire.hear(chunk)
        except Exception:  # noqa: BLE001 - how the listener signals that it was closed
            self.wire.hear = lambda _: None

    def _ping(self, since: float, until: float) -> None:
        if since // PING_INTERVAL_S != until // PING_INTERVAL_S:
            self._say(PING_EVENT)

    def _lie(self, since: float, until: float) -> None:
        for event in self.lies(since, until):
            self._say(event)

    def _speak(self, since: float, until: float) -> None:
        true = collect_events(self.book, self.book.users[0], since=since, until=until, lag=self.lag)
        for event in (*self.lies(since, until), *true):
            self._say(event)
        self._ping(since, until)

    def _next(self, after: float) -> float | None:
        ping = after - after % PING_INTERVAL_S + PING_INTERVAL_S
        due = find_next_event_time(self.book, after=after, lag=self.lag)
        return ping if due is None else min(due, ping)
