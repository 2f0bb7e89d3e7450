"""Notifications through Apprise from real commands: what arrives, and that the secrets of a URL appear nowhere."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from homelab_hooks.config.resolve import GitConfigEntry, SettingSources, resolve_config
from homelab_hooks.events import Result
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.hooks.background.notify import NotifyTargets, send_notification
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.text.redaction import Redactor
from tests.hooks.background.sandbox import TOKEN, PushSandbox
from tests.waiting import FOREVER, HANG_S, wait_until

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

SECRETS = ("passw0rdCanary", "pathCanary77", "queryCanary88")
PUSH = ("push", "--quiet", "origin", "HEAD:main")


@pytest.fixture
def hearing(sandbox: PushSandbox, httpserver: HTTPServer) -> PushSandbox:
    """A clone whose notifications go to a local HTTP server."""
    httpserver.expect_request("/pathCanary77").respond_with_data("ok")
    url = f"json://ann:passw0rdCanary@127.0.0.1:{httpserver.port}/pathCanary77?-key=queryCanary88"
    sandbox.config("homelab.notifyUrl", url)
    sandbox.more["HOMELAB_NOTIFY"] = ""
    return sandbox


def message(httpserver: HTTPServer) -> dict[str, Any]:
    """The only one."""
    wait_until(lambda: bool(httpserver.log))
    ((request, _),) = httpserver.log
    found: dict[str, Any] = request.get_json()
    return found


def leaks(text: str) -> list[str]:
    return [secret for secret in (*SECRETS, TOKEN) if secret in text]


def files_with_secrets(folder: Path) -> set[str]:
    """The settings file is the user's own."""
    texts = {path.name: path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()}
    return {name for name, text in texts.items() if leaks(text)} - {"config"}


@pytest.mark.slow
def test_a_red_push_is_notified_by_the_background_watcher(hearing: PushSandbox, httpserver: HTTPServer) -> None:
    sha = hearing.commit(timelines.make_red(log=[f"boom {SECRETS[0]}"]))
    hearing.git(*PUSH)

    body = message(httpserver)

    assert body["title"] == f"homelab: failed exit=1 {sha[:10]}"
    assert f"commit: {sha}" in body["message"]
    assert "link: ci" in body["message"]
    assert leaks(json.dumps(body)) == []
    assert hearing.record()["result"]["exit"] == 1
    assert files_with_secrets(hearing.clone.path / ".git") == set()


@pytest.mark.slow
@pytest.mark.parametrize(("after", "count"), [("0", 1), ("1h", 0)])
def test_a_command_in_the_foreground_notifies_if_it_took_longer_than_asked(
    hearing: PushSandbox, httpserver: HTTPServer, after: str, count: int
) -> None:
    hearing.config("homelab.notifyAfter", after)
    sha = hearing.commit(timelines.make_red(log=["boom"]))

    seen = hearing.shell("homelab-watch", sha, "--output", "json")

    assert seen.code == 1
    assert json.loads(seen.out.splitlines()[-1])["exit"] == 1
    assert len(httpserver.log) == count
    assert leaks(seen.out + seen.err) == []


@pytest.mark.slow
def test_a_notification_that_fails_is_a_warning_after_the_result_and_changes_nothing(hearing: PushSandbox) -> None:
    hearing.config("homelab.notifyUrl", "json://ann:passw0rdCanary@127.0.0.1:9/pathCanary77")
    hearing.config("homelab.notifyAfter", "0")
    sha = hearing.commit(timelines.make_green())

    seen = hearing.shell("homelab-watch", sha, "--output", "json", HOMELAB_DEBUG="1")

    assert seen.code == 0
    assert json.loads(seen.out.splitlines()[-1])["verdict"] == "passed"
    assert seen.err.splitlines()[-1] == "homelab: warning: homelab.notifyUrl 1 of 1 (json://): not sent"
    assert leaks(seen.out + seen.err) == []


@pytest.mark.slow
@pytest.mark.parametrize("command", [("config",), ("config", "--output", "json"), ("doctor", "--json")])
def test_what_shows_settings_shows_no_secret_of_a_url(hearing: PushSandbox, command: tuple[str, ...]) -> None:
    seen = hearing.shell("homelab", *command)
    assert leaks(seen.out + seen.err) == []
    assert "json://" in seen.out + seen.err


@pytest.mark.slow
def test_what_a_detached_watcher_sends_is_not_sent_by_a_caller(hearing: PushSandbox, httpserver: HTTPServer) -> None:
    hearing.config("homelab.postPush", "off")
    hearing.config("homelab.notifyAfter", "0")
    sha = hearing.commit(timelines.make_stuck())
    hearing.git(*PUSH)
    assert hearing.shell("homelab", "follow", "--detach", sha).code == 0
    hearing.wait_for_watcher()
    sliced = hearing.shell("homelab", "follow", "--timeout", "1s", sha)
    assert (sliced.code, len(httpserver.log)) == (124, 0), "the watcher runs on, and sends its own"
    hearing.passes(sha)

    assert hearing.shell("homelab", "follow", sha).code == 0

    assert message(httpserver)["title"] == f"homelab: passed exit=0 {sha[:10]}"
    assert files_with_secrets(hearing.clone.path / ".git") == set()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_notification_and_the_exit_code_stays(
    hearing: PushSandbox, tmp_path: Path, number: signal.Signals
) -> None:
    started = tmp_path / "started"
    hearing.config("homelab.notify", f"touch {started}; exec {FOREVER}")
    hearing.config("homelab.notifyAfter", "0")
    sha = hearing.commit(timelines.make_red(log=["boom"]))
    watch = hearing.shell.start("homelab-watch", sha)
    wait_until(started.exists)

    watch.send_signal(number)

    out, err = watch.communicate(timeout=HANG_S)
    assert watch.returncode == 1
    assert out.decode().startswith("homelab: failed exit=1 ")
    assert b"warning" not in err


def test_all_targets_of_a_notification_share_one_time() -> None:
    """What the first takes is not there for the next."""
    runner = RecordingRunner()
    config = resolve_config(
        SettingSources(
            environ={"HOMELAB_NOTIFY": "slow"},
            git=(GitConfigEntry("local", "homelab.notifyUrl", "json://127.0.0.1:9"),),
        )
    )
    targets = NotifyTargets(
        runner=runner, directory=Path("/"), environ={"DISPLAY": ":0"}, session_leader=None, redact=Redactor(()),
        time_left=lambda: 10.0 - 4.0 * len(runner.timeouts),
    )  # fmt: skip
    result = Result(verdict="passed", exit=ExitCode.OK, sha="9f2c", took=1.0)
    send_notification(result, "{}", config, targets, lambda _: None)
    assert runner.timeouts == [10.0, 6.0, 2.0]


class RecordingRunner(ProcessRunner):
    """Starts nothing; every program has failed."""

    def __init__(self) -> None:
        super().__init__({})
        self.timeouts: list[float | None] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float | None = None,
    ) -> Completed:
        del argv, cwd, env, stdin
        self.timeouts.append(timeout)
        return Completed(1)
