"""The parts of the gates and background watchers: which push, which color, which record, which process."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from homelab_hooks.ci.model import Cancellation, Pipeline, Status
from homelab_hooks.ci.woodpecker.traits import WOODPECKER
from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.runner import DirectRunner
from homelab_hooks.hooks.background.job import WatchJob
from homelab_hooks.hooks.background.registry import MAX_RECORDS, WatchPhase, WatchRecord, WatchRegistry, finish_record
from homelab_hooks.hooks.pre_push.input import RefUpdate, from_pre_commit, parse_git_input
from homelab_hooks.hooks.pre_push.target import resolve_remote_name
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.system.process_table import (
    ProcessInfo,
    ancestors,
    command_line,
    info_from_proc,
    info_from_ps,
    is_same_process,
    process_info,
)
from homelab_hooks.system.terminal import Terminal
from homelab_hooks.watch.branch_status import newest_decided
from tests.ci.values import run_ref
from tests.waiting import wait_until

SHA, ZEROS = "a" * 40, "0" * 40


def test_git_tells_each_ref_of_a_push() -> None:
    push = parse_git_input("origin", "u", f"HEAD {SHA} refs/heads/main {ZEROS}\n(delete) {ZEROS} refs/heads/x {SHA}\n")
    assert push.updates == (RefUpdate(SHA, "refs/heads/main"), RefUpdate(ZEROS, "refs/heads/x"))
    assert [update.is_deletion for update in push.updates] == [False, True]
    assert [update.branch for update in push.updates] == ["main", "x"]
    assert RefUpdate(SHA, "refs/tags/v1").branch == ""


@pytest.mark.parametrize(("told", "commit"), [
    ({"PRE_COMMIT_TO_REF": SHA, "PRE_COMMIT_LOCAL_BRANCH": "HEAD"}, SHA),
    ({"PRE_COMMIT_LOCAL_BRANCH": "HEAD"}, "b" * 40),
    ({}, "b" * 40),
])  # fmt: skip
def test_a_framework_may_name_the_commit_or_only_the_branch(told: dict[str, str], commit: str) -> None:
    more = {"PRE_COMMIT_REMOTE_BRANCH": "refs/heads/main", "PRE_COMMIT_REMOTE_NAME": "origin"}
    push = from_pre_commit({**more, **told}, lambda name: {"HEAD": "b" * 40}.get(name, name))
    assert push is not None
    assert push.updates == (RefUpdate(commit, "refs/heads/main"),)


def row(number: int, status: Status, **facts: str) -> Pipeline:
    known = {"event": "push", "branch": "main", **facts}
    event, branch = known["event"], known["branch"]
    return Pipeline(run_ref(number), number, (event, "r"), event, "r", branch, SHA, status)


BY_STEP = row(9, Status.KILLED)._replace(cancellation=Cancellation(by_step="boom"))
BY_USER = row(9, Status.KILLED)._replace(cancellation=Cancellation(by_user="ann"))


@pytest.mark.parametrize(("rows", "number"), [
    ([], None),
    ([row(2, Status.FAILURE), row(1, Status.SUCCESS)], 2),
    ([row(1, Status.SUCCESS), row(2, Status.ERROR)], 2),
    ([row(3, Status.RUNNING), row(2, Status.UNKNOWN), row(1, Status.FAILURE)], 1),
    ([row(3, Status.SKIPPED), row(2, Status.DECLINED), row(1, Status.SUCCESS)], 1),
    ([BY_STEP, row(1, Status.SUCCESS)], 9),
    ([BY_USER, row(1, Status.SUCCESS)], 1),
    ([row(2, Status.FAILURE, branch="topic"), row(1, Status.SUCCESS)], 1),
    ([row(2, Status.FAILURE, event="cron"), row(1, Status.SUCCESS)], 1),
    ([row(2, Status.FAILURE, event="pull_request"), row(1, Status.SUCCESS)], 1),
    ([row(2, Status.FAILURE, event="manual"), row(1, Status.SUCCESS)], 2),
])  # fmt: skip
def test_the_newest_decided_pipeline_gives_a_branch_its_color(rows: Iterable[Pipeline], number: int | None) -> None:
    found = newest_decided(rows, "main", events=WOODPECKER.branch_events)
    assert (found.number if found else None) == number


def test_a_url_is_the_remote_that_pushes_there(tmp_path: Path, seal: dict[str, str]) -> None:
    processes = ProcessRunner(seal)
    for argv in (
        ["git", "init", "--quiet"],
        ["git", "remote", "add", "origin", "https://git.example.test/acme/app.git"],
        ["git", "remote", "add", "mirror", "https://git.example.test/mirror/app.git"],
    ):
        assert processes.run(argv, cwd=tmp_path).ok
    git = ReadOnlyRepository(DirectRunner(seal, tmp_path))
    assert resolve_remote_name(git, "mirror") == "mirror"
    assert resolve_remote_name(git, "https://git.example.test/mirror/app.git") == "mirror"
    assert resolve_remote_name(git, "https://git.example.test/else.git") == "https://git.example.test/else.git"


def mine() -> WatchRecord:
    """Watched by this very process, whose command line has no commit: one of its arguments is used instead."""
    return WatchRecord(
        sha="python", branch="main", remote="origin", process=os.getpid(), host=os.uname().nodename, began_at=1000.0,
        expires_at=2000.0, state=WatchPhase.WATCHING, landed=True,
    )  # fmt: skip


RESULT = {"verdict": "failed", "exit": 1, "url": "https://ci.example.test/1"}


def test_a_record_is_alive_while_its_process_runs_and_its_time_is_not_up() -> None:
    host = os.uname().nodename
    assert mine().is_alive(host=host, now=1500.0)
    assert not mine().is_alive(host=host, now=2001.0)
    assert not mine()._replace(process=2**30).is_alive(host=host, now=1500.0)
    assert not mine()._replace(sha=SHA).is_alive(host=host, now=1500.0), "the process is another one by now"
    assert not finish_record(mine(), result=None, now=1.0).is_alive(host=host, now=1500.0)
    assert mine()._replace(host="elsewhere", process=2**30).is_alive(host=host, now=1500.0), "only its time is known"


@pytest.fixture
def store(tmp_path: Path) -> WatchRegistry:
    return WatchRegistry(tmp_path)


def at(number: int) -> WatchRecord:
    """One of many, not alive."""
    return mine()._replace(sha=f"{number:040x}", began_at=1000.0 + number, expires_at=1.0)


def test_a_watch_is_claimed_once_and_taken_over_only_where_it_waits(store: WatchRegistry, seal: dict[str, str]) -> None:
    running = ProcessRunner(seal).spawn(["sleep", "60"])
    wait_until(lambda: "sleep" in command_line(running.pid))
    other = mine()._replace(process=running.pid, sha="sleep")
    ours = other._replace(process=os.getpid())
    assert store.claim(other)
    assert not store.claim(ours)
    assert not store.claim(ours, over=frozenset({WatchPhase.PUSHING}))
    assert store.save(other._replace(state=WatchPhase.PUSHING))
    assert store.claim(ours, over=frozenset({WatchPhase.PUSHING}))
    assert not store.save(other), "it has been taken over"
    assert store.save(ours)
    assert store.claim(other), "ours does not run under this name"
    running.stop()
    assert store.claim(ours), "its process has ended"


def test_what_is_reported_is_what_runs_and_what_landed_last(store: WatchRegistry) -> None:
    store.claim(finish_record(at(1), result=RESULT, now=1100.0))
    store.claim(finish_record(at(2), result={**RESULT, "exit": 0, "verdict": "passed"}, now=1200.0))
    store.claim(finish_record(at(3)._replace(landed=False), result=RESULT, now=1300.0))
    store.claim(at(4))
    store.claim(mine())
    running, last = store.summaries(1500.0)
    assert (running.under_way, running.sha, running.age) == (True, mine().sha, 500.0)
    assert (last.under_way, last.verdict, last.exit, last.age) == (False, "passed", 0, 300.0)


def test_records_and_logs_are_few_and_the_users_alone(store: WatchRegistry) -> None:
    for number in range(MAX_RECORDS + 5):
        log = store.log_of(at(number).name)
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
        store.claim(at(number))
    assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700
    assert len(list(store.directory.glob("*.json"))) == len(list(store.directory.glob("*.log"))) == MAX_RECORDS
    assert not (store.directory / f"{at(4).name}.log").exists(), "the oldest went"
    for path in store.directory.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"schema": 9}', "nonsense", "\udcff"])
def test_a_damaged_record_is_none(store: WatchRegistry, damage: str) -> None:
    store.claim(mine())
    (path,) = store.directory.glob("*.json")
    path.write_text(damage, encoding="utf-8", errors="surrogateescape")
    assert store.summaries(1500.0) == ()
    assert store.claim(mine())


@pytest.mark.parametrize(
    ("field", "value"),
    [("sha", 5), ("branch", None), ("log", []), ("process", "1"), ("landed", "yes"), ("result", []), ("until", 1e300)],
)
def test_a_record_with_a_value_of_another_kind_is_none(store: WatchRegistry, field: str, value: object) -> None:
    store.claim(mine())
    (path,) = store.directory.glob("*.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    assert store.is_watched(mine().name, 1500.0) is None
    assert store.summaries(1500.0) == ()


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"push": null, "shell": null}'])
def test_what_is_not_a_ticket_is_none(text: str) -> None:
    assert WatchJob.parse(text) is None


def test_a_log_without_visible_growth_has_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal({})
    terminal.limit_log(100)
    for number in range(50):
        terminal.err(f"line {number:04}")
    terminal.out("homelab: passed exit=0")
    seen = capsys.readouterr()
    assert len(seen.err) <= 130
    assert seen.err.splitlines()[-1] == "... (log truncated)"
    assert seen.out == "homelab: passed exit=0\n", "the result is written all the same"


def test_a_process_is_the_same_from_proc_and_from_ps() -> None:
    by_both = info_from_proc(os.getpid()), info_from_ps(os.getpid())
    assert by_both[0] is not None
    assert by_both[1] is not None
    kept = [(one.id, one.parent, one.session, one.terminal) for one in by_both if one]
    assert kept[0] == kept[1]
    assert info_from_ps(2**30) is None
    assert info_from_proc(2**30) is None


def test_ancestors_come_nearest_first_and_end() -> None:
    found = [one.id for one in ancestors(os.getpid())]
    assert found[0] == os.getppid()
    assert len(found) == len(set(found)) > 0


def test_another_process_under_the_same_id_is_not_the_same() -> None:
    now = process_info(os.getpid())
    assert isinstance(now, ProcessInfo)
    assert is_same_process(now)
    assert not is_same_process(now._replace(began="1"))


def test_a_ref_that_is_not_utf8_is_reported_by_git_all_the_same() -> None:
    script = "from homelab_hooks.system.terminal import read_stdin; print(ascii(read_stdin()))"
    env = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8:strict", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = ProcessRunner(env).run([sys.executable, "-c", script], stdin=b"refs/heads/f\xfc 1 2 3")
    assert done.out == "'refs/heads/f\\udcfc 1 2 3'\n"
