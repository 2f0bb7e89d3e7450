"""A kubectl that answers from a timeline, without a process: for waits in played time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs, urlsplit

from homelab_hooks.simulators.kubernetes.timeline import PLURALS, ClusterTimeline, group_of, select_objects
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.output import OutputListener
from homelab_hooks.text.json_fields import Json

KubectlFault = Callable[[float, Sequence[str]], Completed | None]
"""what goes wrong with a call at a moment; None for nothing"""


def report_no_fault(_now: float, _argv: Sequence[str]) -> Completed | None:
    """A healthy cluster."""
    return None


class ReplayedWatch:
    """Says each object that is new or another one, and each that is gone."""

    def __init__(
        self, present: Callable[[], Sequence[Json]], on_line: Callable[[str], bool], on_end: Callable[[], None]
    ) -> None:
        self._present, self._on_line, self._on_end = present, on_line, on_end
        self._known: dict[str, Json] = {}
        self.alive = True

    def close(self) -> None:
        """Send nothing more."""
        self.alive = False
        self._on_end()

    def emit_changes(self) -> None:
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
            self.emit_line(json.dumps({"type": kind, "object": each}))

    def emit_line(self, line: str) -> None:
        """Send a line; the listener may end the watch on it."""
        if self.alive and not self._on_line(line):
            self.close()


def _choose_watched(argv: Sequence[str]) -> Callable[[Sequence[Json]], list[Json]]:
    """Return what chooses the objects that a watch is about."""
    url = urlsplit(next(word.partition("=")[2] for word in argv if word.startswith("--raw=")))
    parts, query = url.path.split("/"), parse_qs(url.query)
    name = query.get("fieldSelector", [""])[0].rpartition("=")[2]
    selector = query.get("labelSelector", [""])[0]

    def choose(objects: Sequence[Json]) -> list[Json]:
        found = select_objects(objects, parts[-1], parts[-2], selector)
        return [each for each in found if name in {"", each["metadata"]["name"]}]

    return choose


class ReplayedKubectl:
    """Stands where processes are started, and answers `kubectl get` and its watches.

    Args:
        sleep: lets the time of a call pass.
        call_duration: seconds that a call takes, so that the parts of a snapshot lie apart as in reality.
        request_duration: seconds between two requests of one call.
    """

    def __init__(
        self,
        timeline: ClusterTimeline,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], None],
        call_duration: float = 0.05,
        request_duration: float = 0.01,
        fault: KubectlFault = report_no_fault,
    ) -> None:
        self._timeline = timeline
        self._now = now
        self._sleep = sleep
        self._call_duration = call_duration
        self._request_duration = request_duration
        self._fault = fault
        self.calls: list[Sequence[str]] = []
        self.watches: list[ReplayedWatch] = []
        self.spoiled_from: tuple[float, str] | None = None
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
        self._sleep(self._call_duration)
        words = [word for word in argv[1:] if not word.startswith("--")]
        if words[0] == "logs":
            return Completed(0, self.log.encode("utf-8", "surrogateescape"))
        options = dict(word[2:].partition("=")[::2] for word in argv if word.startswith("--"))
        return self._get(words[1:], options["namespace"], options.get("selector", ""))

    def with_listener(self, listener: OutputListener) -> ReplayedKubectl:
        """It prints nothing while a call runs."""
        del listener
        return self

    def stream_lines(
        self, argv: Sequence[str], on_line: Callable[[str], bool], on_end: Callable[[], None]
    ) -> ReplayedWatch:
        """A watch, in played time: its lines come when its time is looked at."""
        self.calls.append(argv)
        choose = _choose_watched(argv)
        watch = ReplayedWatch(lambda: choose(self._timeline(self._now())), on_line, on_end)
        if self._fault(self._now(), argv) is not None:
            watch.close()
        self.watches.append(watch)
        return watch

    def emit_changes(self) -> None:
        """Let every watch say what has changed; for a clock that calls it while time passes."""
        is_spoiled = self.spoiled_from is not None and self._now() >= self.spoiled_from[0]
        for watch in self.watches:
            if not is_spoiled:
                watch.emit_changes()
            elif self.spoiled_from and self.spoiled_from[1]:
                watch.emit_line(self.spoiled_from[1])

    @property
    def requests(self) -> int:
        """How many requests the calls send: one for each resource of a list."""
        return sum(1 + argv[argv.index("get") + 1].count(",") if "get" in argv else 1 for argv in self.calls)

    def _get(self, words: Sequence[str], namespace: str, selector: str) -> Completed:
        if "," in words[0]:
            return self._get_each(words[0].split(","), namespace, selector)
        plural = _name_plural(words[0])
        objects = select_objects(self._timeline(self._now()), plural, namespace, selector)
        if len(words) == 1:
            return _print_list(objects)
        found = next((each for each in objects if each["metadata"]["name"] == words[1]), None)
        if found is None:
            resource = f"{plural}.{group_of(plural)}"
            return Completed(1, b"", f'Error from server (NotFound): {resource} "{words[1]}" not found\n'.encode())
        return Completed(0, json.dumps(found).encode())

    def _get_each(self, resources: Sequence[str], namespace: str, selector: str) -> Completed:
        """One resource after the other; time passes between them, as it does with kubectl."""
        items: list[Json] = []
        for index, resource in enumerate(resources):
            if index:
                self._sleep(self._request_duration)
            items += select_objects(self._timeline(self._now()), _name_plural(resource), namespace, selector)
        return _print_list(items)


def _name_plural(resource: str) -> str:
    word = resource.partition(".")[0]
    return word if word in PLURALS.values() else f"{word}s"


def _print_list(items: Sequence[Json]) -> Completed:
    return Completed(0, json.dumps({"apiVersion": "v1", "kind": "List", "items": items}).encode())
