"""kubectl as a real process: it cannot run here, or its helpers keep its output open or ask for something."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.model import WorkloadTarget
from homelab_hooks.polling.outcome import NotFound, Unavailable
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.system.process_table import command_line
from tests.waiting import HANG_S, wait_until

TARGET = WorkloadTarget.parse("shop/deploy/web")
DAEMON = "sleep 60"
"""ends by itself: where its end is waited for, the test fails and does not hang"""
NOT_FOUND = """echo 'Error from server (NotFound): deployments.apps "web" not found' >&2; exit 1"""

Program = Callable[[bytes], str]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    def write(content: bytes) -> str:
        file = tmp_path / "kubectl"
        file.write_bytes(content)
        file.chmod(0o755)
        return str(file)

    return write


@pytest.fixture
def processes() -> ProcessRunner:
    return ProcessRunner({"PATH": os.environ["PATH"]})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "exec format error"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 57, "exec format error"),
        (b"MZ\x90\0", "exec format error"),
        (b"<html>Not Found</html>\n", "exec format error"),
        (b"#!/opt/gone/bin/python3\n", "bad interpreter: /opt/gone/bin/python3"),
    ],
)
def test_a_kubectl_that_cannot_run_here_is_a_usage_error_with_its_reason(
    processes: ProcessRunner, program: Program, content: bytes, reason: str
) -> None:
    with pytest.raises(CommandError, match=reason) as caught:
        Kubectl(processes, program=program(content)).workload(TARGET, within=HANG_S)
    assert caught.value.exit is ExitCode.USAGE
    assert "install kubectl" in caught.value.hint


@pytest.mark.parametrize(
    ("printed", "reason"),
    [(b"", "not JSON"), (b"<html>", "not JSON"), (b"{}", "not the object that was asked for")],
)
def test_output_that_is_no_workload_is_kubectls_and_not_the_networks(
    processes: ProcessRunner, program: Program, printed: bytes, reason: str
) -> None:
    path = program(b"#!/bin/sh\nprintf %s '" + printed + b"'\n")
    poll = Kubectl(processes, program=path).workload(TARGET, within=HANG_S)
    assert isinstance(poll, Unavailable)
    assert poll.reason == f"unexpected output from kubectl: {reason}"
    assert f"see what this prints: {path} " in poll.hint


@pytest.mark.parametrize("redirected", ["", ">/dev/null", "2>/dev/null"])
def test_a_daemon_of_a_credential_plugin_does_not_hold_a_call_up(
    processes: ProcessRunner, program: Program, tmp_path: Path, redirected: str
) -> None:
    file = tmp_path / "daemon"
    script = f"#!/bin/sh\n{DAEMON} {redirected} & echo $! >{file}\n{NOT_FOUND}\n"
    found = Kubectl(processes, program=program(script.encode())).workload(TARGET, within=HANG_S)
    assert isinstance(found, NotFound)
    wait_until(lambda: DAEMON in command_line(int(file.read_text())))  # the shell may only have forked


class Seen:
    """Acts on the first line that is shown."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.lines: list[str] = []
        self._act = act

    def on_line(self, text: str) -> None:
        self.lines.append(text)
        self._act()

    def on_wait(self) -> None:
        pass


def test_what_a_credential_plugin_asks_for_can_be_shown_while_it_waits(
    processes: ProcessRunner, program: Program, tmp_path: Path
) -> None:
    done = tmp_path / "done"
    ask = f"echo 'open https://login.example.test and enter AB-12' >&2; while [ ! -e {done} ]; do sleep 0.02; done"
    seen = Seen(done.touch)
    kubectl = Kubectl(processes.with_listener(seen), program=program(f"#!/bin/sh\n{ask}\n{NOT_FOUND}\n".encode()))
    assert isinstance(kubectl.workload(TARGET, within=HANG_S), NotFound)
    assert seen.lines[0] == "open https://login.example.test and enter AB-12"
