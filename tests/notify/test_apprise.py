"""Apprise in its own process: a real HTTP server gets the message, and a plugin cannot reach the caller."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from homelab_hooks.notify.apprise_job import SEND_TIMEOUT_S, check_urls, send_through_apprise
from homelab_hooks.notify.message import Message, MessageKind
from homelab_hooks.system.process_runner import ProcessRunner

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

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
        url = f"json://127.0.0.1:{silent.getsockname()[1]}/t0ken-t0ken?rto=600"
        delivery = send_through_apprise([url], MESSAGE, runner, timeout_s=3.0)
    assert delivery[:2] == (0, ("homelab.notifyUrl 1 of 1 (json://): no answer in 3s",))
    assert SEND_TIMEOUT_S < 30


def test_a_check_finds_urls_that_apprise_cannot_use_and_sends_nothing(
    httpserver: HTTPServer, runner: ProcessRunner
) -> None:
    urls = [f"json://127.0.0.1:{httpserver.port}/t0ken-t0ken", "nosuch://t0ken-t0ken"]
    assert check_urls(urls, runner).problems == ("homelab.notifyUrl 2 of 2 (nosuch://): Apprise cannot use the URL",)
    assert httpserver.log == []
