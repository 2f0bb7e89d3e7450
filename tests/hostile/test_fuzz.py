"""A few seconds of fuzzing, and everything that longer runs have found."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from homelab_hooks.ci.model import Status
from homelab_hooks.ci.woodpecker.sse import MAX_EVENT_BYTES, MalformedStream, PipelineHint, SseParser
from homelab_hooks.ci.woodpecker.stream import MAX_TRACKED_PIPELINES, EventStreamListener
from homelab_hooks.hooks.background.registry import WatchRegistry
from homelab_hooks.land.state import StateFile
from homelab_hooks.net.message import RequestFailed, read_bounded_body
from homelab_hooks.text.redaction import Redactor
from tests.ci.values import APP
from tests.growth import TOO_MUCH, growth
from tools.fuzz.completion_readers import completed
from tools.fuzz.file_readers import SAVED_LANDING, SAVED_WATCH
from tools.fuzz.mutations import mutated
from tools.fuzz.targets import TARGETS

DEEP = b"[" * 100_000
HUGE = b"1" + b"0" * 400
TEMPLATE = b'{"spec": {"containers": []}}'
LANDING = json.dumps({**json.loads(SAVED_LANDING), "branch": 5, "target": True, "remote": {}}).encode()
TICKET = b'{"sha": "-", "branch": %s, "remote": "", "directory": "", "push": null, "shell": null, "options": %s}'
MCP_CALL = b'{"tool": %s}'
FOUND: list[tuple[str, bytes]] = [
    ("pipeline", b'{"number": %s, "event": "push", "commit": "a", "status": "running"}' % HUGE),
    ("pipeline", b'{"number": 1, "event": "push", "commit": "a", "status": "success", "started": %s}' % HUGE),
    ("pipelines", DEEP),
    ("stream", b'data: {"pipeline": ' + b"9" * 5000 + b"}\n\n"),
    ("stream", b"data: a\r\r\n\r\r\n\r\n\n\r\ndata: b\n\r\n"),
    ("kubectl", b'{"metadata": {"uid": "u", "generation": %s}, "spec": {"template": %s}}' % (HUGE, TEMPLATE)),
    ("kubectl", b'{"metadata": {"uid": "u", "generation": 1}, "status": {"replicas": %s}, "spec": {"template": %s}}'
     % (HUGE, TEMPLATE)),
    ("kubectl", DEEP),
    ("kubectl-errors", "Unable\ufeff to \u200bconnect".encode()),
    ("files", DEEP),
    ("files", b"settle = " + DEEP),
    ("landing", b"1"),
    ("landing", b"[]"),
    ("landing", DEEP),
    ("landing", LANDING),
    ("headers", b"429\nTue, 24 Nov 2026 08:00:09 GMT\nTue, 24 Nov 202 08:00:00 GMT\n\n\n"),
    ("headers", b"503\n120\n\n\ntext/plain\nupstre\xc2\xadm gone"),
    ("remotes", b"[git@host:" + b"2" * 5000 + b"]:acme/app"),
    ("remotes", "ss\ufeff\ufeff:".encode()),
    ("remotes", b"]:22/git/a/b"),
    ("remotes", b"[]:acme/app"),
    ("watches", DEEP),
    ("watches", b'{"schema": 1, "sha": 5, "state": "ended"}'),
    ("watches", json.dumps({**json.loads(SAVED_WATCH), "sha": 5, "log": {}}).encode()),
    ("push", b"\x1fnot be found on any remote:"),
    ("text", "æ\u200d".encode()),
    ("text", b"https://ann:pas://ann:pa\xb73ss@git.ex@git.ex"),
    ("text", b"https://ann:pa@stps:/]]ann:pa@ss@git.example."),
    ("vault", b'200 {"data": {"path": "secret/", "options": {"version": 1e999}}}'),
    ("vault", b"200 " + DEEP),
    ("vault", b"403 " + DEEP),
    ("ticket", DEEP),
    ("ticket", TICKET % (b"NaN", b"{}")),
    ("ticket", TICKET % (b'""', b'"-"')),
    ("ticket", TICKET % (b'"\\ud800"', b"{}")),
    ("git", b"r"),
    ("git", b"\x00"),
    ("git", b"/"),
    ("git", b"git version " + b"9" * 5000 + b".1"),
    ("git", b"160000 commit 9f2c\t" + b"a" * 300 + b"\x00"),
    ("processes", b""),
    ("processes", b"7 ( 1 \xae 7"),
    ("processes", b"7 (git) S " + b"9" * 300 + b" 7" * 20),
    ("processes", b"7S 1 7 7 1 0 0 0 0 0 0 0 20 0 1"),
    ("detection", DEEP),
    ("hook-files", b"#!/bin/\nknown='/"),
    ("redirects", b"//["),
    ("redirects", b"https://[1]/"),
    ("mcp-arguments", MCP_CALL % b'"land", "arguments": {"message": "\\u0000"}'),
    ("mcp-arguments", MCP_CALL % b'"land", "arguments": {"message": "\\ud800"}'),
    ("mcp-arguments", MCP_CALL % b'"logs", "arguments": {"commit": "\\ud800"}'),
    ("mcp-arguments", MCP_CALL % b'"follow", "arguments": {"commit": "%s"}' % (b"a" * 200_000)),
    ("mcp-arguments", MCP_CALL % b'"land", "arguments": {"target": "%s"}' % (b"a" * 200_000)),
    ("notify-urls", b"mat%sixs://a" % (b"-" * 60)),
    ("notify-urls", b"ntfys://t:,/6\x90"),
    ("notify-urls", b"json:///ann:pa55wo"),
    ("notify-urls", b"json://h.test/?key=?econd.example.test"),
    ("notify-urls", b"slack://T0KENSONE/T0KE&)STWO/#general"),
    ("notify-urls", b"tgram://123456m@@8"),
    ("notify-urls", b"json://h.test/1234567890"),
    ("notify-urls", b"json://h.test/?key=second//t0=ken"),
    ("notify-urls", b"mailto://ann:pa55wo@h.test?to=bob@example.test"),
    ("notify-outcomes", b"homelab-notify %s ok" % (b"9" * 5001)),
    ("files", b"settle = " + b"[" * 5_000),
]  # fmt: skip
"""inputs that once broke a promise: an exception, a number that no float can be, an endless search, something unseen"""


@pytest.mark.parametrize(("name", "data"), FOUND, ids=[f"{name}-{place}" for place, (name, _) in enumerate(FOUND)])
def test_what_was_found_stays_fixed(name: str, data: bytes) -> None:
    TARGETS[name].feed(data)


def test_the_completions_that_are_fuzzed_offer_what_is_harmless() -> None:
    """Of a shell that offers nothing, no promise could be broken."""
    for shell in filter(shutil.which, ("bash", "fish")):
        offered = completed(shell, b"main\n$(touch pwned)\nfeature/x\n")
        assert {"main", "feature/x"} <= set(offered), shell
        assert not any("pwned" in value for value in offered), shell


@pytest.mark.parametrize(("name", "piece"), [("text", b"a"), ("text", b"://a"), ("detection", b"\n"), ("files", b"a.")])
def test_an_input_that_once_took_quadratic_time_is_read_once(name: str, piece: bytes) -> None:
    assert growth(lambda times: TARGETS[name].feed(piece * times), 5_000) < TOO_MUCH


def test_a_secret_that_overlaps_itself_is_searched_for_once() -> None:
    """Compared as a whole at each of its places, one of 200 kB took 20 s."""
    assert Redactor(["abcabca"])("xabcabcabcabcaabcabcax") == "x******x"
    assert growth(lambda times: Redactor(["9" * times])("9" * (2 * times)), 5_000) < TOO_MUCH


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60)
@given(data=st.integers(0, 2**32).map(random.Random) | st.binary(max_size=200))
def test_a_reader_keeps_its_promise_whatever_comes(name: str, data: random.Random | bytes) -> None:
    target = TARGETS[name]
    target.feed(data if isinstance(data, bytes) else mutated(data, target.seeds))


def test_an_event_that_drips_takes_no_longer_for_its_length() -> None:
    """In single bytes: scanned from its beginning each time, a long one would take hours."""

    def drip(times: int) -> None:
        stream = SseParser()
        for _ in range(times):
            for piece in (b"\n", b"\r", b"x"):
                stream.feed(piece)
        assert stream.buffered_bytes == 3 * times

    assert growth(drip, 3_000) < TOO_MUCH


def test_the_files_of_ours_that_are_mutated_can_be_read_as_they_are(tmp_path: Path) -> None:
    """A seed of yesterday's shape is refused at once, and what is behind is never reached."""
    (tmp_path / "land.json").write_bytes(SAVED_LANDING)
    assert StateFile(tmp_path).load() is not None
    watches = WatchRegistry(tmp_path)
    watches.directory.mkdir(parents=True)
    (watches.directory / "a.json").write_bytes(SAVED_WATCH)
    assert watches.summaries(2.0) != ()


def test_an_event_without_an_end_is_not_kept() -> None:
    stream = SseParser()
    for _ in range(10):
        stream.feed(b"x" * (MAX_EVENT_BYTES // 10))
    with pytest.raises(MalformedStream):
        stream.feed(b"x" * 10)


class SilentStream:
    """A stream without any event."""

    def stream(self, *_: object, **__: object) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing is open."""


def test_a_server_that_makes_numbers_up_does_not_fill_the_memory() -> None:
    ear = EventStreamListener(SilentStream(), APP, wake=lambda: None, now=lambda: 0.0)  # type: ignore[arg-type]  # never started
    for number in range(3 * MAX_TRACKED_PIPELINES):
        ear._remember(PipelineHint(8, number, "a" * 40, Status.RUNNING, ended=False))
    assert len(ear._last_hints) <= MAX_TRACKED_PIPELINES
    assert len(ear._hints) <= 60


def test_a_bomb_is_not_a_body_and_is_never_unpacked() -> None:
    bomb = gzip.compress(b"\x00" * 10_000_000)
    tracemalloc.start()
    found = read_bounded_body([bomb], "gzip", 2 * len(bomb))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(found, RequestFailed)
    assert most < 1_000_000
