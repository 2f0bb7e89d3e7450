"""A developer's branch with its own pipeline, and a watch of it in a process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner
from tests.real.real_servers import RealServers
from tests.waiting import HANG_S, wait_until

PASSES = ("echo all is well",)
FAILS = ("echo before", "exit 3")


def one_step(commands: tuple[str, ...]) -> str:
    """A pipeline of one step `test`."""
    lines = ["skip_clone: true", "steps:", "  test:", "    image: sh", "    commands:"]
    return "\n".join([*lines, *(f"      - {json.dumps(command)}" for command in commands), ""])


Act = Callable[[int, str], None]
"""what is done when the watch tells of a deciding pipeline: its number and its status"""


@dataclass(frozen=True, slots=True)
class Watched:
    """How a watch ended, and its events."""

    code: int
    events: list[dict[str, Any]]

    @property
    def result(self) -> dict[str, Any]:
        """The result, which is the last event."""
        return self.events[-1]

    @property
    def numbers(self) -> list[int]:
        """The pipelines that decided."""
        return [pipeline["number"] for pipeline in self.result["pipelines"]]

    def events_of(self, event: str) -> list[dict[str, Any]]:
        """The events of one kind."""
        return [one for one in self.events if one["event"] == event]


@dataclass(slots=True)
class Branch:
    """A branch of its own in a clone of its own."""

    servers: RealServers
    checkout: Clone
    name: str
    folder: Path
    pushed: list[str] = field(default_factory=list)

    @property
    def waits(self) -> tuple[str, ...]:
        """Commands of a step that ends when `opened` says, with the exit code that it says."""
        return (f"echo >> {self._sign}", f"until [ -s {self._gate} ]; do sleep 0.02; done", f"exit $(cat {self._gate})")

    @property
    def _sign(self) -> Path:
        return self.folder / "begun"

    def begun(self) -> None:
        """Return when the first step that waits has really started: an agent that is stopped before may crash."""
        wait_until(self._sign.exists, "the step has not begun")

    @property
    def _gate(self) -> Path:
        return self.folder / "gate"

    def opened(self, code: int = 0) -> None:
        """Let the waiting steps continue."""
        (self.folder / "new").write_text(f"{code}\n", encoding="utf-8")
        (self.folder / "new").replace(self._gate)

    def push(self, commands: tuple[str, ...], *, message: str = "", force: bool = False) -> str:
        """Commit a pipeline of one step `test` and push it; the commit."""
        return self.push_config(one_step(commands), message=message, force=force)

    def push_config(self, config: str, *, message: str = "", force: bool = False) -> str:
        """Commit a configuration of CI and push it; the commit."""
        self.commit(config, message=message)
        self.checkout.git("push", "--quiet", *(["--force"] if force else []), "origin", f"HEAD:refs/heads/{self.name}")
        self.pushed.append(self.checkout.head)
        return self.checkout.head

    def push_workflows(self, **commands: tuple[str, ...]) -> str:
        """Commit and push a workflow of one step for each name; the commit."""
        for name, lines in commands.items():
            self.checkout.write(f".woodpecker/{name}.yaml", one_step(lines))
        self.checkout.git("add", ".woodpecker")
        return self.push_config("# the folder comes first\n")

    def commit(self, config: str, *, message: str = "") -> None:
        """Commit a configuration of CI that no other branch has."""
        mark = f"{self.name} {len(self.pushed)}"
        self.checkout.commit(".woodpecker.yaml", f"{config}# {mark}\n", message=message or mark)

    def rows(self, sha: str = "") -> list[dict[str, Any]]:
        """The pipelines of a commit, the newest first."""
        rows = self.servers.ci.api.get(f"/api/repos/{self.servers.repo}/pipelines").raise_for_status().json()
        return [row for row in rows if row["commit"] == (sha or self.checkout.head)]

    def ended(self, sha: str = "") -> dict[str, Any]:
        """The newest pipeline of a commit, waited for to its end."""
        wait_until(lambda: bool(self.rows(sha)) and self.rows(sha)[0]["finished"] > 0, "the pipeline has not ended")
        return self.rows(sha)[0]

    def post(self, number: int, act: str = "") -> None:
        """Restart a pipeline, or `cancel`, `approve`, `decline` it."""
        path = f"/api/repos/{self.servers.repo}/pipelines/{number}{'/' + act if act else ''}"
        self.servers.ci.api.post(path).raise_for_status()

    def watch(self, *options: str, act: Act = lambda *_: None) -> Watched:
        """The real `homelab-watch`, and what is done in the moments in which it tells of a pipeline."""
        events: list[dict[str, Any]] = []

        class Listener:
            def on_line(self, text: str) -> None:
                if not (text.startswith("{") and text.endswith("}")):
                    return
                events.append(json.loads(text))
                if events[-1]["event"] == "pipeline" and events[-1].get("deciding"):
                    act(events[-1]["number"], events[-1]["status"])

            def on_wait(self) -> None:
                pass

        argv = ["homelab-watch", "--output", "json", "--timeout", "4m", *options]
        done = ProcessRunner(self.servers.environ).stream(argv, Listener(), cwd=self.checkout.path)
        return Watched(done.code, events)

    def run(self, *argv: str) -> Completed:
        """A command in the clone."""
        return ProcessRunner(self.servers.environ).run(argv, cwd=self.checkout.path, timeout=HANG_S)
