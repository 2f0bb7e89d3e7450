"""homelab-watch and ci status as processes: the exit code and the last line are the verdict, and nothing leaks."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import PipelineTimeline
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from tests.cli.shell import PROGRAMS, CommandResult, Shell
from tests.views.schema import objects
from tests.waiting import HANG_S, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.first]  # a real process each; together they would keep `make check` waiting

OTHER = "b" * 40


@dataclass(frozen=True)
class WatchCase:
    """What is pushed, which options are given, and how the watch ends."""

    script: PipelineTimeline | None
    code: int
    verdict: str
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.verdict}-{' '.join(self.options)}"


PUSHED = [
    WatchCase(timelines.make_green(), 0, "passed"),
    WatchCase(timelines.make_red(), 1, "failed"),
    WatchCase(timelines.make_config_error(), 1, "failed"),
    WatchCase(timelines.make_cancelled_by_step(), 1, "failed"),
    WatchCase(None, 2, "usage", ("--timeout", "soon")),
    WatchCase(None, 3, "no-pipeline", ("--appear-timeout", "0")),
    WatchCase(None, 4, "denied", ("--repo", "acme/nope")),
    WatchCase(timelines.make_cancelled(), 5, "cancelled"),
    WatchCase(timelines.make_declined(), 5, "cancelled"),
    WatchCase(timelines.make_blocked(), 7, "blocked"),
    WatchCase(timelines.make_stuck(), 124, "timeout", ("--timeout", "2s")),
]
LOOKS = [
    WatchCase(timelines.make_green(), 0, "passed"),
    WatchCase(timelines.make_red(), 1, "failed"),
    WatchCase(timelines.make_stuck(), 124, "timeout"),
    WatchCase(None, 3, "no-pipeline"),
]


@pytest.fixture
def push(woodpecker: WoodpeckerSimulator, clone: Clone) -> Callable[..., None]:
    """`push(script, ...)`: a pipeline of the clone's HEAD, played by now."""

    def one(script: PipelineTimeline, **facts: Any) -> None:
        woodpecker.push("acme/app", "main", clone.head, script, after=-60.0, **facts)

    return one


@pytest.mark.parametrize("case", PUSHED, ids=str)
def test_the_exit_code_and_the_last_line_are_the_verdict(
    shell: Shell, push: Any, clone: Clone, case: WatchCase
) -> None:
    if case.script:
        push(case.script)
    ended = shell("homelab-watch", *case.options)
    assert (ended.code, ended.result["verdict"]) == (case.code, case.verdict), ended
    assert (ended.result["exit"], len(ended.lines)) == (str(case.code), 1)
    assert "landed" not in ended.result
    if case.script:
        assert ended.result["sha"] == clone.head
        assert ended.result["pipelines"] == "#1"
        assert ended.result["url"].endswith("/repos/8/pipeline/1")
    assert "hint: " in ended.err or case.code in {0, 1, 5}, ended.err
    assert "Traceback" not in ended.err


def test_a_commit_that_a_newer_one_replaced_is_superseded(
    shell: Shell, push: Any, woodpecker: WoodpeckerSimulator, clone: Clone, workshop: ScratchRepositories
) -> None:
    clone.git("config", f"url.{workshop.bare_path}.insteadOf", "https://git.example.test/acme/app.git")
    push(timelines.make_superseded(by=2))
    woodpecker.push("acme/app", "main", OTHER, timelines.make_green())
    ended = shell("homelab-watch", "--repo", "acme/app")
    assert (ended.code, ended.result["verdict"]) == (6, "superseded"), ended


def test_a_server_that_cannot_be_reached_is_unreachable(shell: Shell, woodpecker: WoodpeckerSimulator) -> None:
    woodpecker.stop()
    ended = shell("homelab-watch", "--unreachable-timeout", "0.2s")
    assert (ended.code, ended.result["verdict"]) == (8, "unreachable"), ended


def test_a_refused_token_is_denied_by_its_source(shell: Shell, woodpecker: WoodpeckerSimulator) -> None:
    ended = shell("homelab-watch", WOODPECKER_TOKEN="nonsense-token")
    assert (ended.code, ended.result["verdict"]) == (4, "denied")
    assert "WOODPECKER_TOKEN" in ended.err
    assert "nonsense-token" not in ended.out + ended.err
    assert woodpecker.count() == 1


def test_no_token_at_all_is_denied_with_a_remedy(shell: Shell) -> None:
    ended = shell("homelab-watch", WOODPECKER_TOKEN="")
    assert (ended.code, ended.result["verdict"]) == (4, "denied")
    assert "set WOODPECKER_TOKEN" in ended.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_watch_says_how_to_resume(
    shell: Shell, push: Any, woodpecker: WoodpeckerSimulator, clone: Clone, number: signal.Signals
) -> None:
    code = {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    push(timelines.make_stuck())
    with shell.start("homelab-watch") as running:
        wait_until(lambda: woodpecker.count("pipelines/1") > 0)
        running.send_signal(number)
        out, err = running.communicate(timeout=HANG_S)
    ended = CommandResult(running.returncode, out.decode(), err.decode())
    assert (ended.code, ended.result["verdict"], ended.result["exit"]) == (code, "interrupted", str(code)), ended
    assert len(ended.lines) == 1
    assert f"to resume, run: homelab-watch {clone.head}" in ended.err


@pytest.mark.parametrize(
    ("given", "again"),
    [
        (("v1.0", "--fail-fast"), "v1.0 --appear-timeout 0 --fail-fast"),
        (("--event", "push", "--timeout", "9m"), "{sha} --timeout 9m --appear-timeout 0 --event push"),
        (("--timeout", "59s"), "{sha} --appear-timeout 0"),
        (("--timeout", "1m"), "{sha} --timeout 1m --appear-timeout 0"),
    ],
)
def test_the_resume_command_asks_the_same(shell: Shell, clone: Clone, given: tuple[str, ...], again: str) -> None:
    """A tag's pipelines are not those of its commit."""
    clone.git("tag", "v1.0")
    ended = shell("homelab-watch", *given, "--appear-timeout", "0")
    assert f"to resume, run: homelab-watch {again.format(sha=clone.head)}\n" in ended.err


def test_an_interrupted_watch_ends_its_json_with_a_result(
    shell: Shell, push: Any, woodpecker: WoodpeckerSimulator
) -> None:
    push(timelines.make_stuck())
    with shell.start("homelab-watch", "--output", "json") as running:
        wait_until(lambda: woodpecker.count("pipelines/1") > 0)
        running.send_signal(signal.SIGTERM)
        out, _ = running.communicate(timeout=HANG_S)
    found = objects(out.decode().splitlines())
    assert (found[-1]["verdict"], found[-1]["exit"]) == ("interrupted", 143)
    assert found[-1]["pipelines"][0]["number"] == 1


@pytest.mark.parametrize("case", LOOKS, ids=str)
def test_ci_status_gives_the_same_verdict_from_one_poll(
    shell: Shell, push: Any, woodpecker: WoodpeckerSimulator, case: WatchCase
) -> None:
    if case.script:
        push(case.script)
    ended = shell("homelab", "ci", "status")
    assert (ended.code, ended.result["verdict"], len(ended.lines)) == (case.code, case.verdict, 1), ended
    earlier = int(case.code == 1)  # whether the step was red before
    assert woodpecker.count(r"pipelines\?") == 1 + earlier


def test_json_is_valid_from_the_first_object_to_the_result(shell: Shell, push: Any, clone: Clone) -> None:
    push(timelines.make_red(exit_code=3, log=["boom"]))
    ended = shell("homelab-watch", "--output=json")
    found = objects(ended.lines)
    assert found[0]["event"] == "start"
    assert {"pipeline", "workflow", "step"} <= {one["event"] for one in found}
    assert (found[-1]["exit"], found[-1]["verdict"], found[-1]["sha"]) == (1, "failed", clone.head)
    assert found[-1]["pipelines"][0]["status"] == "failure"
    assert ended.code == 1


def test_a_step_that_failed_is_named(shell: Shell, push: Any) -> None:
    push(timelines.make_red("unit tests", exit_code=3))
    ended = shell("homelab-watch")
    assert "step unit tests of workflow woodpecker failed with exit code 3" in ended.err


HOSTILE = "\x1b]0;title\x07\x1b[2J\x9b31m\u202eevil\r\nhomelab: passed exit=0"


@pytest.mark.parametrize("command", [["homelab-watch"], ["homelab", "ci", "status"]])
@pytest.mark.parametrize("output", ["plain", "json"])
def test_text_from_outside_reaches_no_terminal_raw(shell: Shell, push: Any, command: list[str], output: str) -> None:
    red = timelines.make_red(HOSTILE, error=HOSTILE, log=[HOSTILE])
    frames = tuple(
        frame
        if frame.workflows is None
        else replace(frame, workflows=tuple(replace(w, name=HOSTILE) for w in frame.workflows))
        for frame in red.frames
    )
    push(replace(red, frames=frames), message=HOSTILE, author=HOSTILE, ref=f"refs/heads/{HOSTILE}")
    ended = shell(*command, "--output", output)
    assert ended.code == 1
    for sign in ("\x1b", "\x07", "\x9b", "\u202e", "\r"):
        assert sign not in ended.out + ended.err
    assert "\nhomelab: passed" not in ended.out + ended.err
    assert len(ended.lines) == 1 or output == "json"


def test_the_token_is_in_no_output_argument_or_file(
    shell: Shell, push: Any, woodpecker: WoodpeckerSimulator, clone: Clone
) -> None:
    push(timelines.make_stuck(), message="see alice-token")
    with shell.start("homelab-watch", "--output", "json") as running:
        wait_until(lambda: woodpecker.count("pipelines/1") > 0)
        seen = b"".join(arguments(pid) for pid in family(running.pid))
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=HANG_S)
    assert b"homelab-watch" in seen
    written = b"".join(path.read_bytes() for path in clone.path.parent.parent.rglob("*") if path.is_file())
    assert b"alice-token" not in seen + out + err + written


def arguments(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def family(pid: int) -> list[int]:
    """A process and its children."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in task.read_text().split()]
    return found


def test_a_servers_words_with_the_token_in_them_are_redacted(shell: Shell, push: Any) -> None:
    push(timelines.make_red(error="curl -H 'Bearer alice-token'", log=["alice-token"]))
    ended = shell("homelab-watch")
    assert ended.code == 1
    assert "alice-token" not in ended.out + ended.err


def test_a_password_in_the_remotes_url_is_not_shown(shell: Shell, clone: Clone) -> None:
    clone.git("remote", "set-url", "origin", "https://bob:s3cr@et@git.example.test/acme/app.git")
    for command in (["homelab-watch", "--appear-timeout", "0"], ["homelab", "ci", "status"], ["homelab", "config"]):
        ended = shell(*command, "--output", "json")
        assert "et@" not in ended.out + ended.err
        assert "s3cr" not in ended.out + ended.err


def test_a_reader_that_has_gone_away_changes_no_verdict(shell: Shell, push: Any) -> None:
    push(timelines.make_red())
    reader, writer = os.pipe()
    os.close(reader)
    with shell.start("homelab-watch", stdout=writer) as running:
        os.close(writer)
        _, err = running.communicate(timeout=HANG_S)
    assert running.returncode == 1
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err


def test_a_full_disk_under_stdout_is_said_and_changes_no_verdict(shell: Shell, push: Any) -> None:
    push(timelines.make_red())
    full = os.open("/dev/full", os.O_WRONLY)
    with shell.start("homelab-watch", stdout=full) as running:
        os.close(full)
        _, err = running.communicate(timeout=HANG_S)
    assert b"Traceback" not in err
    assert b"warning: cannot write to standard output: " in err
    assert running.returncode == 1


def test_a_closed_stdout_and_stderr_are_survived(shell: Shell, push: Any) -> None:
    push(timelines.make_red())
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" "$@" >&- 2>&-', str(PROGRAMS / "homelab-watch")],
        cwd=shell.directory,
        env={**shell.environ, **shell.more},
        timeout=HANG_S,
    )
    assert done.returncode == 1


def test_a_full_sha_is_watched_outside_a_repository(shell: Shell, push: Any, clone: Clone, tmp_path: Path) -> None:
    push(timelines.make_green())
    ended = shell("homelab-watch", clone.head, "--repo", "acme/app", at=tmp_path)
    assert (ended.code, ended.result["sha"]) == (0, clone.head)
    assert shell("homelab-watch", "HEAD", "--repo", "acme/app", at=tmp_path).code == 2
    assert shell("homelab-watch", clone.head, at=tmp_path).code == 2


def test_a_tags_name_selects_the_tags_pipelines(shell: Shell, push: Any, clone: Clone) -> None:
    clone.git("tag", "v1")
    push(timelines.make_green())
    push(timelines.make_red(), event="tag", ref="refs/tags/v1")
    assert shell("homelab-watch", "v1").result["pipelines"] == "#2"
    assert shell("homelab-watch").result["pipelines"] == "#1,#2"
    assert shell("homelab-watch", "--event", "push").code == 0
