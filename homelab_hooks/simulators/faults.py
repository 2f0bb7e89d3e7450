"""HTTP faults as values, and a plan of rules that decides which request gets which fault."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from enum import Enum, auto
from math import inf


class FaultPoint(Enum):
    """The point in a response at which a fault occurs."""

    BEFORE = auto()
    """the request was read, nothing was sent"""
    HEADERS = auto()
    """the headers were sent, the body was not"""
    BODY = auto()
    """part of the body was sent"""


class WrongShape(Enum):
    """How a JSON response differs from its schema."""

    OTHER_CONTAINER = auto()
    """an object instead of a list, a list instead of an object"""
    NUMBERS_AS_TEXT = auto()
    NULL_FIELDS = auto()
    MISSING_FIELDS = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFault:
    """A status instead of the response (401, 404, 429, 500, 502, 503, ...), sent `after` seconds."""

    code: int
    body: bytes = b""
    content_type: str = ""
    after: float = 0.0
    retry_after: float | None = None
    """value of the Retry-After header, in seconds"""
    retry_at: float | None = None
    """the same as a date: seconds from now"""
    foreign: bool = False
    """sent by a proxy or by another server: without Woodpecker's own headers"""
    headers: tuple[tuple[str, str], ...] = ()
    """more headers"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyFault:
    """Another body with status `code`: empty, a web page, `null`, deep nesting, binary data."""

    content: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    code: int = 200
    foreign: bool = False
    """sent by a proxy or by another server: without Woodpecker's own headers"""


@dataclass(frozen=True, slots=True)
class Mistyped:
    """The real response in another shape."""

    shape: WrongShape


@dataclass(frozen=True, slots=True)
class Truncated:
    """The first part of the real body, then a closed connection; with Content-Length, or without the last chunk."""

    keep: float = 0.5
    chunked: bool = False


@dataclass(frozen=True, slots=True)
class Endless:
    """An endless body, sent as fast as it is read."""

    piece: bytes = b'[{"id":1},' + b" " * 65536


@dataclass(frozen=True, slots=True)
class Drip:
    """The real response, one byte at a time, `pause` seconds apart."""

    pause: float = 0.05


@dataclass(frozen=True, slots=True)
class Slow:
    """The real response after a delay."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """No more data on an open connection; on the event stream with HEADERS: an open, silent stream."""

    point: FaultPoint
    seconds: float = inf


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is reset (RST), or closed (FIN)."""

    point: FaultPoint
    reset: bool = True


@dataclass(frozen=True, slots=True)
class NotHttp:
    """Data that is not HTTP."""

    content: bytes = b"SSH-2.0-OpenSSH_9.2p1\r\n\x00\xff\xfe\r\n"


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirect."""

    to: str
    code: int = 302
    foreign: bool = True
    """sent by a proxy or by another server: without Woodpecker's own headers"""


@dataclass(frozen=True, slots=True)
class Gzip:
    """The real response, compressed although the client did not ask for it."""


@dataclass(frozen=True, slots=True)
class HugeHeaders:
    """The real response with headers of `size` bytes in total."""

    size: int = 1 << 20


@dataclass(frozen=True, slots=True)
class Retyped:
    """The real body with another content type."""

    content_type: str = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class StaleAnswer:
    """The response as it would have been some seconds ago."""

    seconds: float


@dataclass(frozen=True, slots=True)
class MissingPipelines:
    """The response without these pipelines (without any if empty)."""

    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class WrongCommit:
    """The pipelines have another commit."""

    sha: str


HttpFault = (
    StatusFault | BodyFault | Mistyped | Truncated | Endless | Drip | Slow | Hang | Cut | NotHttp | Redirect | Gzip
    | HugeHeaders | Retyped | StaleAnswer | MissingPipelines | WrongCommit
)  # fmt: skip

ERROR_PAGE = b"<!doctype html>\n<html><head><title>Bad Gateway</title></head><body>502</body></html>\n"
WEB_PAGE = BodyFault(content=ERROR_PAGE, content_type="text/html; charset=utf-8", foreign=True)
BAD_GATEWAY = StatusFault(code=502, body=ERROR_PAGE, content_type="text/html", foreign=True)
BOT_CHECK = StatusFault(
    code=403,
    body=b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>",
    content_type="text/html; charset=UTF-8",
    foreign=True,
    headers=(("Server", "cloudflare"), ("CF-RAY", "8f2c1a2b3c4d5e6f-FRA"), ("CF-Mitigated", "challenge")),
)
"""a challenge of Cloudflare"""
BANNED_ADDRESS = StatusFault(
    code=403,
    body=b"<html><head><title>CrowdSec Ban</title></head><body>This request was blocked</body></html>",
    content_type="text/html; charset=utf-8",
    foreign=True,
)
"""the ban page of CrowdSec's bouncers"""
LOGIN_REQUIRED = StatusFault(
    code=401,
    body=b"401 Unauthorized",
    content_type="text/plain; charset=utf-8",
    foreign=True,
    headers=(("WWW-Authenticate", 'Basic realm="Authorization Required"'),),
)
"""a forward-auth proxy's own 401"""
FORGE_NOT_FOUND = StatusFault(code=404, body=b"Not found.\n", content_type="text/plain;charset=utf-8", foreign=True)
"""Gitea's and Forgejo's response to a path that they do not have (measured)"""
LOCKED_DATABASE = StatusFault(
    code=401, body=b"User not authorized", content_type="text/plain; charset=utf-8", after=5.0
)
"""the response to a valid token while SQLite is locked (recording 19-database-locked)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """Selects the requests that get a fault.

    Attributes:
        path: a regular expression that is searched in path and query; empty: every path.
        first: the index of the first matching request that gets the fault, from 0; `last`: of the last one.
        every: every n-th of these.
        since: the start of the rule in server seconds; `until`: its end.
        has_effect: whether a POST still takes effect.
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
        """Return whether the rule counts this request."""
        return self.method in {"", method} and re.search(self.path, path) is not None

    def applies(self, count: int, t: float) -> bool:
        """Return whether the `count`-th such request gets the fault at `t` (server seconds)."""
        return (
            self.first <= count <= self.last and (count - self.first) % self.every == 0 and self.since <= t < self.until
        )


@dataclass(slots=True)
class FaultPlan:
    """Rules in order of precedence. Thread-safe."""

    rules: tuple[FaultRule, ...] = ()
    _counts: dict[int, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pick(self, method: str, path: str, t: float) -> FaultRule | None:
        """Return the first rule that applies to this request, or None; count the request for every rule it matches."""
        with self._lock:
            applied = self._applied(method, path, t)
            for i, rule in enumerate(self.rules):
                self._counts[i] = self._counts.get(i, 0) + rule.matches(method, path)
        return applied

    def peek(self, method: str, path: str, t: float) -> FaultRule | None:
        """Return the rule that applies to the next such request, or None; count nothing."""
        with self._lock:
            return self._applied(method, path, t)

    def _applied(self, method: str, path: str, t: float) -> FaultRule | None:
        applied = (
            rule
            for i, rule in enumerate(self.rules)
            if rule.matches(method, path) and rule.applies(self._counts.get(i, 0), t)
        )
        return next(applied, None)
