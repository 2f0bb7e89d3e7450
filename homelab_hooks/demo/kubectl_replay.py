"""A kubectl that answers from a timeline, without a process: for waits in played time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs, urlsplit

from homelab_hooks.demo.cluster import PLURALS, Json, Timeline, chosen
from homelab_hooks.proc import Completed

Fault = Callable[[float, Sequence[str]], Completed | None]
"""what goes wrong with a call at a moment; None for nothing"""


def nothing_wrong(_now: float, _argv: Sequence[str]) -> Completed | None:
    """A healthy cluster."""
    return None


class PlayedWatch:
    """Says each object that is new or another one, and each that is gone."""

    def __init__(
        self, present: Callable[[], Sequence[Json]], hear: Callable[[str], bool], over: Callable[[], None]
    ) -> None:
        self._present, self._hear, self._over = present, hear, over
        self._known: dict[str, Json] = {}
        self.alive = True

    def close(self) -> None:
        """Say no more."""
        self.alive = False
        self._over()

    def news(self) -> None:
        """Say what has changed since the last time."""
        if not self.alive:
            return
        present = {str(each["metadata"]["uid"]): each for each in self._present()}
        events = [
            ("MODIFIED" if uid in self._known else "ADDED", each)
            for uid, each in present.items()
            if self._known.get(uid) != each
        ]
        events += [("DELETED", each) for uid, each in self._known.items() if uid not in present]
        self._known = present
        for kind, each in events:
            self.say(json.dumps({"type": kind, "object": each}))

    def say(self, line: str) -> None:
        """Say a line, to the end of which the listener may be."""
        if self.alive and not self._hear(line):
            self.close()


def _watched(objects: Sequence[Json], argv: Sequence[str]) -> list[Json]:
    url = urlsplit(next(word.partition("=")[2] for word in argv if word.startswith("--raw=")))
    parts, query = url.path.split("/"), parse_qs(url.query)
    name = query.get("fieldSelector", [""])[0].rpartition("=")[2]
    found = chosen(objects, parts[-1], parts[-2], query.get("labelSelector", [""])[0])
    return [each for each in found if name in {"", each["metadata"]["name"]}]


class PlayedKubectl:
    """Stands where processes are started, and answers `kubectl get` and its watches.

    Args:
        sleep: lets the time of a call pass.
        took: seconds that a call takes, so that the parts of a snapshot lie apart as in reality.
    """

    def __init__(
        self,
        timeline: Timeline,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], None],
        took: float = 0.05,
        fault: Fault = nothing_wrong,
    ) -> None:
        self._timeline = timeline
        self._now = now
        self._sleep = sleep
        self._took = took
        self._fault = fault
        self.calls: list[Sequence[str]] = []
        self.watches: list[PlayedWatch] = []
        self.spoils: tuple[float, str] | None = None
        """when watches begin to say this one line instead of what they should; nothing for the empty line"""
        self.log = ""
        """what every crashed container said"""

    def run(self, argv: Sequence[str], *, timeout: float | None = None) -> Completed:
        """What kubectl would print, in the words of version 1.37."""
        self.calls.append(argv)
        if (fault := self._fault(self._now(), argv)) is not None:
            if fault.timed_out:
                self._sleep(timeout or 0.0)
            return fault
        self._sleep(self._took)
        words = [word for word in argv[1:] if not word.startswith("--")]
        if words[0] == "logs":
            return Completed(0, self.log.encode("utf-8", "surrogateescape"))
        options = dict(word[2:].partition("=")[::2] for word in argv if word.startswith("--"))
        return self._get(words[1:], options["namespace"], options.get("selector", ""))

    def stream_lines(self, argv: Sequence[str], hear: Callable[[str], bool], over: Callable[[], None]) -> PlayedWatch:
        """A watch, in played time: its lines come when its time is looked at."""
        self.calls.append(argv)
        watch = PlayedWatch(lambda: _watched(self._timeline(self._now()), argv), hear, over)
        if self._fault(self._now(), argv) is not None:
            watch.close()
        self.watches.append(watch)
        return watch

    def news(self) -> None:
        """Let every watch say what has changed; for a clock that calls it while time passes."""
        spoilt = self.spoils is not None and self._now() >= self.spoils[0]
        for watch in self.watches:
            if not spoilt:
                watch.news()
            elif self.spoils and self.spoils[1]:
                watch.say(self.spoils[1])

    def _get(self, words: Sequence[str], namespace: str, selector: str) -> Completed:
        plural = words[0] if words[0] in PLURALS.values() else f"{words[0]}s"
        objects = chosen(self._timeline(self._now()), plural, namespace, selector)
        if len(words) == 1:
            return Completed(0, json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}).encode())
        found = next((each for each in objects if each["metadata"]["name"] == words[1]), None)
        if found is None:
            return Completed(1, b"", f'Error from server (NotFound): {plural}.apps "{words[1]}" not found\n'.encode())
        return Completed(0, json.dumps(found).encode())
