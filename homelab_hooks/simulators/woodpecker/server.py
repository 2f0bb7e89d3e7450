"""A Woodpecker over a real socket that plays scripted and recorded timelines, and can be told to fail."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol, Self, runtime_checkable
from urllib.parse import urlsplit

from homelab_hooks.simulators.faults import FaultPlan, FaultRule, StaleAnswer
from homelab_hooks.simulators.woodpecker.replay import make_replay
from homelab_hooks.simulators.woodpecker.request import ApiAnswer, IncomingRequest, find_user
from homelab_hooks.simulators.woodpecker.routes import route_request
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.simulators.woodpecker.sockets import SocketListener
from homelab_hooks.simulators.woodpecker.store import (
    Permission,
    PipelineRow,
    PipelineStore,
    SimulatedRepo,
    SimulatedUser,
)

STREAM_PATH = "/api/stream/events"
STREAM_LAG_S = 0.045
"""seconds that the event stream is behind the list (measured: 0.03 to 0.05); `lag` may be set to more"""


class SimulatorClock(Protocol):
    """What the stand-in wants of a clock."""

    def now(self) -> float:
        """Seconds that never run backwards."""

    def wall(self) -> float:
        """Unix seconds."""


@runtime_checkable
class AdvanceableClock(Protocol):
    """A clock of a test, whose time is advanced by hand."""

    def advance(self, seconds: float) -> None:
        """Let this many seconds pass at once."""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A request as it is remembered: whose token it had, never the token; `at` on the given clock."""

    at: float
    method: str
    path: str
    user: str


def make_default_users(*full_names: str) -> list[SimulatedUser]:
    """Alice (admin), bob (push), carol (pull) and dave (nothing), with `LOGIN-token` each."""
    rights = {"alice": Permission.ADMIN, "bob": Permission.PUSH, "carol": Permission.PULL, "dave": Permission.NONE}
    return [
        SimulatedUser(
            id=number,
            login=login,
            token=f"{login}-token",
            admin=login == "alice",
            permissions={name.lower(): right for name in full_names},
        )
        for number, (login, right) in enumerate(rights.items(), 1)
    ]


class WoodpeckerSimulator:
    """The server. Its seconds run from 0, `speed` times as fast as the clock's; it starts in `with`.

    Args:
        clock: time; tests may give one that runs as they like.
        repositories: what it knows; one public `acme/app` (id 8) by default.
        users: who has a token; `make_default_users` by default.
        version: of Woodpecker, 3.17.0 or 2.8.3; it decides the field names.
    """

    def __init__(
        self,
        clock: SimulatorClock,
        *,
        repositories: Sequence[SimulatedRepo] = (SimulatedRepo(id=8, full_name="acme/app"),),
        users: Sequence[SimulatedUser] | None = None,
        version: str = "3.17.0",
        speed: float = 1.0,
    ) -> None:
        known = list(repositories)
        members = make_default_users(*(repo.full_name for repo in known)) if users is None else list(users)
        self.clock = clock
        self._origin = clock.now()
        self.speed = speed
        self.lag = STREAM_LAG_S
        self.store = PipelineStore(known, members, wall=clock.wall(), version=version)
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.requests: list[RequestRecord] = []
        self._plan = FaultPlan()
        self._listener: SocketListener | None = None
        self._port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """Where it listens, the same after a restart."""
        return self._port

    @property
    def url(self) -> str:
        """Its address without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def t(self) -> float:
        """The server's second now."""
        return (self.clock.now() - self._origin) * self.speed

    @property
    def wall(self) -> float:
        """Unix seconds as the server has them."""
        return self.store.wall + self.t

    def start(self) -> None:
        """Listen; after a stop on the same port."""
        self._listener = SocketListener(self, self._port)
        self._port = self._listener.port

    def stop(self) -> None:
        """Refuse, and end every connection there is; what is known stays known."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None

    def drop_streams(self) -> None:
        """End every open event stream in the middle, as a restart or a proxy does."""
        if self._listener is not None:
            self._listener.drop_streams()

    def push(self, repo: str, branch: str, sha: str, timeline: PipelineTimeline, **facts: Any) -> PipelineRow | None:
        """The webhook of a push, or with `event` and `ref` of another event; None where the script has no row.

        Args:
            facts: `after` seconds until the row is there; event, ref, refspec, author, message, extra.
        """
        after = float(facts.pop("after", 0.0))
        facts.setdefault("ref", f"refs/heads/{branch}")
        with self.changed:
            row = self.store.add(self._known(repo), timeline, self.t + after, commit=sha, branch=branch, **facts)
            self.changed.notify_all()
        return row

    def play(self, repo: str, recording: Mapping[str, Any], commits: str | Mapping[str, str]) -> None:
        """From now on the repository answers as recorded; `commits` as in `make_replay`."""
        with self.changed:
            played = make_replay(recording, commits, wall=self.store.wall, start=self.t)
            self.store.replays[self._known(repo).id] = played
            self.changed.notify_all()

    def fail(self, *rules: FaultRule) -> None:
        """From now on these rules hold, and no others; `since` and `until` are the server's seconds."""
        self._plan = FaultPlan(rules)

    def ended(self, repo: str, number: int) -> float | None:
        """When, on the given clock, a pipeline's final status came, or will come."""
        with self.lock:
            known = self._known(repo)
            row = next((row for row in self.store.rows if (row.repo_id, row.number) == (known.id, number)), None)
            end = row.ended if row else None
            if known.id in self.store.replays:
                end = self.store.replays[known.id].ended().get(number)
        return None if end is None else self._origin + end / self.speed

    def count(self, path: str = "", method: str = "") -> int:
        """How many requests there were, by a regular expression on the path."""
        return sum(1 for r in self.requests if re.search(path, r.path) and method in {"", r.method})

    def pause(self, seconds: float, closing: threading.Event) -> None:
        """An answer takes this long, unless the server is stopped; played time passes at once, but for ever is real."""
        if isinstance(self.clock, AdvanceableClock) and seconds < inf:
            self.clock.advance(seconds / self.speed)
        else:
            closing.wait(None if seconds == inf else seconds / self.speed)

    def peek_rule(self, method: str, path: str) -> FaultRule | None:
        """The rule that such a request would meet now."""
        return self._plan.peek(method, path, self.t)

    def handle_request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[ApiAnswer | None, FaultRule | None]:
        """A request came: its answer (None: the event stream), and the rule it meets."""
        with self.changed:
            t = self.t
            rule = self._plan.pick(method, path, t)
            fault = rule.fault if rule else None
            request = IncomingRequest(
                method=method,
                path=path,
                t=t - fault.seconds if isinstance(fault, StaleAnswer) else t,
                headers=headers,
                body=body,
            )
            user = find_user(self.store, request)
            remembered = re.sub(r"access_token=[^&]*", "access_token=***", path)
            self.requests.append(RequestRecord(self.clock.now(), method, remembered, user.login if user else ""))
            if method == "GET" and urlsplit(path).path == STREAM_PATH:
                return None, rule
            if method not in {"GET", "HEAD"} and rule is not None and not rule.has_effect:
                return ApiAnswer(500), rule
            found = route_request(self.store, request)
            self.changed.notify_all()
        return found, rule

    def _known(self, name: str) -> SimulatedRepo:
        repo = self.store.repository(name)
        if repo is None:
            raise LookupError(name)
        return repo
