"""Encodes a response as HTTP/1.1, with its fault applied, in pieces."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.utils import formatdate
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from homelab_hooks.simulators import faults as f
from homelab_hooks.simulators.woodpecker.json_v3 import encode_json
from homelab_hooks.simulators.woodpecker.request import HTML_TYPE, JSON_TYPE, ApiAnswer

MIN_CHUNKED_BYTES = 2048
"""bytes from which a Go server sends chunks instead of Content-Length (recording 17-http-facts)"""


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause in sending."""

    seconds: float


class ConnectionEnd(Enum):
    """How the connection ends."""

    CLOSE = auto()
    RESET = auto()


WirePiece = bytes | Pause | ConnectionEnd


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """A response with what its headers need; `wall` in Unix seconds."""

    answer: ApiAnswer
    version: str
    wall: float
    is_head: bool = False

    def head(self, *, chunked: bool) -> bytes:
        """Return the status line and the headers."""
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
        if not answer.without_common_headers:
            stream = answer.content_type == "text/event-stream"
            api = "no-store" if stream else "no-cache, no-store, max-age=0, must-revalidate, value"
            yield "Access-Control-Allow-Origin", "*"
            yield "Cache-Control", "no-cache" if answer.content_type == HTML_TYPE else api
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
        """Return whether the response is sent in chunks if no fault is injected."""
        return len(self.answer.body) >= MIN_CHUNKED_BYTES

    def encode(self) -> bytes:
        """Return the whole response."""
        head = self.head(chunked=self.chunked)
        if self.is_head:
            return head
        return head + (encode_chunk(self.answer.body) + b"0\r\n\r\n" if self.chunked else self.answer.body)


def encode_chunk(data: bytes) -> bytes:
    """Return data as one chunk."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def iterate_pieces(wire_answer: WireAnswer, fault: f.HttpFault | None) -> Iterator[WirePiece]:
    """Yield the bytes, pauses, and connection end to send for a response with a fault."""
    wire_answer = replace(wire_answer, answer=apply_fault(wire_answer.answer, fault, wire_answer.wall))
    match fault:
        case f.StatusFault(after=seconds) | f.Slow(seconds):
            yield Pause(seconds)
            yield wire_answer.encode()
        case f.Hang() | f.Cut():
            yield from _broken_off(wire_answer, fault)
        case f.NotHttp() | f.Truncated():
            yield from _malformed(wire_answer, fault)
        case f.Endless() | f.Drip():
            yield from _without_end(wire_answer, fault)
        case _:
            yield wire_answer.encode()


def _malformed(wire_answer: WireAnswer, fault: f.NotHttp | f.Truncated) -> Iterator[WirePiece]:
    match fault:
        case f.NotHttp(content):
            yield content
        case f.Truncated(keep, chunked):
            part = wire_answer.answer.body[: int(len(wire_answer.answer.body) * keep)]
            yield wire_answer.head(chunked=chunked) + (encode_chunk(part) if chunked else part)
    yield ConnectionEnd.CLOSE


def _without_end(wire_answer: WireAnswer, fault: f.Endless | f.Drip) -> Iterator[WirePiece]:
    match fault:
        case f.Endless(piece):
            yield wire_answer.head(chunked=True)
            while True:
                yield encode_chunk(piece)
        case f.Drip(pause):
            for byte in wire_answer.encode():
                yield bytes((byte,))
                yield Pause(pause)


def _broken_off(wire_answer: WireAnswer, fault: f.Hang | f.Cut) -> Iterator[WirePiece]:
    head, body = wire_answer.head(chunked=False), wire_answer.answer.body
    if wire_answer.answer.content_type == "text/event-stream":
        head, body = wire_answer.head(chunked=True), encode_chunk(body)
    elif fault.point is not f.FaultPoint.BEFORE and not body:
        head = replace(wire_answer, answer=replace(wire_answer.answer, status=200, body=b"....")).head(chunked=False)
    if fault.point is not f.FaultPoint.BEFORE:
        yield head
    if fault.point is f.FaultPoint.BODY:
        yield body[: max(len(body) // 2, 1)]
    if isinstance(fault, f.Hang):
        yield Pause(fault.seconds)
        yield ConnectionEnd.CLOSE
    else:
        yield ConnectionEnd.RESET if fault.reset else ConnectionEnd.CLOSE


def apply_fault(answer: ApiAnswer, fault: f.HttpFault | None, wall: float) -> ApiAnswer:
    """Return the response that a fault turns another response into; `wall` in Unix seconds."""
    match fault:
        case f.StatusFault() | f.BodyFault() | f.Redirect():
            return _error_answer(fault, wall)
        case f.Gzip() | f.HugeHeaders() | f.Retyped():
            return _decorated_answer(answer, fault)
        case f.Mistyped() | f.MissingPipelines() | f.WrongCommit():
            return _reshaped_answer(answer, fault)
        case _:
            return answer


def _error_answer(fault: f.StatusFault | f.BodyFault | f.Redirect, wall: float) -> ApiAnswer:
    match fault:
        case f.StatusFault(code=code, body=body, content_type=content_type):
            headers = (*fault.headers, *_retry_headers(fault, wall))
            return ApiAnswer(code, body, content_type, headers, without_common_headers=fault.foreign)
        case f.BodyFault(content=content, content_type=content_type, code=code):
            return ApiAnswer(code, content, content_type, without_common_headers=fault.foreign)
        case f.Redirect(to, code):
            return ApiAnswer(code, b"", "", (("Location", to),), without_common_headers=fault.foreign)


def _decorated_answer(answer: ApiAnswer, fault: f.Gzip | f.HugeHeaders | f.Retyped) -> ApiAnswer:
    match fault:
        case f.Gzip():
            packed = gzip.compress(answer.body, mtime=0)
            return replace(answer, body=packed, headers=(*answer.headers, ("Content-Encoding", "gzip")))
        case f.HugeHeaders(size):
            padding = tuple((f"X-Padding-{i}", "x" * 4000) for i in range(size // 4000 + 1))
            return replace(answer, headers=(*answer.headers, *padding))
        case f.Retyped(content_type):
            return replace(answer, content_type=content_type)


def _retry_headers(fault: f.StatusFault, wall: float) -> Iterator[tuple[str, str]]:
    if fault.retry_after is not None:
        yield "Retry-After", f"{fault.retry_after:g}"
    if fault.retry_at is not None:
        yield "Retry-After", formatdate(wall + fault.retry_at, usegmt=True)


def _reshaped_answer(answer: ApiAnswer, fault: f.Mistyped | f.MissingPipelines | f.WrongCommit) -> ApiAnswer:
    if answer.content_type != JSON_TYPE or not answer.body:
        return answer
    value = json.loads(answer.body)
    match fault:
        case f.Mistyped(shape):
            return replace(answer, body=encode_json(_other_shape(value, shape)))
        case f.MissingPipelines(numbers):
            gone = [row for row in _rows(value) if not numbers or row.get("number") in numbers]
            if isinstance(value, list):
                return replace(answer, body=encode_json([row for row in value if row not in gone]))
            return ApiAnswer(404) if gone else answer
        case f.WrongCommit(sha):
            for row in _rows(value):
                row["commit"] = sha
            return replace(answer, body=encode_json(value))


def _rows(value: Any) -> list[dict[str, Any]]:
    """Return the pipelines in a response."""
    rows = value if isinstance(value, list) else [value]
    return [row for row in rows if isinstance(row, dict) and "commit" in row]


def _other_shape(value: Any, shape: f.WrongShape) -> Any:
    if shape is f.WrongShape.OTHER_CONTAINER:
        return {"rows": value} if isinstance(value, list) else [value]
    if isinstance(value, list):
        return [_other_shape(item, shape) for item in value]
    if not isinstance(value, dict):
        return value
    match shape:
        case f.WrongShape.NUMBERS_AS_TEXT:
            return {key: str(item) if isinstance(item, int) else item for key, item in value.items()}
        case f.WrongShape.NULL_FIELDS:
            return dict.fromkeys(value)
        case _:
            return {key: item for key, item in value.items() if key in {"id", "author"}}
