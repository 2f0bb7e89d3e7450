"""Reads the bytes of the event stream: which pipeline an event is about, and whether it has ended."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from typing import NamedTuple

from homelab_hooks.ci.model import Status
from homelab_hooks.ci.woodpecker import parse

MAX_EVENT_BYTES = 1024 * 1024
"""bytes of the longest event that is read"""


PING = b": ping"
"""the comment that the server sends at first, and every 30 seconds without an event (recording 18-event-stream)"""
_EVENT_END = re.compile(rb"\n\r?\n")
_MAX_SHA_DIGITS = 64
"""digits of the longest commit hash"""


class PipelineHint(NamedTuple):
    """An event about a pipeline; never a verdict."""

    repo: Hashable
    number: int
    commit: str
    status: Status
    ended: bool
    """the pipeline, or every step of it, has ended: time to poll"""


class MalformedStream(Exception):  # noqa: N818 - it describes the input, not an error of this program
    """The input is not an event stream."""


class SseParser:
    """Assembles events from chunks of bytes.

    Attributes:
        signs_of_life: the number of pings and valid events so far; anything else may come from a proxy.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self.signs_of_life = 0

    @property
    def buffered_bytes(self) -> int:
        """Return the number of bytes of the event that is incomplete."""
        return len(self._buffer)

    def feed(self, chunk: bytes) -> list[PipelineHint]:
        """Return the hints that are complete with this chunk. Raises MalformedStream if an event does not end."""
        self._buffer += chunk
        hints, begin = [], 0
        for end in _EVENT_END.finditer(self._buffer, self._searched):
            event = bytes(self._buffer[begin : end.start()])
            hints.append(_parse_hint(event))
            self.signs_of_life += hints[-1] is not None or event.strip() == PING
            begin = end.end()
        del self._buffer[:begin]
        # The end of an event may be split over chunks; every other byte is searched once, however small the chunks are.
        self._searched = max(0, len(self._buffer) - 2)
        if len(self._buffer) > MAX_EVENT_BYTES:
            raise MalformedStream("an event without an end")
        return [hint for hint in hints if hint]


def _parse_hint(event: bytes) -> PipelineHint | None:
    """Read an event; None for pings, other events and malformed data."""
    data = b"\n".join(line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:"))
    if not data:
        return None
    try:
        raw = json.loads(data)
        pipeline = parse.parse_pipeline(raw["pipeline"])
        repo = parse.parse_repo(raw["repo"]).id
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if len(pipeline.commit) > _MAX_SHA_DIGITS:
        return None
    steps = [step for workflow in pipeline.workflows for step in workflow.steps]
    ended = pipeline.status.is_final or (bool(steps) and all(step.state.is_final for step in steps))
    return PipelineHint(repo, pipeline.number, pipeline.commit, pipeline.status, ended)
