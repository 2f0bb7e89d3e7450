"""Files of the user's and of a repository's, and what we have written down ourselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from homelab_hooks.app.command_trust import TrustedCommands
from homelab_hooks.ci.provider import Trigger
from homelab_hooks.ci.woodpecker.conditions import are_all_filtered
from homelab_hooks.config import files
from homelab_hooks.config.resolve import SettingSources, resolve_config
from homelab_hooks.errors import CommandError
from homelab_hooks.events import BackgroundWatch, Stage
from homelab_hooks.hooks.background.job import WatchJob
from homelab_hooks.hooks.background.registry import WatchPhase, WatchRecord, WatchRegistry as Records
from homelab_hooks.hooks.install import shims
from homelab_hooks.hooks.install.discover import read_hook_file
from homelab_hooks.hooks.install.managers import HookManager
from homelab_hooks.land import verification
from homelab_hooks.land.request import LandRequest, VerifyCommand
from homelab_hooks.land.state import LandingState, StateFile, landing_holder
from homelab_hooks.system.process_table import ProcessInfo
from tools.fuzz import texts
from tools.fuzz.fed import MEMORY, SHA, FuzzTarget
from tools.fuzz.promises import hold


def small_files(data: bytes) -> None:
    """A file of the user's is read, or counts as empty; a tracked one is read, or a Problem."""
    with TemporaryDirectory(dir=MEMORY) as name:
        top = Path(name)
        (top / ".homelab.toml").write_bytes(data)
        (top / "woodpecker").mkdir()
        (top / "woodpecker" / "contexts.json").write_bytes(data)
        assert isinstance(files.read_woodpecker_cli_server(top), str)
        try:
            resolve_config(SettingSources(tracked=files.load_tracked_settings(top)))
        except CommandError as problem:
            assert problem.message  # noqa: PT017 - most inputs end well


def landing(data: bytes) -> None:
    """A landing's state is read, or is a Problem that says which file."""
    with TemporaryDirectory(dir=MEMORY) as name:
        (Path(name) / "land.json").write_bytes(data)
        try:
            found = StateFile(Path(name)).load()
        except CommandError as problem:
            assert "land.json" in problem.message  # noqa: PT017 - most inputs end well
        else:
            hold(found, LandingState)


def watches(data: bytes) -> None:
    """What is written down of a watch is read, or passed over."""
    with TemporaryDirectory(dir=MEMORY) as name:
        known = Records(Path(name))
        known.directory.mkdir(parents=True)
        (known.directory / "a.json").write_bytes(data)
        for one in known.summaries(1795465876.0):
            hold(one, BackgroundWatch)


def tickets(data: bytes) -> None:
    """The text that a background watcher receives is a ticket, or none."""
    found = WatchJob.parse(data.decode("utf-8", "surrogateescape"))
    if found is not None:
        hold(found, WatchJob)
        assert found.name


def detection(data: bytes) -> None:
    """Whatever a repository's files hold, one of the known commands is found, or none."""
    with TemporaryDirectory(dir=MEMORY) as name:
        for file in (".pre-commit-config.yaml", "Makefile", "justfile", "pyproject.toml", "package.json"):
            (Path(name) / file).write_bytes(data)
            found = verification.detect_in(Path(name))
            assert isinstance(found, verification.Detection | None)
            assert found is None or not texts.harmful(found.candidates[0].command + found.why)
            (Path(name) / file).unlink()


def conditions(data: bytes) -> None:
    """Whatever a pipeline configuration holds, its conditions match, do not match, or are not decided."""
    text = data.decode("utf-8", "replace")
    push = Trigger(event="push", refs=("refs/heads/main",), paths=("src/a.py",), has_all_paths=True)
    for trigger in (push, push._replace(has_all_paths=False, refs=()), Trigger(event="tag", refs=("refs/tags/v1",))):
        assert are_all_filtered({".woodpecker.yaml": text}, trigger) in (True, False, None)


def notes(data: bytes) -> None:
    """A damaged list of agreements agrees to nothing; a lock names its holder only while it is held."""
    with TemporaryDirectory(dir=MEMORY) as name:
        (Path(name) / "agreed").write_bytes(data)
        (Path(name) / "land.lock").write_bytes(data)
        assert "make test" not in TrustedCommands(Path(name))
        assert landing_holder(Path(name)) == ""


def hook_files(data: bytes) -> None:
    """Every hook has an owner, and the program that it names is a text."""
    with TemporaryDirectory(dir=MEMORY) as name:
        (Path(name) / "pre-push").write_bytes(data)
        found = read_hook_file(Path(name) / "pre-push")
    assert isinstance(found.owner, HookManager)
    hold(shims.embedded_path(found.text or ""), str)


def _write(write: Callable[[Path], object]) -> bytes:
    """Return the file that `write` leaves in a directory, so that the seed is always of today's shape."""
    with TemporaryDirectory(dir=MEMORY) as name:
        write(Path(name))
        return next(Path(name).rglob("*.json")).read_bytes()


SAVED_LANDING = _write(
    lambda folder: StateFile(folder).save(
        LandingState(
            request=LandRequest(verify=VerifyCommand("make test", "why"), push_options=("a",), caller_state={"a": 1}),
            branch="b", target="main", remote="origin", push_url="u", original_commit=SHA, stage=Stage.PUSH,
        )
    )
)  # fmt: skip
"""a landing's state as it is written"""
SAVED_WATCH = _write(
    lambda folder: Records(folder).claim(
        WatchRecord(
            SHA, "main", "origin", process=1, host="h", began_at=1.0, expires_at=2.0, state=WatchPhase.ENDED,
            landed=True, ended=2.0, result={"exit": 0, "verdict": "passed", "url": "u"}, log="l",
        )
    )
)  # fmt: skip
"""the record of an ended watch as it is written"""
_TICKET = json.dumps(
    WatchJob(SHA, "main", "origin", "/src/app", "/src/app/.git/x.log", 3, options={"deploy": ["shop/web"]})
    ._replace(push_process=ProcessInfo(7, 1, 7, "git", "/dev/pts/3", "99"))._asdict()
).encode()  # fmt: skip

TARGETS = {
    "files": FuzzTarget(small_files, (
        b'repo = "acme/app"\nverify = "make test"\ndeploy = ["shop/web"]\ntimeout = "1h"\nsettle = 5\n',
        b'{"current_context": "a", "contexts": {"a": {"server_url": "https://ci.example.test"}}}',
    )),
    "landing": FuzzTarget(landing, (SAVED_LANDING,)),
    "watches": FuzzTarget(watches, (SAVED_WATCH,)),
    "ticket": FuzzTarget(tickets, (_TICKET,)),
    "detection": FuzzTarget(detection, (
        b"test:\n\tpytest\n", b"@test *args:\n", b"[tool.pytest.ini_options]\nx = 1\n",
        b'{"scripts": {"test": "jest"}}', b"repos:\n- repo: local\n  hooks: &h\n  - {id: x, stages: [pre-push]}\n",
    )),
    "conditions": FuzzTarget(conditions, (
        (b"when:\n- event: [push, tag]\n  branch: {exclude: 'a/*'}\n- path: {include: ['src/**'], on_empty: false}\n"
        b"steps:\n- {name: test, image: alpine, when: {event: push}}\n"),
        b"when: &w {ref: 'refs/tags/v{1,2}*', ignore_message: x, evaluate: 'a == 1'}\nsteps: {a: {when: *w}}\n",
    )),
    "notes": FuzzTarget(notes, (b"0" * 64 + b"\n" + b"f" * 64 + b"\n", b"process 7 on host, git land")),
    "hook-files": FuzzTarget(hook_files, (
        *((shims.source_dir() / name).read_bytes() for name in shims.INSTALLED_HOOKS),
        b"#!/bin/sh\nknown='/opt/a b/homelab' # x\n",
        b"#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n",
    )),
}  # fmt: skip
