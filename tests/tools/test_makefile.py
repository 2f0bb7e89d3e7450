"""The Makefile: what a target installs. `make --dry-run` prints the commands and runs none of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from homelab_hooks.system.process_runner import ProcessRunner
from tests.docs.pages import ROOT
from tests.waiting import HANG_S


@pytest.mark.parametrize(
    ("target", "stamp", "installed", "not_installed"),
    [
        ("demo", ".ready-for-demo", "--editable '.[demo]'", "--requirement requirements/dev.txt"),
        ("check", ".ready", "--requirement requirements/dev.txt", "'.[demo]'"),
    ],
)
def test_a_target_says_and_installs_what_it_needs_and_no_more(
    tmp_path: Path, target: str, stamp: str, installed: str, not_installed: str
) -> None:
    environ = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    argv = ["make", "--dry-run", f"VENV={tmp_path}/venv", target]
    done = ProcessRunner(environ).run(argv, cwd=ROOT, timeout=HANG_S)
    assert done.ok, done.err
    before, _, after = done.out.partition(f"touch {tmp_path}/venv/{stamp}\n")
    assert "installing what the" in before
    assert installed in before
    assert not_installed not in before
    assert f"{tmp_path}/venv/bin/" in after
    assert not (tmp_path / "venv").exists()
