"""Odd environments: a read-only directory, a closed output pipe, another character set."""

from __future__ import annotations

import os
import subprocess

import pytest

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.system.process_runner import ProcessRunner
from tests.cli.shell import PROGRAMS, Shell
from tests.waiting import HANG_S

pytestmark = pytest.mark.slow

LAND = ("git-land", "--output", "plain", "--no-ci-watch", "--verify-cmd", "true")


@pytest.fixture
def shell(seal: dict[str, str], ann: Clone) -> Shell:
    return Shell(seal, ann.path)


def test_a_landing_that_cannot_be_written_down_is_refused_before_anything_changes(
    shell: Shell, ann: Clone, workshop: ScratchRepositories
) -> None:
    before = workshop.server_commit()
    (ann.path / ".git" / "homelab").write_text("in the way")
    head = ann.head

    done = shell(*LAND)

    assert (done.code, done.result["landed"]) == (20, "no")
    assert "cannot write the landing's state" in done.err
    assert "hint: remove what is in its place" in done.err
    assert "Traceback" not in done.err
    assert "a fault of" not in done.err
    assert (workshop.server_commit(), ann.head, ann.git("status", "--short")) == (before, head, "")


def test_a_disk_that_fills_up_during_the_push_does_not_hide_that_it_landed(
    shell: Shell, ann: Clone, workshop: ScratchRepositories
) -> None:
    state = ann.path / ".git" / "homelab"
    workshop.write_hook("post-receive", f'rm -rf "{state}" && echo full >"{state}"')

    done = shell(*LAND)

    assert done.code == 0, done.err
    assert done.result["landed"] == "yes"
    assert f"landed {ann.head} on main" in done.err
    assert done.err.count("warning: cannot write the landing's state") == 1
    assert workshop.server_commit() == ann.head


def test_a_home_that_cannot_be_written_is_not_an_obstacle(shell: Shell) -> None:
    done = shell(*LAND, HOME="/proc", XDG_CONFIG_HOME="/proc")
    assert (done.code, done.result["landed"]) == (0, "yes"), done.err


@pytest.mark.parametrize("command", [("homelab", "manifest", "--json"), ("homelab", "doctor"), LAND])
def test_a_reader_who_has_seen_enough_causes_no_complaint(shell: Shell, command: tuple[str, ...]) -> None:
    """As with `| head -1`: further output is dropped, and the landing continues."""
    read, write = os.pipe()
    os.close(read)
    child = subprocess.Popen(
        [str(PROGRAMS / command[0]), *command[1:]],
        cwd=shell.directory, env=shell.environ, stdout=write, stderr=subprocess.PIPE,
    )  # fmt: skip
    os.close(write)
    _, err = child.communicate(timeout=HANG_S)
    assert child.returncode in {0, 20}
    assert b"Traceback" not in err
    assert b"Broken pipe" not in err


def test_progress_that_no_process_reads_does_not_stop_a_landing(
    shell: Shell, ann: Clone, workshop: ScratchRepositories
) -> None:
    done = ProcessRunner(shell.environ).run(
        ["sh", "-c", '"$@" 2>&1 | head -1; exit 0', "sh", str(PROGRAMS / LAND[0]), *LAND[1:]],
        cwd=ann.path,
        timeout=HANG_S,
    )
    assert "Traceback" not in done.out + done.err
    assert workshop.server_commit() == ann.head


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252"])
def test_another_character_set_has_no_traceback(shell: Shell, ann: Clone, encoding: str) -> None:
    ann.commit("grüße", message="Grüße 漢字")
    done = shell("git-land", "--output", "live", *LAND[3:], PYTHONIOENCODING=encoding, TERM="xterm")
    assert (done.code, done.result["landed"]) == (0, "yes"), done.err
    assert "fault" not in done.err


def test_windows_line_ends_in_settings_are_no_part_of_them(shell: Shell, ann: Clone) -> None:
    (ann.path / ".homelab.toml").write_bytes(b'target = "main"\r\nsettle = "3s"\r\n')
    with (ann.path / ".git" / "config").open("ab") as config:
        config.write(b"[homelab]\r\n\ttimeout = 7m\r\n\tverify = make check\r\n")
    found = {line.split()[0]: line.split()[1] for line in shell("homelab", "config").lines}
    assert (found["onto"], found["settle"], found["timeout"]) == ("main", "3s", "7m")
    assert "make check" in next(line for line in shell("homelab", "config").lines if line.startswith("verify"))


def test_a_narrow_terminal_gets_no_line_that_breaks_inside_a_column(shell: Shell) -> None:
    script = f"stty cols 40; '{PROGRAMS / 'homelab'}' config"
    done = ProcessRunner({**shell.environ, "TERM": "xterm"}).run(
        ["script", "-qec", script, "/dev/null"], cwd=shell.directory, timeout=HANG_S
    )
    if done.not_found:
        pytest.skip("script(1) not found")
    rows = [line for line in done.out.splitlines() if line.startswith("settle")]
    assert rows[0].split() == ["settle", "5s"], "where it comes from has no room, and it is the default"
