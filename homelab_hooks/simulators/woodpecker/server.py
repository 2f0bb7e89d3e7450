"""The simulated Woodpecker server: scripted and recorded pipelines over a real socket, with fault injection."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from homelab_hooks.simulators.clock import SimulatedClock
from homelab_hooks.simulators.faults import FaultPlan, FaultRule, StaleAnswer
from homelab_hooks.simulators.woodpecker.log_stream import LOG_STREAM_PATH, find_log_refusal
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
"""seconds that the event stream lags behind the list (0.03 to 0.05 in recording 17-http-facts); the default of `lag`"""


class SimulatorClock(Protocol):
    """The clock, as the simulator needs it."""

    def now(self) -> float:
        """Return monotonic seconds."""

    def wall(self) -> float:
        """Return Unix time in seconds."""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A recorded request, with the user of its token but without the token; `at` in seconds of the given clock."""

    at: float
    method: str
    path: str
    user: str


def make_default_users(*full_names: str) -> list[SimulatedUser]:
    """Return alice (admin), bob (push), carol (pull) and dave (no permission), with the token `LOGIN-token` each."""
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
    """The server; a context manager. Its seconds start at 0 and run `speed` times as fast as the clock.

    Args:
        clock: the clock; tests may pass a simulated one.
        repositories: the active repositories; default: a public `acme/app` (id 8).
        users: the users with a token; default: `make_default_users`.
        version: the Woodpecker version, 3.17.0 or 2.8.3; it determines the field names.
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
        """Return the port, which is the same after a restart."""
        return self._port

    @property
    def url(self) -> str:
        """Return its address, without a trailing slash."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def t(self) -> float:
        """Return the current time in server seconds."""
        return (self.clock.now() - self._origin) * self.speed

    @property
    def wall(self) -> float:
        """Return the server's Unix time in seconds."""
        return self.store.wall + self.t

    def start(self) -> None:
        """Listen; after `stop`, on the same port."""
        self._listener = SocketListener(self, self._port)
        self._port = self._listener.port

    def stop(self) -> None:
        """Refuse connections, and close the open ones; the data is kept."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None

    def drop_streams(self) -> None:
        """Close every open event stream, as a restart or a proxy does."""
        if self._listener is not None:
            self._listener.drop_streams()

    def push(self, repo: str, branch: str, sha: str, timeline: PipelineTimeline, **facts: Any) -> PipelineRow | None:
        """Handle the webhook of a push, or of another event with `event` and `ref`; return the pipeline, if any.

        Args:
            facts: `after`: seconds until the pipeline is created; event, ref, refspec, author, message, extra.
        """
        after = float(facts.pop("after", 0.0))
        facts.setdefault("ref", f"refs/heads/{branch}")
        with self.changed:
            row = self.store.add(self._known(repo), timeline, self.t + after, commit=sha, branch=branch, **facts)
            self.changed.notify_all()
        return row

    def push_tag(self, repo: str, tag: str, sha: str, timeline: PipelineTimeline, **facts: Any) -> PipelineRow | None:
        """Handle the webhook of a tag as Gitea and Forgejo send it, and return the pipeline, if any.

        Args:
            sha: what the ref points to: for an annotated tag the tag's own SHA, which the pipeline shows as its commit.
        """
        about = {"event": "tag", "ref": f"refs/tags/{tag}", "message": f"created tag {tag}", **facts}
        return self.push(repo, "", sha, timeline, **about)

    def play(self, repo: str, recording: Mapping[str, Any], commits: str | Mapping[str, str]) -> None:
        """Replay a recording for the repository from now on; `commits` as in `make_replay`."""
        with self.changed:
            replay = make_replay(recording, commits, wall=self.store.wall, start=self.t)
            self.store.replays[self._known(repo).id] = replay
            self.changed.notify_all()

    def fail(self, *rules: FaultRule) -> None:
        """Replace the fault rules; `since` and `until` are in server seconds."""
        self._plan = FaultPlan(rules)

    def ended(self, repo: str, number: int) -> float | None:
        """Return when the pipeline reached, or will reach, its final status, in seconds of the given clock."""
        with self.lock:
            known = self._known(repo)
            row = next((row for row in self.store.rows if (row.repo_id, row.number) == (known.id, number)), None)
            end = row.ended if row else None
            if known.id in self.store.replays:
                end = self.store.replays[known.id].ended().get(number)
        return None if end is None else self._origin + end / self.speed

    def count(self, path: str = "", method: str = "") -> int:
        """Return the number of requests whose path matches a regular expression."""
        return sum(1 for r in self.requests if re.search(path, r.path) and method in {"", r.method})

    def pause(self, seconds: float, closing: threading.Event) -> None:
        """Wait, unless the server is stopped; a simulated clock is advanced instead, except for an infinite wait."""
        if isinstance(self.clock, SimulatedClock) and seconds < inf:
            self.clock.advance(seconds / self.speed)
        else:
            closing.wait(None if seconds == inf else seconds / self.speed)

    def peek_rule(self, method: str, path: str) -> FaultRule | None:
        """Return the fault rule that would apply to such a request now, or None."""
        return self._plan.peek(method, path, self.t)

    def handle_request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[ApiAnswer | None, FaultRule | None]:
        """Handle a request: return its response (None: a stream of events or of a log) and its fault rule, if any."""
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
            redacted_path = re.sub(r"access_token=[^&]*", "access_token=***", path)
            self.requests.append(RequestRecord(self.clock.now(), method, redacted_path, user.login if user else ""))
            if method == "GET" and urlsplit(path).path == STREAM_PATH:
                return None, rule
            if method == "GET" and LOG_STREAM_PATH.fullmatch(urlsplit(path).path):
                return find_log_refusal(self.store, request), rule
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
