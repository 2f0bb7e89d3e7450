"""A kubectl that answers from a timeline, without a process: for waits in played time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from homelab_hooks.demo.cluster import PLURALS, Timeline, chosen
from homelab_hooks.proc import Done

Fault = Callable[[float, Sequence[str]], Done | None]
"""what goes wrong with a call at a moment; None for nothing"""


def nothing_wrong(_now: float, _argv: Sequence[str]) -> Done | None:
    """A healthy cluster."""
    return None


class PlayedKubectl:
    """Stands where processes are started, and answers `kubectl get` only.

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

    def run(self, argv: Sequence[str], *, timeout: float | None = None) -> Done:
        """What kubectl would print, in the words of version 1.37."""
        self.calls.append(argv)
        if (fault := self._fault(self._now(), argv)) is not None:
            if fault.timed_out:
                self._sleep(timeout or 0.0)
            return fault
        self._sleep(self._took)
        words = [word for word in argv[1:] if not word.startswith("--")]
        options = dict(word[2:].partition("=")[::2] for word in argv if word.startswith("--"))
        return self._get(words[1:], options["namespace"], options.get("selector", ""))

    def _get(self, words: Sequence[str], namespace: str, selector: str) -> Done:
        plural = words[0] if words[0] in PLURALS.values() else f"{words[0]}s"
        objects = chosen(self._timeline(self._now()), plural, namespace, selector)
        if len(words) == 1:
            return Done(0, json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}).encode())
        found = next((each for each in objects if each["metadata"]["name"] == words[1]), None)
        if found is None:
            return Done(1, b"", f'Error from server (NotFound): {plural}.apps "{words[1]}" not found\n'.encode())
        return Done(0, json.dumps(found).encode())
