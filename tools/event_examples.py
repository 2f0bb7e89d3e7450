"""Records an example of each event from real commands in the demo: `python -m tools.event_examples`.

`tools.docs` writes the examples into docs/events.md. Names of the machine are replaced; the rest is as it was written.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from homelab_hooks.demo.environment import DemoEnvironment
from homelab_hooks.demo.scenarios import SCENARIOS
from homelab_hooks.simulators.faults import FaultRule, StatusFault
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.system.process_runner import ProcessRunner

RECORDED = Path(__file__).parent / "event_examples.json"
COMMAND_TIMEOUT_S = 120.0
MAX_TEXT_CHARS = 160
"""characters of a text in an example"""
PLAYED = ("chain", "flaky", "red", "rollout-failed")
"""the scenarios whose landing is recorded"""
COMMANDS = (
    "git-land --output json --detach",
    "homelab follow --list --output json",
    "homelab follow --timeout 1s --output json",
    "homelab follow --output json",
    "homelab doctor --output json",
    "homelab config --output json",
    "homelab manifest --output json",
    "homelab work start topic --output json",
)
"""the commands that are recorded after each other in the demo's repository"""


def record_scenario(name: str, commands: tuple[str, ...]) -> list[dict[str, Any]]:
    """Run the commands in the environment of a scenario, and return their events without names of this machine."""
    scenario = SCENARIOS[name]
    with DemoEnvironment(os.environ, scenario.script, scenario.rollout) as scene:
        scenario.prepare(scene)
        return _run_commands(scene, commands)


def record_outage() -> list[dict[str, Any]]:
    """Land while the CI server answers nothing usable for some seconds, and return the events."""
    with DemoEnvironment(os.environ, timelines.make_green(14.0), None) as scene:
        begin = scene.ci.t + 4.0
        scene.ci.fail(FaultRule(fault=StatusFault(code=502, body=b""), since=begin, until=begin + 10.0))
        return _run_commands(scene, ("git-land --output json",))


def _run_commands(scene: DemoEnvironment, commands: tuple[str, ...]) -> list[dict[str, Any]]:
    runner, folder = ProcessRunner(scene.environ), str(scene.my_clone.path.parent)
    found = []
    for command in commands:
        done = runner.run(command.split(), cwd=scene.my_clone.path, timeout=COMMAND_TIMEOUT_S)
        found += [json.loads(_without_machine(line, folder)) for line in done.out.splitlines()]
    return found


def _without_machine(line: str, folder: str) -> str:
    beside = str(Path(sys.executable).parent)
    text = line.replace(folder, "/home/ann").replace(beside, "/usr/local/bin")
    text = re.sub(r"/[^\"\s]*homelab-demo-\w+", "/home/ann", text)
    return re.sub(r"\b127\.0\.0\.1(:\d+)?|\blocalhost:\d+", "ci.example.test", text)


def choose_examples(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return for each kind of event the first one that has the most fields and no long text."""
    best: dict[str, dict[str, Any]] = {}
    for event in events:
        kind = str(event["event"])
        if kind not in best or _worth(event) > _worth(best[kind]):
            best[kind] = event
    return best


def _worth(event: dict[str, Any]) -> tuple[bool, int]:
    short = all(len(value) <= MAX_TEXT_CHARS for value in event.values() if isinstance(value, str))
    return short, len(event)


def main() -> None:
    """Run the scenarios and the commands, and write the examples."""
    events = [event for name in PLAYED for event in record_scenario(name, ("git-land --output json",))]
    events += [*record_outage(), *record_scenario("green", COMMANDS)]
    RECORDED.write_text(json.dumps(choose_examples(events), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
