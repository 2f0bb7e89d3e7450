"""The event stream's bytes to hints: which pipeline an event is about, and whether its end is near."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from homelab_hooks.model import Status
from homelab_hooks.woodpecker import parse

LONGEST = 1024 * 1024
"""bytes of one event; a longer one is none"""


_END = re.compile(rb"\n\r?\n")
_SHA = 64
"""digits of the longest commit's name there is"""


class Hint(NamedTuple):
    """An event about a pipeline; never a verdict (contract, section 5)."""

    repo: int
    number: int
    commit: str
    status: Status
    ended: bool
    """the pipeline, or every step of it, has ended: the moment to ask quickly"""


class Garbage(Exception):  # noqa: N818 - it is what came, not a fault of this program
    """This is no event stream."""


class Stream:
    """Puts events together from bytes as they come."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0

    @property
    def kept(self) -> int:
        """Bytes of an event that has not ended yet."""
        return len(self._rest)

    def feed(self, chunk: bytes) -> list[Hint]:
        """The hints in what has come so far. Raises Garbage where an event does not end."""
        self._rest += chunk
        hints, begin = [], 0
        for end in _END.finditer(self._rest, self._searched):
            hints.append(_hint(bytes(self._rest[begin : end.start()])))
            begin = end.end()
        del self._rest[:begin]
        # An end may be cut in two or three; all else is looked at once, however small the pieces are.
        self._searched = max(0, len(self._rest) - 2)
        if len(self._rest) > LONGEST:
            raise Garbage("an event without an end")
        return [hint for hint in hints if hint]


def _hint(event: bytes) -> Hint | None:
    """What an event says; pings, other events and nonsense say nothing."""
    data = b"\n".join(line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:"))
    if not data:
        return None
    try:
        raw = json.loads(data)
        pipeline = parse.pipeline(raw["pipeline"])
        repo = parse.repo(raw["repo"]).id
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if len(pipeline.commit) > _SHA:
        return None
    steps = [step for workflow in pipeline.workflows for step in workflow.steps]
    ended = pipeline.status.settled or (bool(steps) and all(step.state.settled for step in steps))
    return Hint(repo, pipeline.number, pipeline.commit, pipeline.status, ended)
