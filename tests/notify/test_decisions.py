"""What a notification says, when one is sent after a command in the foreground, and how outcomes are read."""

from __future__ import annotations

import pytest

from homelab_hooks.config.resolve import GitConfigEntry, SettingSources, resolve_config, resolve_config_leniently
from homelab_hooks.errors import CommandError
from homelab_hooks.events import Result
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.notify.apprise_job import read_delivery
from homelab_hooks.notify.apprise_send import NOT_INSTALLED_CODE
from homelab_hooks.notify.message import MAX_VALUE_CHARS, MessageKind, compose_message
from homelab_hooks.notify.occasion import is_worth_notifying
from homelab_hooks.system.completed import Completed
from homelab_hooks.text.redaction import Redactor
from homelab_hooks.text.url_secrets import find_secrets_in_git_config

SHA = "9f2c1a7be0" * 4
URLS = ("json://ann:pa55word@h.test/first-t0ken", "slack://T0KENSONE/T0KENSTWO")
RED = Result(
    verdict="failed",
    exit=ExitCode.FAILED,
    sha=SHA,
    link="ci",
    url="https://ann:pw@ci.test/1",
    reason="step \x1b[31mtest",
)


def test_the_message_names_verdict_exit_code_commit_link_url_and_reason() -> None:
    message = compose_message(RED, Redactor())
    assert message.title == "homelab: failed exit=1 9f2c1a7be0"
    assert message.body.splitlines() == [
        "verdict: failed exit=1", f"commit: {SHA}", "link: ci", "url: https://ci.test/1", "reason: step test"
    ]  # fmt: skip
    assert message.kind is MessageKind.FAILURE


def test_the_message_has_no_secret_no_second_line_of_the_reason_and_no_control_character() -> None:
    reason = f"token t0ken-value was\x07\udcff refused{' x' * MAX_VALUE_CHARS}\nsecond line"
    message = compose_message(RED._replace(reason=reason), Redactor(["t0ken-value"]))
    assert "reason: token *** was" in message.body
    assert "second line" not in message.body
    assert "\x07" not in message.body
    assert message.body.encode(), "valid UTF-8"
    assert len(message.body) < MAX_VALUE_CHARS + 200


@pytest.mark.parametrize(
    ("command", "took", "result", "after_s", "expected"),
    [
        ("git land", 61.0, RED, 60.0, True),
        ("git land", 59.0, RED, 60.0, False),
        ("git land", 61.0, RED, None, False),
        ("homelab config", 61.0, RED, 60.0, False),
        ("homelab follow", 61.0, RED._replace(exit=ExitCode.INTERRUPTED), 60.0, False),
        ("git land", 61.0, RED._replace(verdict="watching", exit=ExitCode.OK), 60.0, False),
        ("homelab deploy wait", 61.0, RED._replace(exit=ExitCode.TERMINATED), 60.0, True),
    ],
)
def test_a_command_that_waited_long_enough_notifies_if_that_was_asked_for(
    command: str, took: float, result: Result, after_s: float | None, *, expected: bool
) -> None:
    assert is_worth_notifying(command, result._replace(took=took), after_s) is expected


@pytest.mark.parametrize(
    ("done", "sent_count", "problems"),
    [
        (Completed(0, b"noise\xff\nhomelab-notify x ok\nhomelab-notify 1 ok\nhomelab-notify 0 ok\n"), 2, ()),
        (Completed(-9, b"homelab-notify 0 ok\n", timed_out=True), 1,
         ("homelab.notifyUrl 2 of 2 (slack://): no answer in 5s",)),
        (Completed(0, b"homelab-notify 0 failed\nhomelab-notify 1 unknown\n"), 0,
         ("homelab.notifyUrl 1 of 2 (json://): not sent",
          "homelab.notifyUrl 2 of 2 (slack://): Apprise cannot use the URL")),
        (Completed(1, b"", b"Traceback: json://ann:pa55word@h.test"), 0,
         ("homelab.notifyUrl 1 of 2 (json://): not sent", "homelab.notifyUrl 2 of 2 (slack://): not sent")),
    ],
)  # fmt: skip
def test_each_target_without_the_message_is_named_by_its_scheme(
    done: Completed, sent_count: int, problems: tuple[str, ...]
) -> None:
    assert read_delivery(URLS, done, 5) == (sent_count, problems, True)


def test_without_apprise_the_way_to_install_it_is_said_once() -> None:
    (text,) = read_delivery(URLS, Completed(NOT_INSTALLED_CODE), 5).problems
    assert "homelab.notifyUrl needs the extra notify (apprise is not installed); to install it, run: " in text


def test_a_setting_shows_only_the_schemes_of_the_urls() -> None:
    entries = tuple(GitConfigEntry("global", "homelab.notifyurl", url) for url in URLS)
    config = resolve_config(SettingSources(git=entries))
    (shown,) = [value.raw for value in config.values if value.setting.name == "notify_url"]
    assert (config.notify_url, shown) == (URLS, "json://*** slack://***")


def test_a_malformed_url_is_not_shown() -> None:
    sources = SettingSources(git=(GitConfigEntry("global", "homelab.notifyurl", "slack//T0KENSONE"),))
    with pytest.raises(CommandError) as problem:
        resolve_config(sources)
    assert problem.value.message == "invalid value '***' for homelab.notifyUrl (git config, global)"
    config, _ = resolve_config_leniently(sources)
    assert "T0KENSONE" not in str([value.raw for value in config.values])


def test_a_tracked_file_and_the_environment_name_no_url() -> None:
    sources = SettingSources(
        environ={"HOMELAB_NOTIFY_URL": URLS[0]}, tracked={"notify-url": URLS[0], "notifyUrl": URLS[0]}
    )
    assert resolve_config(sources).notify_url == ()


def test_every_part_of_a_url_that_may_be_a_token_is_redacted() -> None:
    redact = Redactor(find_secrets_in_git_config(("homelab.notifyurl", url) for url in URLS))
    assert redact("pa55word first-t0ken T0KENSONE T0KENSTWO h.test") == "*** *** *** *** h.test"
