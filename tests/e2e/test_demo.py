"""Every scenario of the demo, as its user starts it: the exit code, the last line, and nothing that remains."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from homelab_hooks.demo.scenarios import SCENARIOS
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S

pytestmark = [pytest.mark.slow, pytest.mark.first]

HOMELAB = str(Path(sys.executable).with_name("homelab"))
HEARS = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
"""starts a program that hears its terminal go away, also where the tests run under nohup"""
NOT_LANDED = {ExitCode.REFUSED, ExitCode.CONFLICT, ExitCode.PROTECTED}

SHOWN = {"flaky": ("no usable response: the server returned 502; retrying", "reconnected after")}
"""what a scenario is about, in its output"""


class Played(NamedTuple):
    """A finished scenario, and the names of the files and processes that remain."""

    done: Completed
    left: list[str]


def play(name: str) -> Played:
    with TemporaryDirectory() as folder:
        environ = {**os.environ, "TMPDIR": folder, "HOME": folder}
        done = ProcessRunner(environ).run([HOMELAB, "demo", name, "--output", "plain"], timeout=HANG_S)
        return Played(done, [path.name for path in Path(folder).glob("homelab-*")])


@pytest.mark.start_early(play, at_once=3)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_ends_with_its_code_and_its_verdict(early_result: Played, name: str) -> None:
    scenario, done = SCENARIOS[name], early_result.done

    lines = done.out.splitlines()
    landed = "no" if scenario.exit in NOT_LANDED else "yes"
    assert done.code == scenario.exit, done.err
    assert len(lines) == 1, "stdout has exactly the result line"
    assert f" exit={int(scenario.exit)} " in lines[0]
    assert f" landed={landed} " in lines[0]
    assert early_result.left == [], "no file remains"
    assert landed == "no" or f" link={scenario.link}" in lines[0]
    assert [text for text in SHOWN.get(name, ()) if text not in done.err] == []


def test_a_signal_after_the_landings_result_changes_neither_it_nor_the_exit_status(tmp_path: Path) -> None:
    environ = {**os.environ, "TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    with subprocess.Popen(
        [HOMELAB, "demo", "no-pipeline", "--output", "plain"], env=environ, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        line = child.stdout.readline()
        while child.poll() is None:
            child.send_signal(signal.SIGTERM)
        assert (line + child.stdout.read()).count("\n") == 1
    assert f" exit={child.returncode} " in line
    assert not list(tmp_path.glob("homelab-*")), "no file remains"


@pytest.mark.parametrize(("given", "meant"), [("gren", "did you mean green? "), ("sunshine", "")])
def test_an_unknown_scenario_is_a_usage_error_that_names_the_command_that_lists_them(given: str, meant: str) -> None:
    """A hint with all of them was cut."""
    done = ProcessRunner(os.environ).run([HOMELAB, "demo", given], timeout=HANG_S)
    assert done.code == ExitCode.USAGE
    assert done.err.endswith(f"hint: {meant}to list the scenarios, run: homelab demo --list\n")


def test_the_list_names_every_scenario_with_its_code() -> None:
    done = ProcessRunner(os.environ).run([HOMELAB, "demo", "--list"], timeout=HANG_S)
    rows = [line.split()[:2] for line in done.out.splitlines()]
    assert rows == [[name, str(int(scenario.exit))] for name, scenario in SCENARIOS.items()]


def test_each_outcome_that_is_documented_has_its_scenario() -> None:
    """The codes are those of the contract, so that the scripts that use the demo as an example stay right."""
    assert {name: int(scenario.exit) for name, scenario in SCENARIOS.items()} == {
        "green": 0, "red": 1, "flaky": 0, "race": 0, "busy": 0, "rollout-lies": 0, "no-pipeline": 3, "superseded": 6,
        "blocked": 7, "offline": 8, "rollout-failed": 9, "latest": 0, "expired-token": 20, "conflict": 21,
        "protected": 23, "pull-request": 0, "chain": 0, "chain-stuck": 3,
    }  # fmt: skip


def test_the_demos_shell_is_a_place_where_everything_works(tmp_path: Path) -> None:
    """And its exit code is the shell's."""
    environ = {**os.environ, "TMPDIR": str(tmp_path), "HOME": str(tmp_path), "SHELL": "/bin/sh"}
    typed = b"""\
homelab doctor && git land && homelab deploy wait shop/web || exit 1
echo good morning > greeting; git commit -qam morning; git land
exit 42
"""

    done = ProcessRunner(environ).run([HOMELAB, "demo", "--shell"], stdin=typed, timeout=HANG_S)

    assert done.code == 42, done.err
    verdicts = [line.split()[1] for line in done.out.splitlines() if line.startswith("homelab: ")]
    assert verdicts == ["ok", "deployed", "deployed", "failed"]
    assert "test_greeting ... FAILED" in done.out + done.err
    assert not list(tmp_path.glob("homelab-*")), "no file remains"


def test_a_terminal_that_goes_away_takes_the_demo_with_it(tmp_path: Path) -> None:
    """Or its balancer, Vault and git server would run on."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TMPDIR": str(tmp_path), "HOME": str(tmp_path), "SHELL": "/bin/sh", "PS1": "demo$ "}
    child = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, "-c", HEARS, HOMELAB, "demo", "--shell"],
        env=environ, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while b"demo$" not in said:
        said += os.read(ours, 4096)
    assert list(tmp_path.glob("homelab-*"))

    os.close(ours)

    assert child.wait(timeout=HANG_S) == ExitCode.TERMINATED
    assert not list(tmp_path.glob("homelab-*")), "no file remains"
    listed = ProcessRunner(os.environ).run(["ps", "-eo", "args="]).out
    assert str(tmp_path) not in listed
