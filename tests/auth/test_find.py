"""Where a token is looked for, in which order, and that nothing shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.auth.lookup import (
    MAX_TOKEN_CHARS,
    Token,
    TokenNotFound,
    cache_source,
    find_token,
    read_token_from_environment,
    read_token_from_git,
    validate_header_value,
)
from homelab_hooks.config.address import ServerUrl, parse_server_url
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.system.process_runner import ProcessRunner
from tests.waiting import HANG_S

CI = parse_server_url("https://ci.example.test:8443/ci")
Helper = Callable[..., Path]


def test_woodpecker_token_comes_before_wp_token() -> None:
    both = {"WOODPECKER_TOKEN": "one", "WP_TOKEN": "two"}
    assert read_token_from_environment(both) == Token("one", "WOODPECKER_TOKEN")
    assert read_token_from_environment({**both, "WOODPECKER_TOKEN": " \n"}) == Token("two", "WP_TOKEN")
    assert isinstance(read_token_from_environment({}), TokenNotFound)


def test_white_space_around_a_token_is_not_part_of_it() -> None:
    assert read_token_from_environment({"WP_TOKEN": "  t0ken\n"}) == Token("t0ken", "WP_TOKEN")


@pytest.mark.parametrize("value", ["to ken", "to\nken", "tökèn", "to\x00ken", "to\tken", "to\u200bken", "t\udcffken"])
def test_a_token_that_no_header_can_carry_is_denied_by_its_source_and_not_shown(value: str) -> None:
    with pytest.raises(CommandError, match="WOODPECKER_TOKEN") as raised:
        read_token_from_environment({"WOODPECKER_TOKEN": value, "WP_TOKEN": "good"})
    assert raised.value.exit is ExitCode.DENIED
    assert value not in raised.value.message + raised.value.hint


def test_a_token_that_is_a_whole_file_is_denied_before_it_is_sent() -> None:
    assert validate_header_value("t" * MAX_TOKEN_CHARS, "WP_TOKEN")
    with pytest.raises(CommandError, match="the token from WP_TOKEN is longer than 16384 characters") as caught:
        read_token_from_environment({"WP_TOKEN": "t" * (MAX_TOKEN_CHARS + 1)})
    assert caught.value.exit is ExitCode.DENIED


def test_a_token_is_in_no_repr() -> None:
    assert "s3cret" not in repr(Token("s3cret", "WP_TOKEN"))


def test_the_first_source_that_has_one_is_the_last_that_is_asked() -> None:
    asked: list[str] = []

    def source(name: str, found: Token | TokenNotFound) -> Callable[[], Token | TokenNotFound]:
        def ask() -> Token | TokenNotFound:
            asked.append(name)
            return found

        return ask

    none = TokenNotFound("one", "nothing")
    found = find_token((source("one", none), source("two", Token("t", "two")), source("three", none)))
    assert (found.source, asked) == ("two", ["one", "two"])


def test_without_a_token_every_place_says_why_and_one_says_what_to_do() -> None:
    none = (
        TokenNotFound("here", "it is empty"),
        TokenNotFound("there", "it is gone", "look elsewhere"),
        TokenNotFound("x", "y", "z"),
    )
    with pytest.raises(CommandError) as raised:
        find_token(tuple(lambda found=found: found for found in none))  # type: ignore[misc]  # bound early on purpose
    assert raised.value.exit is ExitCode.DENIED
    assert "here: it is empty; there: it is gone; x: y" in raised.value.message
    assert raised.value.hint == "look elsewhere"


def test_the_reason_that_matters_stands_first_and_what_was_never_given_is_soon_said() -> None:
    """A line is cut at its end: there is room for a silent source whatever else there is."""
    said = (
        TokenNotFound("the environment", "neither this nor that is set", not_configured=True),
        TokenNotFound("a file", "it is locked"),
        TokenNotFound("Vault", "no answer", "unseal Vault", unreachable=True),
        TokenNotFound("git", "nothing is kept", "make", not_configured=True),
    )  # fmt: skip
    with pytest.raises(CommandError) as raised:
        find_token(tuple(lambda found=found: found for found in said))  # type: ignore[misc]  # bound early on purpose
    assert raised.value.exit is ExitCode.UNREACHABLE
    assert raised.value.message.endswith(": Vault: no answer; a file: it is locked; no token in the environment or git")
    assert raised.value.hint == "unseal Vault"


@pytest.fixture
def helper(seal: dict[str, str], tmp_path: Path) -> Helper:
    """`helper(script)`: git's only credential helper; what it is asked is written to the file that comes back."""

    def one(script: str, *, more: str = "") -> Path:
        asked, program = tmp_path / "asked", tmp_path / "helper.sh"
        program.write_text(f'#!/bin/sh\ncat > "{asked}"\n{script}\n')
        program.chmod(0o755)
        config = Path(seal["GIT_CONFIG_GLOBAL"])
        config.write_text(f"{config.read_text()}[credential]\n\thelper = {program}\n{more}")
        return asked

    return one


def kept(environ: dict[str, str], server: ServerUrl = CI) -> Token | TokenNotFound:
    return read_token_from_git(server, ProcessRunner(environ), token_page="/tokens", timeout=HANG_S)


def test_gits_credential_helper_is_asked_for_the_servers_url(seal: dict[str, str], helper: Helper) -> None:
    asked = helper("echo username=ann; echo password=t0ken", more="\tuseHttpPath = true\n")
    assert kept(seal) == Token("t0ken", "git's credential helpers")
    wanted = {"protocol=https", "host=ci.example.test:8443", "path=ci"}
    assert wanted <= set(asked.read_text().splitlines())


def test_a_server_without_a_path_is_asked_for_without_one(seal: dict[str, str], helper: Helper) -> None:
    asked = helper("echo username=ann; echo password=t0ken", more="\tuseHttpPath = true\n")
    assert isinstance(kept(seal, parse_server_url("https://ci.example.test")), Token)
    assert "path=" not in asked.read_text()


def test_a_password_with_an_equals_sign_is_whole(seal: dict[str, str], helper: Helper) -> None:
    helper("echo username=ann; echo password=a=b==")
    assert kept(seal) == Token("a=b==", "git's credential helpers")


def test_a_password_is_not_cut_where_python_ends_a_line(seal: dict[str, str], helper: Helper) -> None:
    helper("echo username=ann; printf 'password=t0ken\\302\\205rest\\n'")
    with pytest.raises(CommandError, match="contains invalid characters"):
        kept(seal)


def test_the_words_of_a_helper_that_fails_are_the_reason(seal: dict[str, str], helper: Helper) -> None:
    helper("echo 'helper: no session, run vault login' >&2; exit 3")
    found = kept(seal)
    assert isinstance(found, TokenNotFound)
    assert found.reason.endswith(": helper: no session, run vault login")
    assert not found.not_configured


def test_no_question_is_asked_even_where_a_prompt_is_set(seal: dict[str, str], helper: Helper, tmp_path: Path) -> None:
    """Neither the terminal nor any askpass program, from the environment or from git's settings."""
    prompted, program = tmp_path / "prompted", tmp_path / "askpass.sh"
    program.write_text(f'#!/bin/sh\ntouch "{prompted}"\necho typed\n')
    program.chmod(0o755)
    helper("exit 0", more=f"[core]\n\taskPass = {program}\n")
    asks = {"GIT_ASKPASS": str(program), "SSH_ASKPASS": str(program), "GIT_TERMINAL_PROMPT": "1", "DISPLAY": ":0"}
    found = kept({**seal, **asks})
    assert isinstance(found, TokenNotFound)
    assert "no credentials for https://ci.example.test:8443/ci" in found.reason
    assert "WOODPECKER_TOKEN" in found.hint
    assert not prompted.exists()


def test_a_helper_that_hangs_is_given_up(seal: dict[str, str], helper: Helper) -> None:
    """One that was waited for would have a token."""
    helper("sleep 20; echo username=alice; echo password=alice-token")
    found = read_token_from_git(CI, ProcessRunner(seal), token_page="/tokens", timeout=0.3)
    assert isinstance(found, TokenNotFound)
    assert "no response within 0.3 s" in found.reason


def test_a_source_that_did_not_answer_once_is_neither_asked_again_nor_waited_for() -> None:
    asked: list[int] = []

    def hangs() -> TokenNotFound:
        asked.append(1)
        return TokenNotFound("git's credential helpers", "no response within 10 s", unreachable=True)

    source = cache_source(hangs)
    said = [source() for _ in range(3)]
    assert [isinstance(one, TokenNotFound) and one.unreachable for one in said] == [True, False, False]
    assert asked == [1]


@pytest.mark.parametrize("script", ["exit 1", "echo quit=1", "echo garbage", "echo password=", "kill -9 $$"])
def test_a_helper_that_fails_has_nothing(seal: dict[str, str], helper: Helper, script: str) -> None:
    helper(script)
    assert isinstance(kept(seal), TokenNotFound)


def test_without_git_there_is_no_helper(seal: dict[str, str]) -> None:
    found = kept({**seal, "PATH": "/nowhere"})
    assert isinstance(found, TokenNotFound)
    assert "not installed" in found.reason


def test_a_helper_sees_none_of_our_tokens(seal: dict[str, str], helper: Helper, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    helper(f'env > "{seen}"; echo username=a; echo password=kept')
    ours = {"WOODPECKER_TOKEN": " ", "VAULT_TOKEN": "v-s3cret"}
    runtime = Runtime({**seal, **ours, "WOODPECKER_SERVER": "https://ci.example.test"}, tmp_path)
    assert runtime.token(runtime.config({})).value == "kept"
    assert "s3cret" not in seen.read_text()


def test_the_order_is_environment_then_vault_then_git(seal: dict[str, str], helper: Helper, tmp_path: Path) -> None:
    """Vault is named only where its address is known."""
    helper("echo username=a; echo password=kept")
    environ = {**seal, "WOODPECKER_SERVER": "https://ci.example.test"}

    def source(**more: str) -> str:
        runtime = Runtime({**environ, **more}, tmp_path)
        return runtime.token(runtime.config({})).source

    assert source(WP_TOKEN="t", VAULT_ADDR="http://127.0.0.1:1", VAULT_TOKEN="v") == "WP_TOKEN"
    assert source(VAULT_ADDR="http://127.0.0.1:1", VAULT_TOKEN="v") == "git's credential helpers"
    helper("exit 1")
    with pytest.raises(CommandError) as raised:
        source(VAULT_ADDR="http://127.0.0.1:1", VAULT_TOKEN="v")
    assert raised.value.message == (
        "cannot obtain the CI token now: Vault secret/ci/global at http://127.0.0.1:1: "
        "no response (Connection refused); no token in the environment or git's credential helpers"
    )
    with pytest.raises(CommandError) as raised:
        source()
    assert "Vault" not in raised.value.message


def test_a_found_token_is_redacted_from_then_on(seal: dict[str, str], helper: Helper, tmp_path: Path) -> None:
    helper("echo username=a; echo password=kept-s3cret")
    runtime = Runtime({**seal, "WOODPECKER_SERVER": "https://ci.example.test"}, tmp_path)
    runtime.token(runtime.config({}))
    assert runtime.redact("x kept-s3cret x") == "x *** x"
