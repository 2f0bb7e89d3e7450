"""Plain pushes with the installed hooks: the background watcher records how CI ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.system.process_table import command_line
from tests.waiting import HANG_S
from tools.soak import leftovers
from tools.soak.plan import Disk
from tools.soak.scene import Scene
from tools.soak.waits import CUT, right

WATCHER_COMMAND = "hooks watcher"


def pushed(scene: Scene) -> None:
    """`git push`; a signal goes either to git or to the background watcher."""
    plan, heard = scene.plan, scene.folder / "heard"
    installed = scene.run("homelab", "hooks", "install")
    if installed.code:
        scene.complain(f"hooks install ended with {installed.code}")
    sha = scene.clone.commit("mine")
    scene.begin()
    strike = plan.strike if plan.strike and plan.strike.whole else None
    more = {"HOMELAB_NOTIFY": f"cat >'{heard}.new' && mv '{heard}.new' '{heard}'"}
    done = scene.run("git", "push", "--quiet", "origin", "HEAD:main", strike=strike, more=more)
    there = sha in scene.workshop.origin.git("rev-list", "refs/heads/main").split()
    if done.code == 0 and not there:
        scene.complain("git push ended with 0, and the commit is not there")
    struck = _strike(scene) if plan.strike and not plan.strike.whole else None
    for left in leftovers.settled(scene.mark, HANG_S):
        scene.complain(f"still there: {left}")
    scene.repair()
    records = _records(scene)
    for record in records:
        _true(scene, record, struck, there=there)
    begun = {1} if struck is None else {0, 1}  # a signal may come before the watcher has written anything
    if done.code == 0 and plan.disk is Disk.WELL and len(records) not in begun:
        scene.complain(f"{len(records)} records of one push that landed")
    _told(scene, heard, records)
    if "watching" in scene.run("homelab", "ci", "status", sha).err:
        scene.complain("a watch is reported as running, and no process runs it")
    scene.clean(killed=done.struck)


def _told(scene: Scene, heard: Path, records: Sequence[dict[str, Any]]) -> None:
    """The notification has the same content as the record."""
    if heard.exists() and [json.loads(heard.read_text(encoding="utf-8"))["exit"]] != [_exit(one) for one in records]:
        scene.complain("the notification is not what was written down")


def _exit(record: dict[str, Any]) -> int | None:
    result = record.get("result") or {}
    code: int | None = result.get("exit")
    return code


def _strike(scene: Scene) -> signal.Signals | None:
    """Send the signal to the background watcher; None if it had already ended."""
    assert scene.plan.strike is not None
    threading.Event().wait(scene.plan.strike.after)
    found = None
    for number in leftovers.processes(scene.mark):
        if WATCHER_COMMAND in command_line(number):
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, scene.plan.strike.number)
                found = scene.plan.strike.number
    return found


def _records(scene: Scene) -> list[dict[str, Any]]:
    place = Path(scene.clone.path) / ".git/homelab/watches"
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(place.glob("*.json"))]


def _true(scene: Scene, record: dict[str, Any], struck: signal.Signals | None, *, there: bool) -> None:
    code = _exit(record)
    scene.ends.append(f"record {record['state']} {code}")
    if record["landed"] and not there:
        scene.complain("the record says landed, and it is not there")
    if record["state"] != "ended":
        if struck is None or (struck is not signal.SIGKILL and record["state"] != "watching"):
            scene.complain(f"the record is still {record['state']}")
        return
    allowed = right(scene.plan) if there else {int(ExitCode.OK)}
    if struck in CUT:
        allowed.add(int(CUT[struck][0]))
    if code not in allowed:
        scene.complain(f"the record says {code}, right were {sorted(allowed)}")
