"""ci status, ci logs and ci restart as processes: exit codes, the result line, and what reaches which stream."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.simulators.faults import WEB_PAGE, BodyFault, FaultRule, HttpFault, StatusFault
from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.script import Frame, PipelineTimeline, ScriptedStep, ScriptedWorkflow
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.browser import open_page
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.system.process_runner import ProcessRunner
from tests.cli.shell import CommandResult, Shell
from tests.views.schema import objects
from tests.waiting import HANG_S, wait_until
from tests.watch.random_history import OLDER

pytestmark = [pytest.mark.slow, pytest.mark.first]  # most of the time it waits
RED = timelines.make_timeline(
    (ScriptedStep("build", "success"), ScriptedStep("unit", "failure", 3), ScriptedStep("publish", "skipped")),
    logs={"build": ["built"], "unit": ["one", "\x1b[31mtwo\x1b[0m", "10%\r99%", "bell\x07"]},
)
AGAIN = timelines.make_flaky(RED, then=timelines.make_green(seconds=20))


@pytest.fixture
def woodpecker() -> Iterator[WoodpeckerSimulator]:
    """Fifty of its seconds are one of those that a process knows."""
    with WoodpeckerSimulator(SystemClock(), speed=50) as server:
        yield server


@pytest.fixture
def push(woodpecker: WoodpeckerSimulator, clone: Clone) -> Callable[..., None]:
    """`push(script, ...)`: a pipeline of the clone's HEAD, played to its end by now."""

    def one(script: PipelineTimeline, **facts: Any) -> None:
        woodpecker.push("acme/app", "main", facts.pop("sha", clone.head), script, after=-60.0, **facts)

    return one


@dataclass(frozen=True)
class CommandCase:
    script: PipelineTimeline | None
    code: int
    verdict: str

    def __str__(self) -> str:
        return self.verdict


CASES = [
    CommandCase(timelines.make_green(), 0, "passed"),
    CommandCase(RED, 1, "failed"),
    CommandCase(None, 3, "no-pipeline"),
    CommandCase(timelines.make_cancelled(), 5, "cancelled"),
    CommandCase(timelines.make_blocked(), 7, "blocked"),
    CommandCase(timelines.make_stuck(), 124, "timeout"),
    CommandCase(timelines.make_pending(), 124, "timeout"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_status_has_the_code_of_the_watch_without_waiting(shell: Shell, push: Any, case: CommandCase) -> None:
    if case.script:
        push(case.script)
    ended = shell("homelab", "ci", "status")
    assert (ended.code, ended.result["verdict"], len(ended.lines)) == (case.code, case.verdict, 1), ended


def test_status_opens_the_page_of_the_pipeline(shell: Shell, push: Any, tmp_path: Path) -> None:
    """The browser may print, and stay open: neither changes what the command does."""
    push(RED)
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(
        f'#!/bin/sh\necho printed; echo told >&2\necho "$1 ${{WOODPECKER_TOKEN:-no token}}" >{opened}.new\n'
        f"mv {opened}.new {opened}\nwhile [ -e {browser} ] && [ ! -e {tmp_path}/read ]; do sleep 0.1; done\n"
    )
    browser.chmod(0o755)
    done = shell("homelab", "ci", "status", "--web", BROWSER=f"{browser} %s")
    wait_until(opened.exists, "the browser was not started")
    (tmp_path / "read").touch()
    assert (done.code, len(done.lines)) == (1, 1), done
    assert "told" not in done.err
    assert opened.read_text() == f"{done.result['url']} no token\n"


def test_without_a_page_the_status_is_as_it_was(shell: Shell) -> None:
    done = shell("homelab", "ci", "status", "--web")
    assert done.code == 3
    assert "there is no pipeline whose page could be opened" in done.err


@pytest.mark.parametrize("url", ["file:///etc/passwd", "javascript:alert(1)", "--help", "", "ssh://h/"])
def test_only_web_pages_are_opened(url: str) -> None:
    assert not open_page(url, ProcessRunner({}))


def test_status_knows_a_superseded_commit(shell: Shell, push: Any) -> None:
    push(timelines.make_superseded(by=2))
    push(timelines.make_green(), sha=OLDER)
    assert shell("homelab", "ci", "status", "HEAD").code == 6


@pytest.mark.parametrize("name", ["v1", "refs/tags/v1", "outer"])
def test_an_annotated_tags_pipeline_is_found_by_the_tag(
    shell: Shell, clone: Clone, woodpecker: WoodpeckerSimulator, push: Any, name: str
) -> None:
    """The forge sends the SHA of the tag itself."""
    clone.git("tag", "-a", "-m", "one", "v1")
    clone.git("-c", "advice.nestedTag=false", "tag", "-a", "-m", "two", "outer", "v1")
    push(timelines.make_green())
    tag = name.removeprefix("refs/tags/")
    woodpecker.push_tag("acme/app", tag, clone.sha(f"refs/tags/{tag}"), RED, after=-60.0)
    ended = shell("homelab", "ci", "status", name)
    assert (ended.code, ended.result["pipelines"], ended.result["sha"]) == (1, "#2", clone.head), ended
    assert shell("homelab", "ci", "logs", name).lines[1:-1] == ["one", "two", "99%", "bell"]
    assert shell("homelab", "ci", "status").result["pipelines"] == "#1"
    assert shell("homelab", "ci", "status", "--event", "tag").result["pipelines"] == "#2"


@pytest.mark.parametrize("name", ["", "--", "-x", "HEAD..main", "^HEAD", ":/nothing like it", "@{u}^{tree}"])
def test_what_is_not_one_commit_is_a_usage_error(shell: Shell, woodpecker: WoodpeckerSimulator, name: str) -> None:
    ended = shell("homelab", "ci", "status", "--", name)
    assert (ended.code, woodpecker.count()) == (2, 0), ended


FILTERS = {
    "another path": ("when: {event: push, path: 'src/**'}", True),
    "another branch": ("when: {event: push, branch: release}", True),
    "another event": ("when: [{event: tag}, {event: manual}]", True),
    "matches": ("when: {event: push, path: '*'}", False),
    "not decided": ("when: {evaluate: 'CI_REPO == \"acme/app\"'}", None),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_push_that_the_configuration_filters_out_is_not_a_lost_webhook(shell: Shell, clone: Clone, name: str) -> None:
    """The row lives for less than a second, so that no list may ever show it."""
    when, filtered = FILTERS[name]
    clone.write("README", "changed\n")
    clone.write("src/old.py", "")
    clone.git("add", ".")
    clone.git("commit", "--quiet", "-m", "older")
    clone.git("update-ref", "-m", "push", "refs/remotes/origin/main", clone.head)
    clone.commit(".woodpecker.yaml", f"{when}\nsteps: [{{name: test}}]\n")
    clone.git("update-ref", "-m", "push", "refs/remotes/origin/main", clone.head)
    ended = shell("homelab", "ci", "status")
    assert ended.code == 3, ended
    assert ("filtered: no workflow's conditions match this push" in ended.err) is (filtered is True)
    assert ("the forge's webhook may have been lost" in ended.err) is (filtered is not True)
    assert ("or no workflow's conditions match" in ended.err) is (filtered is None)


@pytest.mark.parametrize("reused", [False, True])
def test_a_pipeline_that_vanished_is_not_in_the_result(
    shell: Shell, clone: Clone, woodpecker: WoodpeckerSimulator, *, reused: bool
) -> None:
    """The server gives its number, and so its page, to another commit; it vanishes once the watch has shown it."""
    row = woodpecker.push("acme/app", "main", clone.head, PipelineTimeline((Frame(0.0, "created"),)))
    assert row is not None
    watching = shell.start("homelab-watch", "--appear-timeout", "4s")
    assert watching.stderr is not None
    shown = b""
    while b"\n#1 push" not in shown:
        shown += os.read(watching.stderr.fileno(), 4096) or pytest.fail(shown.decode())
    with woodpecker.lock:
        woodpecker.store.delete(row)
    if reused:
        woodpecker.push("acme/app", "main", OLDER, timelines.make_green())
    out, err = watching.communicate(timeout=HANG_S)
    ended = CommandResult(watching.returncode, out.decode(), (shown + err).decode())
    assert ended.code == 3, ended
    assert "#1 push refs/heads/main: removed" in ended.err
    assert {"pipelines", "url"} & set(ended.result) == set(), ended


def test_logs_go_to_stdout_before_the_result_line(shell: Shell, push: Any) -> None:
    """No terminal is there: no colors."""
    push(RED)
    ended = shell("homelab", "ci", "logs")
    assert ended.lines[:-1] == ["== woodpecker/unit: failure, exit code 3", "one", "two", "99%", "bell"]
    assert (ended.code, ended.result["exit"]) == (0, "0")


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["--tail", "1"], ["== woodpecker/unit: failure, exit code 3", "bell"]),
        (["--step", "build"], ["== woodpecker/build: success", "built"]),
        (["--all", "--tail", "1"],
         ["== woodpecker/build: success", "built", "== woodpecker/unit: failure, exit code 3", "bell"]),
    ],
    ids=" ".join,
)  # fmt: skip
def test_logs_are_chosen_by_option(shell: Shell, push: Any, options: list[str], shown: list[str]) -> None:
    push(RED)
    assert shell("homelab", "ci", "logs", *options).lines[:-1] == shown


def test_logs_of_a_step_that_is_not_there_or_a_number_that_is_none_are_usage_errors(shell: Shell, push: Any) -> None:
    push(RED)
    ended = shell("homelab", "ci", "logs", "--step", "tset")
    assert ended.code == 2
    assert "woodpecker/unit" in ended.err
    assert shell("homelab", "ci", "logs", "--tail", "-1").code == 2


def test_logs_as_json_are_events_and_nothing_else(shell: Shell, push: Any) -> None:
    push(RED)
    ended = shell("homelab", "ci", "logs", "--all", "--output", "json")
    found = objects(ended.lines)
    shown = [(one["source"], one["text"]) for one in found if one["event"] == "log"]
    assert shown == [
        ("step woodpecker/build", "built"),
        *(("step woodpecker/unit", text) for text in ("one", "two", "99%", "bell")),
    ]
    assert (ended.code, found[-1]["exit"]) == (0, 0)


def test_a_step_without_output_is_named_in_json_too(
    shell: Shell, woodpecker: WoodpeckerSimulator, clone: Clone
) -> None:
    woodpecker.push("acme/app", "main", clone.head, timelines.make_red(log=()), after=-600.0)
    found = objects(shell("homelab", "ci", "logs", "--output", "json").lines)
    assert [(one["source"], one["text"]) for one in found if one["event"] == "log"] == [
        ("homelab", "step woodpecker/test: no output")
    ]


@pytest.mark.parametrize("output", ["plain", "json"])
@pytest.mark.parametrize(
    "fault", [StatusFault(code=404), StatusFault(code=500), WEB_PAGE, BodyFault(content=b"")], ids=str
)
def test_logs_that_cannot_be_read_are_8(
    shell: Shell, push: Any, woodpecker: WoodpeckerSimulator, output: str, fault: HttpFault
) -> None:
    push(RED)
    woodpecker.fail(FaultRule(fault=fault, path="/logs/"))
    ended = shell("homelab", "ci", "logs", "--output", output)
    assert ended.code == 8, ended
    assert "could not read the log of woodpecker/unit" in ended.out + ended.err
    assert output == "plain" or objects(ended.lines)


def test_logs_of_a_pipeline_whose_steps_cannot_be_read_are_8(
    shell: Shell, push: Any, woodpecker: WoodpeckerSimulator
) -> None:
    push(RED)
    woodpecker.fail(FaultRule(fault=StatusFault(code=500), path=r"pipelines/\d"))
    ended = shell("homelab", "ci", "logs")
    assert ended.code == 8, ended
    assert "the steps of #1 could not be read" in ended.err


def test_a_step_is_found_in_whichever_pipeline_has_it(shell: Shell, push: Any) -> None:
    push(timelines.make_green(steps=("other",)), event="tag", ref="refs/tags/v1")
    push(RED)
    ended = shell("homelab", "ci", "logs", "--step", "unit")
    assert (ended.code, ended.lines[1:-1]) == (0, ["one", "two", "99%", "bell"]), ended


def test_logs_of_a_broken_configuration_are_its_errors(shell: Shell, push: Any) -> None:
    push(timelines.make_config_error("yaml: line 3: no"))
    ended = shell("homelab", "ci", "logs")
    assert (ended.code, ended.result["verdict"]) == (0, "nothing")
    assert "yaml: line 3: no" in ended.err


def test_logs_of_a_green_pipeline_say_how_to_see_them(shell: Shell, push: Any) -> None:
    push(timelines.make_green())
    ended = shell("homelab", "ci", "logs")
    assert (ended.code, len(ended.lines), ended.result["verdict"]) == (0, 1, "nothing")
    assert "--all" in ended.err


def failed(*workflows: ScriptedWorkflow) -> PipelineTimeline:
    """A pipeline that ends in failure with these workflows."""
    return PipelineTimeline((Frame(0.0, "created"), Frame(0.1, "running"), Frame(2.0, "failure", workflows)))


@pytest.mark.parametrize("output", ["plain", "json"])
def test_the_error_of_a_workflow_without_steps_is_its_log(shell: Shell, push: Any, output: str) -> None:
    push(failed(ScriptedWorkflow("build", "failure", error="pull denied")))
    ended = shell("homelab", "ci", "logs", "--output", output)
    if output == "plain":
        assert (ended.code, ended.lines[:-1]) == (0, ["== build: failure", "pull denied"]), ended
        return
    found = objects(ended.lines)
    assert [(one["source"], one["text"]) for one in found if one["event"] == "log"] == [
        ("workflow build", "pull denied")
    ]
    assert (ended.code, found[-1]["verdict"]) == (0, "ok")


def test_logs_of_a_failed_pipeline_that_shows_nothing_are_8(shell: Shell, push: Any) -> None:
    push(failed())
    ended = shell("homelab", "ci", "logs")
    assert (ended.code, len(ended.lines)) == (8, 1), ended
    assert "#1 has failed, but the server shows neither a failed step nor an error" in ended.err


def test_logs_of_a_pipeline_that_waits_for_approval_are_not_followed_for_ever(shell: Shell, push: Any) -> None:
    push(timelines.make_blocked())
    ended = shell("homelab", "ci", "logs", "--follow")
    assert (ended.code, ended.result["verdict"]) == (7, "blocked"), ended
    assert "hint: approve the pipeline: http" in ended.err


def test_the_result_of_a_follower_has_the_last_status(
    shell: Shell, woodpecker: WoodpeckerSimulator, clone: Clone
) -> None:
    woodpecker.push("acme/app", "main", clone.head, timelines.make_red(seconds=60))
    last = objects(shell("homelab", "ci", "logs", "--follow", "--output", "json").lines)[-1]
    assert [one["status"] for one in last["pipelines"]] == ["failure"]


def test_logs_without_a_pipeline_are_no_pipeline(shell: Shell) -> None:
    assert shell("homelab", "ci", "logs").code == 3


def test_logs_are_followed_to_the_end(shell: Shell, woodpecker: WoodpeckerSimulator, clone: Clone) -> None:
    woodpecker.push("acme/app", "main", clone.head, timelines.make_red(seconds=60, log=["boom"]))
    ended = shell("homelab", "ci", "logs", "--follow")
    assert "boom" in ended.lines
    assert ended.lines.count("boom") == 1


def test_a_restart_is_watched(shell: Shell, push: Any, woodpecker: WoodpeckerSimulator) -> None:
    push(AGAIN)
    ended = shell("homelab", "ci", "restart")
    assert (ended.code, ended.result["verdict"], ended.result["pipelines"]) == (0, "passed", "#2"), ended
    sha = ended.result["sha"]
    assert ended.err.index("#2 restarts #1") < ended.err.index(f"to resume, run: homelab-watch {sha}")
    assert woodpecker.count(method="POST") == 1


def test_a_restart_need_not_be_watched(shell: Shell, push: Any, woodpecker: WoodpeckerSimulator) -> None:
    """The result is about the new pipeline."""
    push(timelines.make_flaky(RED, then=timelines.make_stuck()))
    ended = shell("homelab", "ci", "restart", "--no-watch")
    assert (ended.code, woodpecker.count(method="POST")) == (0, 1)
    assert (ended.result["pipelines"], ended.result["url"]) == ("#2", f"{woodpecker.url}/repos/8/pipeline/2")
    assert ended.err.count("#2 restarts #1") == 1
    assert "pipeline/1" not in ended.err


def test_of_two_pipelines_the_one_that_was_not_restarted_counts(shell: Shell, push: Any) -> None:
    push(replace(RED, on_restart=timelines.make_no_pipeline()))
    push(AGAIN, event="tag", ref="refs/tags/v1")
    ended = shell("homelab", "ci", "restart", "--no-watch")
    assert (ended.code, ended.result["verdict"], ended.result["pipelines"]) == (3, "no-pipeline", "#3"), ended
    assert "#1 was not restarted: no workflow's conditions match" in ended.err


def test_a_tag_is_not_started_by_hand(shell: Shell, push: Any, clone: Clone, woodpecker: WoodpeckerSimulator) -> None:
    push(timelines.make_no_pipeline())
    clone.git("tag", "v1")
    ended = shell("homelab", "ci", "restart", "v1")
    assert (ended.code, woodpecker.count(method="POST")) == (20, 0), ended


def test_a_start_that_is_filtered_out_is_no_pipeline_at_once(
    shell: Shell, push: Any, woodpecker: WoodpeckerSimulator
) -> None:
    push(timelines.make_no_pipeline())
    woodpecker.store.manual_timeline = timelines.make_no_pipeline()
    ended = shell("homelab", "ci", "restart", "--manual")
    assert (ended.code, woodpecker.count(method="POST")) == (3, 1), ended


def test_running_pipelines_are_cancelled(shell: Shell, push: Any, woodpecker: WoodpeckerSimulator) -> None:
    push(timelines.make_stuck())
    ended = shell("homelab", "ci", "cancel")
    assert (ended.code, ended.result["verdict"], ended.result["pipelines"]) == (0, "ok", "#1"), ended
    assert "#1 was cancelled" in ended.err
    again = shell("homelab", "ci", "cancel", "--output", "json")
    last = objects(again.lines)[-1]
    assert (again.code, last["verdict"], last["pipelines"], woodpecker.count(method="POST")) == (0, "nothing", [], 1)


def test_nothing_to_restart_is_0(shell: Shell, push: Any, woodpecker: WoodpeckerSimulator) -> None:
    push(timelines.make_green())
    ended = shell("homelab", "ci", "restart")
    assert (ended.code, ended.result["verdict"], woodpecker.count(method="POST")) == (0, "nothing", 0)


def test_a_restart_that_would_kill_a_newer_run_is_refused_unless_forced(
    shell: Shell, push: Any, woodpecker: WoodpeckerSimulator
) -> None:
    push(AGAIN)
    push(timelines.make_stuck(), sha=OLDER)
    ended = shell("homelab", "ci", "restart")
    assert (ended.code, ended.result["verdict"], woodpecker.count(method="POST")) == (20, "refused", 0)
    assert "--force" in ended.err
    assert shell("homelab", "ci", "restart", "--force").code == 0


def test_a_broken_configuration_is_not_restarted(shell: Shell, push: Any, woodpecker: WoodpeckerSimulator) -> None:
    push(timelines.make_config_error())
    ended = shell("homelab", "ci", "restart")
    assert (ended.code, woodpecker.count(method="POST")) == (20, 0)
    assert "stored configuration" in ended.err


def test_a_lost_webhook_is_made_up_for_by_a_manual_run_only_on_request(
    shell: Shell, push: Any, woodpecker: WoodpeckerSimulator
) -> None:
    push(timelines.make_no_pipeline())
    refused = shell("homelab", "ci", "restart")
    assert (refused.code, woodpecker.count(method="POST")) == (20, 0), refused
    assert "nothing to restart" in refused.err
    ended = shell("homelab", "ci", "restart", "--manual")
    assert (ended.code, ended.result["verdict"], ended.result["pipelines"]) == (0, "passed", "#1"), ended
    assert "started manually" in ended.err


def test_a_start_that_answers_500_is_found_in_the_list(
    shell: Shell, push: Any, woodpecker: WoodpeckerSimulator
) -> None:
    push(AGAIN)
    woodpecker.fail(FaultRule(fault=StatusFault(code=500), method="POST"))
    ended = shell("homelab", "ci", "restart")
    assert (ended.code, ended.result["pipelines"], woodpecker.count(method="POST")) == (0, "#2", 1), ended
