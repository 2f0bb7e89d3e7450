"""Apprise in its own process: a real HTTP server gets the message, and a plugin cannot reach the caller."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from homelab_hooks.app.runtime import TOKEN_VARIABLES, Runtime
from homelab_hooks.notify.apprise_job import SEND_TIMEOUT_S, check_urls, send_through_apprise
from homelab_hooks.notify.message import Message, MessageKind
from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S
from tools.docs import ROOT

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

PLUGIN = """
import json, os, sys
print("homelab-notify noise")
print("homelab-notify noise", file=sys.stderr)
class PersistentStoreMode:
    MEMORY = None
class AppriseAsset:
    def __init__(self, **settings): pass
class Apprise:
    @staticmethod
    def instantiate(url, **settings):
        with open({seen!r}, "w") as file, open("/proc/self/cmdline") as line:
            json.dump([dict(os.environ), line.read()], file)
        raise SystemExit(url)
"""
MESSAGE = Message("homelab: failed exit=1", "reason: *bold* <b>& step", MessageKind.FAILURE)


@pytest.fixture
def runner(seal: dict[str, str]) -> ProcessRunner:
    return ProcessRunner(seal)


def test_a_target_gets_the_message_as_it_is_and_the_others_are_named(
    httpserver: HTTPServer, runner: ProcessRunner
) -> None:
    httpserver.expect_request("/t0ken-t0ken").respond_with_data("ok")
    at = f"127.0.0.1:{httpserver.port}"

    delivery = send_through_apprise(
        [f"json://ann:pa55word@{at}/t0ken-t0ken", f"json://{at}/refused-t0ken", "nosuch://t0ken-t0ken"], MESSAGE, runner
    )

    assert delivery[:2] == (1, (
        "homelab.notifyUrl 2 of 3 (json://): not sent",
        "homelab.notifyUrl 3 of 3 (nosuch://): Apprise cannot use the URL",
    ))  # fmt: skip
    (body,) = [request.get_json() for request, _ in httpserver.log if request.path == "/t0ken-t0ken"]
    assert (body["title"], body["message"], body["type"]) == (MESSAGE.title, MESSAGE.body, "failure")


@pytest.mark.slow
def test_a_target_that_never_answers_is_given_up(runner: ProcessRunner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"json://127.0.0.1:{silent.getsockname()[1]}/t0ken-t0ken?rto=8"
        delivery = send_through_apprise([url], MESSAGE, runner, timeout_s=3.0)
    assert delivery[:2] == (0, ("homelab.notifyUrl 1 of 1 (json://): no answer in 3s",))
    assert SEND_TIMEOUT_S < 30


def test_a_check_finds_urls_that_apprise_cannot_use_and_sends_nothing(
    httpserver: HTTPServer, runner: ProcessRunner
) -> None:
    urls = [f"json://127.0.0.1:{httpserver.port}/t0ken-t0ken", "nosuch://t0ken-t0ken"]
    checked = check_urls(urls, runner, timeout_s=HANG_S)
    assert checked.problems == ("homelab.notifyUrl 2 of 2 (nosuch://): Apprise cannot use the URL",)
    assert httpserver.log == []


def test_a_plugin_sees_no_token_of_ours_and_no_command_line_shows_a_url(seal: dict[str, str], tmp_path: Path) -> None:
    """What it raises is one target that did not get the message; what it prints is dropped."""
    seen = tmp_path / "seen"
    (tmp_path / "apprise.py").write_text(PLUGIN.format(seen=str(seen)))
    tokens = {name: f"canary-of-{name}" for name in TOKEN_VARIABLES}
    own = Runtime({**seal, **tokens, "PYTHONPATH": "/nowhere"}, tmp_path).user_command_runner

    delivery = send_through_apprise(["json://t0ken-t0ken"], MESSAGE, own, path=[str(tmp_path), *sys.path])

    assert delivery[:2] == (0, ("homelab.notifyUrl 1 of 1 (json://): not sent",))
    environ, line = json.loads(seen.read_text())
    assert [name for name, value in environ.items() if "canary" in value or "t0ken" in value] == []
    assert "t0ken" not in line


def test_without_apprise_that_is_said_and_nothing_else_fails(runner: ProcessRunner) -> None:
    library = [entry for entry in sys.path if "site-packages" not in entry]
    delivery = send_through_apprise(["json://t0ken"] * 2, MESSAGE, runner, path=[*library, str(ROOT)])
    assert (delivery.is_installed, len(delivery.problems)) == (False, 1)
