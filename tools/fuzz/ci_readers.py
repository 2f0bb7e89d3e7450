"""Woodpecker's answers and its event stream."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

from homelab_hooks.ci.woodpecker import parse
from homelab_hooks.ci.woodpecker.responses import read_response
from homelab_hooks.ci.woodpecker.sse import MAX_EVENT_BYTES, MalformedStream, PipelineHint, SseParser
from homelab_hooks.net.message import HttpResponse, RequestFailed, read_bounded_body
from homelab_hooks.polling.outcome import Found, Unavailable
from tools.fuzz import seeds, texts
from tools.fuzz.fed import LOOKS, FuzzTarget
from tools.fuzz.promises import hold


def woodpecker(reader: Callable[[object], Any]) -> Callable[[bytes], None]:
    """Any body is a look; what was seen is what its type says, and a success is one in the answer too."""
    kind = get_type_hints(reader)["return"]

    def feed(data: bytes) -> None:
        found = read_response(HttpResponse(200, {}, data, 0.1), reader, subject="it", token_source="WP_TOKEN")
        assert isinstance(found, LOOKS)
        if not isinstance(found, Found):
            assert not texts.harmful(found.reason), found
            return
        hold(found.value, kind)
        if "SUCCESS" in repr(found.value):
            assert "success" in repr(json.loads(data))

    return feed


def headers(data: bytes) -> None:
    """Any status and headers are a look; only a 200 is ever seen."""
    status, retry, date, place, kind, body = (data.decode("latin-1").split("\n", 5) + [""] * 6)[:6]
    code = int(status) if status.isascii() and status.isdecimal() and len(status) < 4 else 503
    told = {"retry-after": retry, "date": date, "location": place, "content-type": kind}
    found = read_response(
        HttpResponse(code, told, body.encode(), 0.1), parse.parse_pipelines, subject="it", token_source="WP_TOKEN"
    )
    assert isinstance(found, LOOKS)
    assert code == 200 or not isinstance(found, Found)
    if isinstance(found, Unavailable):
        assert not texts.harmful(found.reason), found
        assert found.retry_after is None or 0 <= found.retry_after < 1e10


def packed(data: bytes) -> None:
    """A packed body is bounded, whatever it unpacks to."""
    limit = 4096
    for body in (data, zlib.compress(data * 50, wbits=31), zlib.compress(data, wbits=31)[: len(data)]):
        found = read_bounded_body([body[:7], body[7:]], "gzip", limit)
        assert isinstance(found, RequestFailed) or len(found) <= limit


def stream(data: bytes) -> None:
    """However the bytes are cut, the hints are the same, and what is kept is bounded."""
    hints, kept = _heard([data])
    assert kept <= MAX_EVENT_BYTES
    sizes = [1 + byte % 23 for byte in data[:40]] or [1]
    assert _heard(_cut(data, sizes))[0] == hints
    assert len(data) > 3000 or _heard([bytes([byte]) for byte in data])[0] == hints
    for hint in hints:
        hold(hint, PipelineHint)


def _cut(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    pieces, at = [], 0
    for turn in range(len(data)):
        if at >= len(data):
            break
        pieces.append(data[at : at + sizes[turn % len(sizes)]])
        at += sizes[turn % len(sizes)]
    return pieces


def _heard(chunks: Sequence[bytes]) -> tuple[list[PipelineHint], int]:
    known, found = SseParser(), []
    try:
        for chunk in chunks:
            found += known.feed(chunk)
    except MalformedStream:
        pass
    return found, known.buffered_bytes


_EVENT = b'event:message\r\ndata: {"pipeline": %s,\r\ndata: "repo": {"id": 8, "full_name": "a/b"}}\r\n\r\n: ping\n\n'

TARGETS = {
    "pipelines": FuzzTarget(woodpecker(parse.parse_pipelines), seeds.woodpecker("/pipelines")),
    "pipeline": FuzzTarget(woodpecker(parse.parse_pipeline), seeds.woodpecker("/pipelines/")),
    "repo": FuzzTarget(woodpecker(parse.parse_repo), seeds.woodpecker("/lookup/")),
    "login": FuzzTarget(woodpecker(parse.parse_login), seeds.woodpecker("/user")),
    "rights": FuzzTarget(woodpecker(parse.parse_can_push), seeds.woodpecker("/permissions")),
    "queue": FuzzTarget(woodpecker(parse.parse_queue), seeds.woodpecker("/queue")),
    "log": FuzzTarget(woodpecker(parse.parse_log), seeds.woodpecker("/logs/")),
    "headers": FuzzTarget(headers, (
        b"503\n120\n\n\ntext/plain\nupstream gone",
        b"429\nTue, 24 Nov 2026 08:00:09 GMT\nTue, 24 Nov 2026 08:00:00 GMT\n\n\n",
        b"302\n\n\nhttps://[::1]:80/login?x\ntext/html\n<html>", b"401\n\n\n\n\n", b"404\n\n\n\n\n",
    )),
    "packed": FuzzTarget(packed, (b"a" * 200, zlib.compress(b"{}" * 9000, wbits=31))),
    "stream": FuzzTarget(stream, (
        *(_EVENT % body for body in seeds.woodpecker("/pipelines/")[:8] if body.startswith(b"{")), b"data: {}\n\n" * 9,
    )),
}  # fmt: skip
