"""From an answer and a fault to what goes on the wire, piece by piece."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.utils import formatdate
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from homelab_hooks.demo import faults as f
from homelab_hooks.demo.woodpecker_http import HTML, JSON, Answer
from homelab_hooks.demo.woodpecker_json import dump

CHUNKED_FROM = 2048
"""bytes from which Go's server sends chunks instead of a length (measured: about 2 KB)"""


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing for some seconds."""

    seconds: float


class End(Enum):
    """The connection ends."""

    CLOSE = auto()
    RESET = auto()


Piece = bytes | Pause | End


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with all that its head needs; `wall` in unix seconds."""

    answer: Answer
    version: str
    wall: float
    is_head: bool = False

    def head(self, *, chunked: bool) -> bytes:
        """The status line and the headers."""
        answer, body = self.answer, self.answer.body
        phrase = HTTPStatus(answer.status).phrase
        lines = [f"HTTP/1.1 {answer.status} {phrase}", *(f"{k}: {v}" for k, v in self._headers())]
        if chunked:
            lines.append("Transfer-Encoding: chunked")
        elif answer.status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join((*lines, "", "")).encode()

    def _headers(self) -> Iterator[tuple[str, str]]:
        answer, date = self.answer, formatdate(self.wall, usegmt=True)
        if answer.content_type:
            yield "Content-Type", answer.content_type
        if not answer.bare:
            stream = answer.content_type == "text/event-stream"
            api = "no-store" if stream else "no-cache, no-store, max-age=0, must-revalidate, value"
            yield "Access-Control-Allow-Origin", "*"
            yield "Cache-Control", "no-cache" if answer.content_type == HTML else api
            yield "Expires", "Thu, 01 Jan 1970 00:00:00 GMT"
            yield "Last-Modified", date
            yield "X-Content-Type-Options", "nosniff"
            yield "X-Frame-Options", "DENY"
            yield "X-Woodpecker-Version", self.version
            yield "X-Xss-Protection", "1; mode=block"
        yield from answer.headers
        yield "Date", date

    @property
    def chunked(self) -> bool:
        """Whether it goes in chunks when nothing is wrong."""
        return len(self.answer.body) >= CHUNKED_FROM

    def whole(self) -> bytes:
        """All of it."""
        head = self.head(chunked=self.chunked)
        if self.is_head:
            return head
        return head + (chunk(self.answer.body) + b"0\r\n\r\n" if self.chunked else self.answer.body)


def chunk(data: bytes) -> bytes:
    """One chunk."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def pieces(reply: Reply, fault: f.Fault | None) -> Iterator[Piece]:
    """What is sent, in order, for this answer under this fault."""
    reply = replace(reply, answer=altered(reply.answer, fault, reply.wall))
    match fault:
        case f.Status(after=seconds) | f.Slow(seconds):
            yield Pause(seconds)
            yield reply.whole()
        case f.Hang() | f.Cut():
            yield from _broken_off(reply, fault)
        case f.Garbage() | f.Truncated():
            yield from _malformed(reply, fault)
        case f.Endless() | f.Drip():
            yield from _without_end(reply, fault)
        case _:
            yield reply.whole()


def _malformed(reply: Reply, fault: f.Garbage | f.Truncated) -> Iterator[Piece]:
    match fault:
        case f.Garbage(content):
            yield content
        case f.Truncated(keep, chunked):
            part = reply.answer.body[: int(len(reply.answer.body) * keep)]
            yield reply.head(chunked=chunked) + (chunk(part) if chunked else part)
    yield End.CLOSE


def _without_end(reply: Reply, fault: f.Endless | f.Drip) -> Iterator[Piece]:
    match fault:
        case f.Endless(piece):
            yield reply.head(chunked=True)
            while True:
                yield chunk(piece)
        case f.Drip(pause):
            for byte in reply.whole():
                yield bytes((byte,))
                yield Pause(pause)


def _broken_off(reply: Reply, fault: f.Hang | f.Cut) -> Iterator[Piece]:
    head, body = reply.head(chunked=False), reply.answer.body
    if reply.answer.content_type == "text/event-stream":
        head, body = reply.head(chunked=True), chunk(body)
    elif fault.moment is not f.Moment.BEFORE and not body:
        head = replace(reply, answer=replace(reply.answer, status=200, body=b"....")).head(chunked=False)
    if fault.moment is not f.Moment.BEFORE:
        yield head
    if fault.moment is f.Moment.BODY:
        yield body[: max(len(body) // 2, 1)]
    if isinstance(fault, f.Hang):
        yield Pause(fault.seconds)
        yield End.CLOSE
    else:
        yield End.RESET if fault.reset else End.CLOSE


def altered(answer: Answer, fault: f.Fault | None, wall: float) -> Answer:
    """The answer that is sent in place of the true one."""
    match fault:
        case f.Status() | f.Body() | f.Redirect():
            return _replaced(fault, wall)
        case f.Gzip() | f.HugeHeaders() | f.Retyped():
            return _dressed(answer, fault)
        case f.Mistyped() | f.Vanished() | f.OtherCommit():
            return _reshaped(answer, fault)
        case _:
            return answer


def _replaced(fault: f.Status | f.Body | f.Redirect, wall: float) -> Answer:
    match fault:
        case f.Status(code=code, body=body, content_type=content_type):
            return Answer(code, body, content_type, tuple(_retry(fault, wall)))
        case f.Body(content=content, content_type=content_type, code=code):
            return Answer(code, content, content_type)
        case f.Redirect(to, code):
            return Answer(code, b"", "", (("Location", to),))


def _dressed(answer: Answer, fault: f.Gzip | f.HugeHeaders | f.Retyped) -> Answer:
    match fault:
        case f.Gzip():
            packed = gzip.compress(answer.body, mtime=0)
            return replace(answer, body=packed, headers=(*answer.headers, ("Content-Encoding", "gzip")))
        case f.HugeHeaders(size):
            padding = tuple((f"X-Padding-{i}", "x" * 4000) for i in range(size // 4000 + 1))
            return replace(answer, headers=(*answer.headers, *padding))
        case f.Retyped(content_type):
            return replace(answer, content_type=content_type)


def _retry(fault: f.Status, wall: float) -> Iterator[tuple[str, str]]:
    if fault.retry_after is not None:
        yield "Retry-After", f"{fault.retry_after:g}"
    if fault.retry_at is not None:
        yield "Retry-After", formatdate(wall + fault.retry_at, usegmt=True)


def _reshaped(answer: Answer, fault: f.Mistyped | f.Vanished | f.OtherCommit) -> Answer:
    if answer.content_type != JSON or not answer.body:
        return answer
    value = json.loads(answer.body)
    match fault:
        case f.Mistyped(shape):
            return replace(answer, body=dump(_other_shape(value, shape)))
        case f.Vanished(numbers):
            gone = [row for row in _rows(value) if not numbers or row.get("number") in numbers]
            if isinstance(value, list):
                return replace(answer, body=dump([row for row in value if row not in gone]))
            return Answer(404) if gone else answer
        case f.OtherCommit(sha):
            for row in _rows(value):
                row["commit"] = sha
            return replace(answer, body=dump(value))


def _rows(value: Any) -> list[dict[str, Any]]:
    """The pipelines in an answer."""
    rows = value if isinstance(value, list) else [value]
    return [row for row in rows if isinstance(row, dict) and "commit" in row]


def _other_shape(value: Any, shape: f.Shape) -> Any:
    if shape is f.Shape.OTHER_CONTAINER:
        return {"rows": value} if isinstance(value, list) else [value]
    if isinstance(value, list):
        return [_other_shape(item, shape) for item in value]
    if not isinstance(value, dict):
        return value
    match shape:
        case f.Shape.NUMBERS_AS_TEXT:
            return {key: str(item) if isinstance(item, int) else item for key, item in value.items()}
        case f.Shape.NULL_FIELDS:
            return dict.fromkeys(value)
        case _:
            return {key: item for key, item in value.items() if key in {"id", "author"}}
