"""The event stream's bytes to hints: which pipeline an event is about, and whether its end is near."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from homelab_hooks.ci.model import Status
from homelab_hooks.ci.woodpecker import parse

MAX_EVENT_BYTES = 1024 * 1024
"""bytes of one event; a longer one is none"""


_EVENT_END = re.compile(rb"\n\r?\n")
_MAX_SHA_DIGITS = 64
"""digits of the longest commit's name there is"""


class PipelineHint(NamedTuple):
    """An event about a pipeline; never a verdict (contract, section 5)."""

    repo: int
    number: int
    commit: str
    status: Status
    ended: bool
    """the pipeline, or every step of it, has ended: the moment to ask quickly"""


class MalformedStream(Exception):  # noqa: N818 - it is what came, not a fault of this program
    """This is no event stream."""


class SseParser:
    """Puts events together from bytes as they come."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0

    @property
    def buffered_bytes(self) -> int:
        """Bytes of an event that has not ended yet."""
        return len(self._buffer)

    def feed(self, chunk: bytes) -> list[PipelineHint]:
        """The hints in what has come so far. Raises MalformedStream where an event does not end."""
        self._buffer += chunk
        hints, begin = [], 0
        for end in _EVENT_END.finditer(self._buffer, self._searched):
            hints.append(_parse_hint(bytes(self._buffer[begin : end.start()])))
            begin = end.end()
        del self._buffer[:begin]
        # An end may be cut in two or three; all else is looked at once, however small the pieces are.
        self._searched = max(0, len(self._buffer) - 2)
        if len(self._buffer) > MAX_EVENT_BYTES:
            raise MalformedStream("an event without an end")
        return [hint for hint in hints if hint]


def _parse_hint(event: bytes) -> PipelineHint | None:
    """What an event says; pings, other events and nonsense say nothing."""
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
