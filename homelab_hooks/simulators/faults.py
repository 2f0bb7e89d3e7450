"""What can go wrong with an answer: each fault a value, and a plan that says which request meets which."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from enum import Enum, auto
from math import inf


class FaultPoint(Enum):
    """Where in an answer it happens."""

    BEFORE = auto()
    """the request was read, nothing was answered"""
    HEADERS = auto()
    """the headers were sent, the body was not"""
    BODY = auto()
    """a part of the body was sent"""


class WrongShape(Enum):
    """How JSON can be of another shape than promised."""

    OTHER_CONTAINER = auto()
    """an object for a list, a list for an object"""
    NUMBERS_AS_TEXT = auto()
    NULL_FIELDS = auto()
    MISSING_FIELDS = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFault:
    """A status instead of the answer: 401, 404, 429, 500, 502, 503, ...; `after` seconds of waiting first."""

    code: int
    body: bytes = b""
    content_type: str = ""
    after: float = 0.0
    retry_after: float | None = None
    """seconds for a Retry-After header"""
    retry_at: float | None = None
    """the same as a date, that many seconds from now"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyFault:
    """Another body under 200: empty, a web page, `null`, deep nesting, bytes that are no text."""

    content: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    code: int = 200


@dataclass(frozen=True, slots=True)
class Mistyped:
    """The true answer in another shape."""

    shape: WrongShape


@dataclass(frozen=True, slots=True)
class Truncated:
    """Only a share of the true body, then the connection ends; promised by length, or as an unended chunk."""

    keep: float = 0.5
    chunked: bool = False


@dataclass(frozen=True, slots=True)
class Endless:
    """A body that never ends, as fast as it is read."""

    piece: bytes = b'[{"id":1},' + b" " * 65536


@dataclass(frozen=True, slots=True)
class Drip:
    """The true answer, one byte at a time."""

    pause: float = 0.05


@dataclass(frozen=True, slots=True)
class Slow:
    """The true answer after some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Nothing more comes, the connection stays open; on the event stream after HEADERS: open and silent."""

    point: FaultPoint
    seconds: float = inf


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends: by RST, or closed in order."""

    point: FaultPoint
    reset: bool = True


@dataclass(frozen=True, slots=True)
class NotHttp:
    """Bytes that are no HTTP."""

    content: bytes = b"SSH-2.0-OpenSSH_9.2p1\r\n\x00\xff\xfe\r\n"


@dataclass(frozen=True, slots=True)
class Redirect:
    """Sent elsewhere."""

    to: str
    code: int = 302


@dataclass(frozen=True, slots=True)
class Gzip:
    """The true answer, compressed though nobody asked."""


@dataclass(frozen=True, slots=True)
class HugeHeaders:
    """The true answer under headers of that many bytes in all."""

    size: int = 1 << 20


@dataclass(frozen=True, slots=True)
class Retyped:
    """The true body under another content type."""

    content_type: str = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class StaleAnswer:
    """The answer as it would have been some seconds ago."""

    seconds: float


@dataclass(frozen=True, slots=True)
class MissingPipelines:
    """The answer without these pipelines (all, where none is named)."""

    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class WrongCommit:
    """The numbers belong to another commit."""

    sha: str


HttpFault = (
    StatusFault | BodyFault | Mistyped | Truncated | Endless | Drip | Slow | Hang | Cut | NotHttp | Redirect | Gzip
    | HugeHeaders | Retyped | StaleAnswer | MissingPipelines | WrongCommit
)  # fmt: skip

ERROR_PAGE = b"<!doctype html>\n<html><head><title>Bad Gateway</title></head><body>502</body></html>\n"
WEB_PAGE = BodyFault(content=ERROR_PAGE, content_type="text/html; charset=utf-8")
BAD_GATEWAY = StatusFault(code=502, body=ERROR_PAGE, content_type="text/html")
LOCKED_DATABASE = StatusFault(
    code=401, body=b"User not authorized", content_type="text/plain; charset=utf-8", after=5.0
)
"""what a valid token gets while SQLite is locked (measured, 19)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """Which requests meet a fault.

    Attributes:
        path: a regular expression searched in path and query; empty: every path.
        first: the first of the matching requests, counted from 0; `last` the last one.
        every: each k-th of them.
        since: the time in the server's seconds from which it holds; `until` the end.
        has_effect: whether a POST does its work nevertheless.
    """

    fault: HttpFault
    path: str = ""
    method: str = ""
    first: int = 0
    last: float = inf
    every: int = 1
    since: float = -inf
    until: float = inf
    has_effect: bool = True

    def matches(self, method: str, path: str) -> bool:
        """Whether such a request counts for this rule."""
        return self.method in {"", method} and re.search(self.path, path) is not None

    def applies(self, count: int, t: float) -> bool:
        """Whether the `count`-th such request meets the fault at `t`."""
        return (
            self.first <= count <= self.last and (count - self.first) % self.every == 0 and self.since <= t < self.until
        )


@dataclass(slots=True)
class FaultPlan:
    """Rules in order; the first that strikes counts. Safe to use from many threads."""

    rules: tuple[FaultRule, ...] = ()
    _counts: dict[int, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pick(self, method: str, path: str, t: float) -> FaultRule | None:
        """The rule that this request meets, if any; counts the request for every rule it concerns."""
        with self._lock:
            applied = self._applied(method, path, t)
            for i, rule in enumerate(self.rules):
                self._counts[i] = self._counts.get(i, 0) + rule.matches(method, path)
        return applied

    def peek(self, method: str, path: str, t: float) -> FaultRule | None:
        """The rule that the next such request will meet, if any."""
        with self._lock:
            return self._applied(method, path, t)

    def _applied(self, method: str, path: str, t: float) -> FaultRule | None:
        applied = (
            rule
            for i, rule in enumerate(self.rules)
            if rule.matches(method, path) and rule.applies(self._counts.get(i, 0), t)
        )
        return next(applied, None)
