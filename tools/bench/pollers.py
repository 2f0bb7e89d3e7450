"""The way it was done before, as two small models: `python -m tools.bench.pollers go|three SERVER SHA`."""

from __future__ import annotations

import json
import os
import sys
import threading
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

REPO = "acme/app"
OVER = {"success", "failure", "error", "killed", "declined", "blocked"}
Ask = Callable[[str], Any]
"""the JSON of a path, None where there is none"""
POLL_INTERVAL_S = 3.0
"""seconds between two looks of the poller that people write"""
Sleep = Callable[[float], None]


def go_original(ask: Ask, sleep: Sleep, sha: str) -> str:
    """The Go tool's `ci watch`: every 15 s, the first of the 25 newest whose commit begins with the sha; 20 minutes."""
    repo = ask(f"/api/repos/lookup/{REPO}")["id"]
    for _ in range(80):
        rows = ask(f"/api/repos/{repo}/pipelines?per_page=25") or []
        row = next((row for row in rows[:25] if row["commit"].startswith(sha)), None)
        if row and row["status"] in OVER:
            return str(row["status"])
        sleep(15.0)
    return "timeout"


def three_seconds(ask: Ask, sleep: Sleep, sha: str) -> str:
    """A script as people write it: every 3 s the list, the pipeline, and the log of each of its steps.

    It ends when it has the log of a failed step, which comes a second after the pipeline's end.
    """
    repo = ask(f"/api/repos/lookup/{REPO}")["id"]
    while True:
        rows = ask(f"/api/repos/{repo}/pipelines") or []
        row = next((row for row in rows if row["commit"] == sha), None)
        if row:
            detail = ask(f"/api/repos/{repo}/pipelines/{row['number']}") or {}
            steps = [step for flow in detail.get("workflows") or [] for step in flow["children"]]
            logs = {step["id"]: ask(f"/api/repos/{repo}/logs/{row['number']}/{step['id']}") for step in steps}
            if row["status"] in OVER and all(logs[step["id"]] for step in steps if step["state"] == "failure"):
                return str(row["status"])
        sleep(POLL_INTERVAL_S)


POLLERS = {"go": go_original, "three": three_seconds}


def main(argv: Sequence[str]) -> int:
    """Poll a real server."""
    name, server, sha = argv
    headers = {"Authorization": f"Bearer {os.environ['WOODPECKER_TOKEN']}"}
    pause = threading.Event()

    def ask(path: str) -> Any:
        request = urllib.request.Request(server + path, headers=headers)  # noqa: S310 - the simulated server's address
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
            return json.loads(answer.read() or b"null")

    def sleep(seconds: float) -> None:
        pause.wait(seconds)

    return 0 if POLLERS[name](ask, sleep, sha) == "success" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
