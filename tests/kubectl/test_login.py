"""A credential plugin that waits for a login: its words are shown, and it is not started again meanwhile."""

from __future__ import annotations

import os
from math import inf
from pathlib import Path

import pytest

from homelab_hooks.kubectl.client import Kubectl
from homelab_hooks.kubectl.login import MAX_WORDS, SHOW_AFTER_S, CallExpired, LoginListener, LoginPolicy
from homelab_hooks.kubectl.model import WorkloadTarget
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Unavailable
from homelab_hooks.system.process_runner import ProcessRunner
from tests.support.clock import FakeClock
from tests.waiting import HANG_S

TARGET = WorkloadTarget.parse("shop/web")
ASKS = "open https://login.example.test and enter AB-12"
LOGIN_S = 180.0
CALL_S = 10.0


def followed(clock: FakeClock) -> tuple[LoginListener, list[str]]:
    shown: list[str] = []
    return LoginListener(LoginPolicy(shown.append, LOGIN_S, clock.now), CALL_S), shown


def test_a_call_that_prints_nothing_ends_with_its_own_time() -> None:
    clock = FakeClock()
    listener, shown = followed(clock)
    clock.sleep(CALL_S - 0.1)
    listener.on_wait()
    clock.sleep(0.1)
    with pytest.raises(CallExpired):
        listener.on_wait()
    assert shown == []


@pytest.mark.parametrize(
    "own", ['E1201 00:14:25.989071   22829 memcache.go:381] "Couldn\'t get"', "Warning: v1 is deprecated", "", "  at x"]
)
def test_kubectls_own_log_lines_are_no_login(own: str) -> None:
    clock = FakeClock()
    listener, shown = followed(clock)
    listener.on_line(own)
    clock.sleep(CALL_S)
    with pytest.raises(CallExpired):
        listener.on_wait()
    assert shown == []


def test_the_words_of_a_plugin_that_waits_are_shown_once_and_its_login_has_the_longer_time() -> None:
    clock = FakeClock()
    listener, shown = followed(clock)
    listener.on_line(ASKS + "\x1b[2J")
    listener.on_wait()
    assert shown == [], "it may be the error of a call that is about to end"
    clock.sleep(SHOW_AFTER_S)
    listener.on_wait()
    clock.sleep(CALL_S)
    listener.on_wait()
    assert [line.startswith(ASKS) and "\x1b" not in line for line in shown] == [True]
    clock.sleep(LOGIN_S)
    with pytest.raises(CallExpired):
        listener.on_wait()


def test_a_flood_of_words_is_neither_kept_nor_shown() -> None:
    """The end of a call is looked at between two chunks of output: to show half a million lines took half a minute."""
    clock = FakeClock()
    listener, shown = followed(clock)
    for number in range(10 * MAX_WORDS):
        listener.on_line(f"{ASKS} {number}")
    clock.sleep(SHOW_AFTER_S)
    listener.on_wait()
    assert shown == [f"{ASKS} {number}" for number in range(MAX_WORDS)]
    assert listener.words == [*shown, f"{ASKS} {10 * MAX_WORDS - 1}"]
    listener.on_line("and more")
    listener.on_wait()
    assert len(shown) == MAX_WORDS


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A kubectl whose plugin asks for a login, and waits until the file `done` is there."""
    file = tmp_path / "kubectl"
    file.write_text(
        f"#!/bin/sh\necho started >>{tmp_path}/starts\necho '{ASKS}' >&2\n"
        f"while [ ! -e {tmp_path}/done ]; do sleep 0.02; done\n"
        """echo 'Error from server (NotFound): deployments.apps "web" not found' >&2; exit 1\n"""
    )
    file.chmod(0o755)
    return file


class SteppingClock:
    """Each look at it is some seconds later."""

    def __init__(self, step: float = 1.0) -> None:
        self._seconds, self._step = 0.0, step

    def now(self) -> float:
        self._seconds += self._step
        return self._seconds


def test_a_login_that_is_done_lets_the_same_call_go_on(plugin: Path, tmp_path: Path) -> None:
    shown: list[str] = []

    def show(line: str) -> None:
        shown.append(line)
        (tmp_path / "done").touch()

    policy = LoginPolicy(show, HANG_S, SteppingClock().now)
    kubectl = Kubectl(ProcessRunner({"PATH": os.environ["PATH"]}), program=str(plugin)).with_login(policy)
    assert isinstance(kubectl.workload(TARGET, within=HANG_S), NotFound)
    assert shown == [ASKS]
    assert (tmp_path / "starts").read_text() == "started\n"


@pytest.mark.slow
def test_a_login_that_takes_too_long_is_denied_with_the_words(plugin: Path) -> None:
    policy = LoginPolicy(lambda _: None, 2 * HANG_S, SteppingClock(HANG_S / 20).now)
    kubectl = Kubectl(ProcessRunner({"PATH": os.environ["PATH"]}), program=str(plugin)).with_login(policy)
    found = kubectl.workload(TARGET, within=HANG_S)
    assert isinstance(found, Denied)
    assert found.final
    assert ASKS in found.reason


WRAPPER = """#!/bin/sh
echo 'Using context home' >&2
[ -e {0}/answered ] && exec sleep 600
touch {0}/answered
echo '{{}}'
"""
"""a wrapper of kubectl that prints a line of its own; the API server answers the first call only"""


@pytest.mark.parametrize("answers", [True, False], ids=["after-an-answer", "at-the-deadline"])
def test_a_wrapper_that_prints_a_line_and_hangs_is_unavailable(*, answers: bool, tmp_path: Path) -> None:
    """Within the time of the wait, so that the verdict is a timeout, or that the API server cannot be reached."""
    file = tmp_path / "kubectl"
    file.write_text(WRAPPER.format(tmp_path))
    file.chmod(0o755)
    if not answers:
        (tmp_path / "answered").touch()
    clock = SteppingClock(HANG_S / 8)
    policy = LoginPolicy(lambda _: None, 2 * HANG_S, clock.now, inf if answers else HANG_S)
    kubectl = Kubectl(ProcessRunner({"PATH": os.environ["PATH"]}), program=str(file)).with_login(policy)
    if answers:
        assert isinstance(kubectl.resource(TARGET, bool, within=100 * HANG_S), Found)
    found = kubectl.workload(TARGET, within=HANG_S)
    assert isinstance(found, Unavailable)
    assert found.kind is FailureKind.TIMEOUT


def test_a_kubectl_that_only_hangs_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "kubectl"
    file.write_text("#!/bin/sh\nexec sleep 60\n")
    file.chmod(0o755)
    policy = LoginPolicy(lambda _: None, HANG_S, SteppingClock().now)
    kubectl = Kubectl(ProcessRunner({"PATH": os.environ["PATH"]}), program=str(file)).with_login(policy)
    found = kubectl.workload(TARGET, within=3.0)
    assert isinstance(found, Unavailable)
    assert found.kind is FailureKind.TIMEOUT


def test_the_context_is_that_of_the_beginning(tmp_path: Path) -> None:
    """Another terminal switches it meanwhile."""
    (tmp_path / "current").write_text("home\n")
    file = tmp_path / "kubectl"
    file.write_text(
        f'#!/bin/sh\ncase $* in *current-context) cat {tmp_path}/current;; *) echo "$*" >>{tmp_path}/calls; exit 1;;'
        " esac\n"
    )
    file.chmod(0o755)
    kubectl = Kubectl(ProcessRunner({"PATH": os.environ["PATH"]}), program=str(file)).pin_context(within=HANG_S)
    (tmp_path / "current").write_text("other\n")
    kubectl.workload(TARGET, within=HANG_S)
    assert "--context=home" in (tmp_path / "calls").read_text()


@pytest.mark.parametrize("options", [{"context": "named"}, {}], ids=["named", "none"])
def test_a_named_context_stays_and_without_one_kubectl_chooses(tmp_path: Path, options: dict[str, str]) -> None:
    file = tmp_path / "kubectl"
    file.write_text(
        f"#!/bin/sh\necho \"$*\" >>{tmp_path}/calls; echo 'error: current-context is not set' >&2; exit 1\n"
    )
    file.chmod(0o755)
    processes = ProcessRunner({"PATH": os.environ["PATH"]})
    kubectl = Kubectl(processes, program=str(file), context=options.get("context", "")).pin_context(within=HANG_S)
    kubectl.workload(TARGET, within=HANG_S)
    call = (tmp_path / "calls").read_text().splitlines()[-1]
    assert ("--context=named" in call) is bool(options)
    assert "--context=home" not in call
