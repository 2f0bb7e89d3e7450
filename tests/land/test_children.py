"""What a landing starts is shown as it comes, ends with its process, and is started as git starts it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.events import Event, Log, Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.land.request import LandRequest, SkipVerification, VerifyCommand
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.system.process_table import command_line
from homelab_hooks.verdict import Verdict
from tests.support.clock import FakeClock

pytestmark = pytest.mark.slow  # many processes of git each

PLACES = ("verify", "pre-push", "commit-msg", "post-merge", "post-push")
DAEMON = "sleep 60"
"""ends by itself: where its end is waited for, the test fails and does not hang"""


def passed(_: object) -> Verdict:
    return Verdict(exit=ExitCode.OK, label="passed")


@pytest.fixture
def land_with(workshop: ScratchRepositories, ann: Clone, parts: Callable[..., Any]) -> Callable[..., Verdict]:
    """A landing in which one place, a hook or the verification, runs a script; the target has moved before."""

    def land(place: str, script: str, **others: Any) -> Verdict:
        bob = workshop.clone("bob")
        bob.commit("b")
        bob.git("push", "--quiet", "origin", "main")
        if place != "verify":
            workshop.write_hook(place, script, where=ann.path / ".git/hooks")
        verify = VerifyCommand(script, "told") if place == "verify" else SkipVerification()
        return land_run.land_branch(LandRequest(verify=verify), parts(ann, **{"follow_up": passed, **others}))

    return land


@pytest.mark.parametrize("place", PLACES)
def test_a_question_is_shown_before_it_is_answered(land_with: Any, tmp_path: Path, place: str) -> None:
    """The landing would wait for ever for an answer to a question that was not shown."""
    answer = tmp_path / "answer"
    os.mkfifo(answer)
    asked: list[str] = []

    def tell(event: Event) -> None:
        if isinstance(event, Log) and event.text.startswith("Continue? [y/N]") and not asked:
            asked.append(event.source)
            answer.write_text("y\n")

    script = f"printf 'Continue? [y/N] ' >&2; read a <{answer}; test $a = y"
    assert land_with(place, script, tell=tell).landed
    assert asked == [{"commit-msg": "merge", "post-merge": "merge", "pre-push": "push"}.get(place, place)]


def test_what_ssh_asks_for_during_a_fetch_is_shown_as_it_comes(
    workshop: ScratchRepositories, ann: Clone, parts: Any, tmp_path: Path
) -> None:
    """A key that has to be touched, a device code, a host key: ssh and credential helpers print it, and wait."""
    touched = tmp_path / "touched"
    os.mkfifo(touched)
    asked: list[str] = []

    def tell(event: Event) -> None:
        if isinstance(event, Log) and "Confirm user presence" in event.text:
            asked.append(event.source)
            touched.write_text("touched\n")

    ssh = tmp_path / "ssh"
    ssh.write_text(
        "#!/bin/sh\nfor last; do :; done\necho 'Confirm user presence for key' >&2\n"
        f'read a <{touched}\nexec sh -c "$last"\n'
    )
    ssh.chmod(0o755)
    ann.git("config", "core.sshCommand", str(ssh))
    ann.git("config", "ssh.variant", "simple")
    ann.git("remote", "set-url", "origin", f"ssh://git.example.test{workshop.bare_path}")
    ann.git("remote", "set-head", "origin", "main")
    assert land_run.land_branch(LandRequest(verify=SkipVerification()), parts(ann, tell=tell)).landed
    assert asked == ["fetch", "push"]


@pytest.mark.parametrize("place", PLACES)
def test_a_daemon_that_is_left_behind_is_not_waited_for(land_with: Any, tmp_path: Path, place: str) -> None:
    file = tmp_path / "daemon"
    verdict = land_with(place, f"{DAEMON} & echo $! >>{file}")
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True)
    assert all(DAEMON in command_line(int(pid)) for pid in file.read_text().split())


class HastyClock(FakeClock):
    """Thirty seconds pass each time it is read."""

    def now(self) -> float:
        self.time += 30
        return self.time


@pytest.mark.parametrize("place", PLACES)
def test_a_silent_child_gives_a_heartbeat_a_minute(land_with: Any, tmp_path: Path, place: str) -> None:
    """It runs until the third heartbeat, or for so long that the test fails and does not hang."""
    stop, beats = tmp_path / "stop", list[Waiting]()
    names = {"verify": "n=0", "pre-push": "git push", "post-push": "post-push"}

    def tell(event: Event) -> None:
        if isinstance(event, Waiting) and names.get(place, "git merge") in event.reason:
            beats.append(event)
            if len(beats) == 3:
                stop.touch()

    pauses = "n=0; while [ $n -lt 1000 ] && [ ! -e {stop} ]; do n=$((n + 1)); sleep 0.02; done"
    script = pauses.format(stop=stop)
    assert land_with(place, script, tell=tell, clock=HastyClock()).landed
    assert len(beats) >= 3
    waits = [later.elapsed - earlier.elapsed for earlier, later in itertools.pairwise(beats)]
    assert all(60 <= wait <= 60 + 2 * 30 for wait in waits[:2])


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        ("exit 0\n", ExitCode.OK, "exited with code 0"),
        ("# a comment\nexit 7\n", ExitCode.BLOCKED, "exited with code 7"),
        ("", ExitCode.OK, "exited with code 0"),
        ("#!/no/such/shell\n", ExitCode.FAILED, "could not be started: {hook}: bad interpreter: /no/such/shell"),
    ],
)
def test_a_post_push_hook_is_started_as_git_starts_hooks(
    ann: Clone, parts: Any, content: str, code: ExitCode, reason: str
) -> None:
    hook = ann.path / ".git/hooks/post-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(content)
    hook.chmod(0o755)
    verdict = land_run.land_branch(LandRequest(verify=SkipVerification()), parts(ann, follow_up=passed))
    assert (verdict.exit, verdict.landed) == (code, True)
    assert reason.format(hook=hook) in verdict.reason


@pytest.mark.parametrize(("advice", "warnings"), [("true", 1), ("false", 0)])
def test_a_post_push_hook_that_is_not_executable_is_ignored_with_gits_warning(
    ann: Clone, parts: Any, events: Any, advice: str, warnings: int
) -> None:
    hook = ann.path / ".git/hooks/post-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("exit 1\n")
    ann.git("config", "advice.ignoredHook", advice)
    verdict = land_run.land_branch(LandRequest(verify=SkipVerification()), parts(ann, follow_up=passed))
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True)
    assert sum("not set as executable" in line for line in events.lines("post-push")) == warnings


def test_a_verification_that_is_too_long_to_be_started_is_refused_with_its_reason(ann: Clone, parts: Any) -> None:
    verify = VerifyCommand("true " + "x" * 4_000_000, "told")
    verdict = land_run.land_branch(LandRequest(verify=verify), parts(ann))
    assert (verdict.exit, verdict.landed) == (ExitCode.VERIFY_FAILED, False)
    assert "could not be started: " in verdict.reason
    assert "argument list too long" in verdict.reason
    assert land_run.abort_landing(parts(ann)).landed is False
