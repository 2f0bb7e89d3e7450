"""Which watcher a caller attaches to, whose result stands, and which watch is taken over."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.hooks.background.attach import (
    AttachToWatcher,
    BeginWatch,
    UseResult,
    WatcherState,
    WatchQuery,
    decide_attachment,
    describe_attached_end,
)
from homelab_hooks.hooks.background.chain_key import ChainKey
from homelab_hooks.hooks.background.registry import WatchPhase, WatchRecord, WatchRegistry, finish_record
from homelab_hooks.system.process_table import boot_id, process_info

SHA = "9f2c" * 10
CHAIN = ChainKey("https://ci.example.test", "acme/app", ("ci", "deploy:web/shop"), ("superseded=auto",))
QUERY = WatchQuery(SHA, "main", "origin", CHAIN)


def record(**changes: Any) -> WatchRecord:
    """A watch that runs, in this very process."""
    info = process_info(os.getpid())
    assert info is not None
    known = WatchRecord(
        sha=SHA, branch="main", remote="origin", process=os.getpid(), host=os.uname().nodename, began_at=1000.0,
        expires_at=2000.0, state=WatchPhase.WATCHING, landed=True, process_began=info.began, boot=boot_id(),
        chain=CHAIN, scope=CHAIN.scope,
    )  # fmt: skip
    return known._replace(**changes)


def ended(code: int, **changes: Any) -> WatchRecord:
    result = {"event": "result", "verdict": "failed", "exit": code, "took": 1.0}
    return finish_record(record(**changes), result=result, now=1500.0)


def decide(*records: WatchRecord, alive: bool = False) -> object:
    return decide_attachment(records, QUERY, is_running=lambda known: alive and known.state is not WatchPhase.ENDED)


def test_a_caller_attaches_to_a_running_watcher_of_the_same_chain_only() -> None:
    assert decide(record(), alive=True) == AttachToWatcher(record())
    for other in (
        record(chain=CHAIN._replace(server="https://ci2.example.test")),
        record(chain=CHAIN._replace(repo="acme/other")),
        record(chain=CHAIN._replace(links=("ci",))),
        record(chain=CHAIN._replace(settings=("workflow=build",))),
        record(branch="release"),
        record(remote="mirror"),
        record(sha="0" * 40),
    ):
        assert decide(other, alive=True) == BeginWatch()


def test_a_running_watcher_counts_before_a_newer_one_that_has_ended() -> None:
    assert decide(record(), ended(1, began_at=1200.0), alive=True) == AttachToWatcher(record())


@pytest.mark.parametrize("code", list(ExitCode))
def test_a_fact_about_the_commit_stands_and_any_other_end_is_offered_until_it_was_printed(code: ExitCode) -> None:
    stands = code in {0, 1, 5, 9}
    assert decide(ended(code)) == UseResult(ended(code), is_standing=stands)
    printed = ended(code, delivered=True)
    assert decide(printed) == (UseResult(printed, is_standing=True) if stands else BeginWatch())


def test_a_watcher_that_died_is_taken_over_and_a_push_that_did_not_land_is_no_result() -> None:
    assert decide(record()) == BeginWatch(died=record())
    assert decide(record(state=WatchPhase.PUSHING)) == BeginWatch(), "it is unknown whether that push landed"
    assert decide(ended(0, landed=False)) == BeginWatch()
    assert decide(ended(999)) == BeginWatch()


@pytest.mark.parametrize(
    ("state", "end"),
    [
        (WatcherState(has_result=True, is_running=False, seconds_left=-1.0), "result"),
        (WatcherState(has_result=False, is_running=False, seconds_left=-1.0), "died"),
        (WatcherState(has_result=False, is_running=True, seconds_left=0.0), "slice"),
        (WatcherState(has_result=False, is_running=True, seconds_left=0.1), ""),
        (WatcherState(has_result=False, is_running=True, seconds_left=None), ""),
    ],
)
def test_an_attached_caller_ends_with_the_result_else_a_death_else_its_own_time(state: WatcherState, end: str) -> None:
    assert describe_attached_end(state) == end


def test_a_watcher_is_alive_only_as_the_process_of_the_boot_that_claimed_it() -> None:
    host = os.uname().nodename
    assert record().is_alive(host=host, now=1500.0)
    assert not record(process_began="1").is_alive(host=host, now=1500.0), "its ID was given to another process"
    assert not record(boot="another").is_alive(host=host, now=1500.0), "start times begin again after a reboot"
    assert not record(process=2**30).is_alive(host=host, now=1500.0)


def test_a_record_survives_the_disk_with_its_chain(tmp_path: Path) -> None:
    store = WatchRegistry(tmp_path)
    assert store.claim(record())
    assert store.records_of(SHA) == [record()]
    (path,) = store.directory.glob("*.json")
    raw = json.loads(path.read_text())
    for damage in ({"links": "ci"}, {"server": 3}, ["ci"], {"links": [1]}):
        path.write_text(json.dumps({**raw, "chain": damage}))
        assert store.records_of(SHA) == []


def test_a_printed_result_stays_printed_when_the_watcher_saves_after_it(tmp_path: Path) -> None:
    store = WatchRegistry(tmp_path)
    store.claim(record())
    store.mark_delivered(record())
    assert store.save(ended(124))
    assert decide(*store.records_of(SHA)) == BeginWatch()


def test_chains_of_one_commit_have_records_of_their_own_and_the_next_watcher_its_own_events(tmp_path: Path) -> None:
    store = WatchRegistry(tmp_path)
    other = CHAIN._replace(links=("ci",))
    store.claim(record())
    store.claim(record(chain=other, scope=other.scope))
    assert len(store.records_of(SHA)) == 2
    store.events_of(record()).write_text("{}\n")
    again = record(process=2**30, began_at=2500.0)
    assert store.claim(again._replace(expires_at=3000.0))
    assert not store.events_of(record()).exists()
    assert store.events_of(again) != store.events_of(record())


def test_the_process_that_starts_a_watcher_claims_the_watch_for_it(tmp_path: Path) -> None:
    store = WatchRegistry(tmp_path)
    assert store.claim(record())
    store.events_of(record()).write_text("{}\n")
    assert store.claim(record(began_at=1001.0)), "its own claim, when it has started"
    assert store.events_of(record()).exists()


def test_a_watcher_that_starts_late_does_not_watch_a_push_again(tmp_path: Path) -> None:
    """It was started before the push; the foreground has watched it to its end since. An earlier end says nothing."""
    store, last = WatchRegistry(tmp_path), ended(0)
    store.claim(last)
    late = record(process=2**30, began_at=last.ended + 5.0)
    assert not store.claim(late, unless_ended_since=last.ended - 1.0)
    assert store.records_of(SHA) == [last]
    assert store.claim(late, unless_ended_since=last.ended + 1.0)
