"""The real sources: git's own scopes, the tracked file, woodpecker-cli's files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from homelab_hooks.app.runtime import Runtime
from homelab_hooks.config.files import (
    MAX_CA_FILE_BYTES,
    MAX_FILE_BYTES,
    MAX_LINE_DOTS,
    MAX_TRACKED_FILE_BYTES,
    parse_tracked_settings,
    read_bounded_file,
)
from homelab_hooks.config.resolve import Config
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories

Resolved = Callable[..., Config]


@pytest.fixture
def clone(workshop: ScratchRepositories) -> Clone:
    return workshop.clone("work")


@pytest.fixture
def config(seal: dict[str, str], clone: Clone) -> Resolved:
    """`config(at=, **environ)`: the effective settings in the clone, or elsewhere."""

    def one(at: Path | None = None, **environ: str) -> Config:
        return Runtime({**seal, **environ}, at or clone.path).config({})

    return one


def test_gits_scopes_win_in_gits_own_order(
    seal: dict[str, str], clone: Clone, config: Resolved, tmp_path: Path
) -> None:
    system = tmp_path / "system"
    clone.git("config", "extensions.worktreeConfig", "true")
    scopes = [
        ("system", ["--file", str(system)]),
        ("global", ["--global"]),
        ("local", []),
        ("worktree", ["--worktree"]),
    ]
    for scope, where in scopes:
        clone.git("config", *where, "homelab.ciServer", f"https://{scope}.example.test")
        found = config(GIT_CONFIG_NOSYSTEM="0", GIT_CONFIG_SYSTEM=str(system))
        assert str(found.server) == f"https://{scope}.example.test"
        assert found.source("server") == f"git config homelab.ciServer ({scope})"
    assert seal["GIT_CONFIG_NOSYSTEM"] == "1"


def test_gits_keys_are_read_whatever_their_case_and_from_included_files(clone: Clone, config: Resolved) -> None:
    extra = clone.write(".git/extra", "[HOMELAB]\n\tCiDial = 10.0.20.203\n")
    clone.git("config", "include.path", str(extra))
    assert str(config().dial) == "10.0.20.203"


def test_an_empty_entry_of_git_is_unset(clone: Clone, config: Resolved) -> None:
    clone.git("config", "homelab.timeout", "")
    assert config().timeout == 3600.0


def test_an_entry_without_a_value_is_malformed(clone: Clone, config: Resolved) -> None:
    with (clone.path / ".git" / "config").open("a") as file:
        file.write("[homelab]\n\ttimeout\n")
    with pytest.raises(CommandError, match=r"homelab.timeout \(git config, local\)"):
        config()


def test_the_variable_wins_over_git_and_git_over_the_tracked_file(clone: Clone, config: Resolved) -> None:
    clone.write(".homelab.toml", 'target = "tracked"\ntimeout = 7\n')
    assert (config().onto, config().timeout) == ("tracked", 7.0)
    clone.git("config", "homelab.target", "configured")
    assert config().onto == "configured"
    assert config(HOMELAB_TARGET="given").onto == "given"
    assert config(HOMELAB_TARGET="").onto == "configured"


def test_the_tracked_file_is_found_from_a_folder_below(clone: Clone, config: Resolved) -> None:
    clone.write(".homelab.toml", 'repo = "acme/app"\n')
    below = clone.write("a/b/c", "x").parent
    assert config(below).repo == "acme/app"


def test_a_malformed_tracked_file_is_a_usage_error_that_names_it(clone: Clone, config: Resolved) -> None:
    clone.write(".homelab.toml", "repo = \n")
    with pytest.raises(CommandError, match=r"\.homelab\.toml is malformed") as raised:
        config()
    assert raised.value.exit is ExitCode.USAGE


def test_a_tracked_file_that_is_not_text_is_malformed_and_not_overlooked(clone: Clone, config: Resolved) -> None:
    (clone.path / ".homelab.toml").write_bytes(b'target = "\xff"\n')
    with pytest.raises(CommandError, match=r"\.homelab\.toml is malformed"):
        config()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"#" * (MAX_TRACKED_FILE_BYTES + 1), "larger than 65536 bytes"),
        (b"\n" + b"a." * (MAX_LINE_DOTS + 1) + b"b = 1", "line 2 has more than 1000 dots"),
        (b"a = {" + b"a." * (MAX_LINE_DOTS + 1) + b"b = 1}", "line 1 has more than 1000 dots"),
    ],
)
def test_a_tracked_file_that_would_take_too_much_is_malformed(content: bytes, problem: str) -> None:
    """A key of 100,000 parts takes tomllib gigabytes."""
    with pytest.raises(CommandError, match=rf"\.homelab\.toml is malformed: {problem}"):
        parse_tracked_settings(content)


@pytest.mark.parametrize("content", [b"#" * MAX_TRACKED_FILE_BYTES, b"a." * MAX_LINE_DOTS + b"b = 1"])
def test_a_tracked_file_at_its_limits_is_read(content: bytes) -> None:
    assert parse_tracked_settings(content).keys() <= {"a"}


def test_a_tracked_file_cannot_name_the_server(clone: Clone, config: Resolved) -> None:
    clone.write(".homelab.toml", 'server = "https://evil.example.test"\nvault-addr = "https://evil.example.test"\n')
    found = config()
    assert (found.server, found.vault_addr) == (None, None)
    assert ["server" in found.warnings[0].text, "vault-addr" in found.warnings[1].text] == [True, True]


def test_outside_a_repository_the_users_own_settings_still_hold(
    seal: dict[str, str], config: Resolved, tmp_path: Path
) -> None:
    Path(seal["GIT_CONFIG_GLOBAL"]).write_text("[homelab]\n\tciServer = https://ci.example.test\n")
    assert str(config(tmp_path).server) == "https://ci.example.test"


def woodpecker_cli(seal: dict[str, str], name: str, content: object) -> None:
    path = Path(seal["XDG_CONFIG_HOME"]) / "woodpecker" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def contexts(current: str) -> object:
    both = {name: {"name": name, "server_url": f"https://{name}.example.test"} for name in ("prod", "test")}
    return {"current_context": current, "contexts": both}


def test_woodpecker_clis_current_context_names_the_server(seal: dict[str, str], config: Resolved) -> None:
    woodpecker_cli(seal, "config.json", {"server_url": "https://legacy.example.test"})
    assert str(config().server) == "https://legacy.example.test"
    woodpecker_cli(seal, "contexts.json", contexts("test"))
    assert str(config().server) == "https://test.example.test"


def test_the_context_is_found_without_xdg_too(seal: dict[str, str], config: Resolved) -> None:
    woodpecker_cli(seal, "contexts.json", contexts("prod"))
    assert str(config(XDG_CONFIG_HOME="").server) == "https://prod.example.test"


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", {"contexts": []}, {"contexts": {"a": 1}, "current_context": "a"}, contexts("gone"),
     {"contexts": None, "current_context": None}, {"current_context": ["a"], "contexts": {}},
     {"contexts": {"a": {"server_url": 5}}, "current_context": "a"}],
    ids=str,
)  # fmt: skip
def test_a_broken_context_file_is_as_good_as_none(seal: dict[str, str], config: Resolved, content: object) -> None:
    woodpecker_cli(seal, "contexts.json", content)
    assert config().server is None


def test_a_trust_anchor_that_is_not_a_file_is_named_with_its_source(seal: dict[str, str], clone: Clone) -> None:
    environ = {"SSL_CERT_FILE": "/nowhere/ca.pem", "WOODPECKER_SERVER": "https://ci.example.test", "WP_TOKEN": "t"}
    runtime = Runtime({**seal, **environ}, clone.path)
    with pytest.raises(CommandError, match=r"/nowhere/ca\.pem from environment SSL_CERT_FILE") as raised:
        runtime.ci_provider(runtime.config({}))
    assert raised.value.exit is ExitCode.USAGE


def test_no_more_of_a_tracked_file_is_read_than_a_person_would_write(tmp_path: Path) -> None:
    large = tmp_path / "Makefile"
    large.write_bytes(b"#" * (MAX_FILE_BYTES + 9))
    assert len(read_bounded_file(large)) == MAX_FILE_BYTES


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WOODPECKER_SERVER", "https://xn--a"),
        ("WOODPECKER_SERVER", "https://ci.xn--99999999.test"),
        ("WOODPECKER_SERVER", "https://\U0001f600.example.test"),
        ("WOODPECKER_SERVER", "https://xn--e28h.example.test"),
        ("VAULT_ADDR", "https://vault..example.test"),
        ("VAULT_ADDR", f"https://{'v' * 64}.example.test"),
        ("WOODPECKER_SERVER", f"https://{'.'.join(['label'] * 43)}"),
        ("VAULT_NAMESPACE", "t\u00eb\u00e4m"),
        ("VAULT_NAMESPACE", "admin\nteam"),
        ("VAULT_NAMESPACE", "admin team"),
        ("SSL_CERT_FILE", "~no-such-user-of-this-machine/ca.pem"),
    ],
)
def test_a_name_that_does_not_exist_is_a_usage_error(config: Resolved, name: str, value: str) -> None:
    """Each was an internal error, or was retried until the timeout."""
    with pytest.raises(CommandError) as caught:
        config(**{name: value})
    assert (caught.value.exit, name in caught.value.message) == (ExitCode.USAGE, True)


@pytest.mark.parametrize("host", [f"{'a' * 63}.example.test", "xn--bcher-kva.example.test", "a_b.example.test"])
def test_a_name_at_its_limits_is_a_server(config: Resolved, host: str) -> None:
    assert str(config(WOODPECKER_SERVER=f"https://{host}").server) == f"https://{host}"


@dataclass(frozen=True)
class OddFile:
    """What a setting may name by mistake, and the reason that is reported."""

    make: Callable[[Path], object]
    reason: str


ODD_FILES = {
    "pipe": OddFile(os.mkfifo, "not a regular file"),
    "device": OddFile(lambda path: path.symlink_to("/dev/null"), "not a regular file"),
    "directory": OddFile(Path.mkdir, "is a directory"),
}
NO_BUNDLES = {
    **ODD_FILES,
    "key": OddFile(lambda path: path.write_text("-----BEGIN PRIVATE KEY-----\n"), "contains no certificate"),
    "empty": OddFile(Path.touch, "contains no certificate"),
    "huge": OddFile(lambda path: path.write_bytes(b"#" * (MAX_CA_FILE_BYTES + 1)), "larger than"),
}


@pytest.fixture
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """The file of a row, and the reason."""
    row: OddFile = request.param
    row.make(tmp_path / "odd")
    return tmp_path / "odd", row.reason


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "VAULT_CACERT"])
@pytest.mark.parametrize("odd", NO_BUNDLES.values(), ids=NO_BUNDLES, indirect=True)
def test_a_file_that_is_not_a_bundle_is_refused_by_the_setting_that_names_it(
    seal: dict[str, str], clone: Clone, odd: tuple[Path, str], variable: str
) -> None:
    """A pipe was waited for without end."""
    path, reason = odd
    environ = {"WOODPECKER_SERVER": "https://ci.example.test", "VAULT_ADDR": "https://vault.example.test"}
    runtime = Runtime({**seal, **environ, "VAULT_TOKEN": "t", variable: str(path)}, clone.path)
    with pytest.raises(CommandError, match=reason) as caught:
        runtime.ci_provider(runtime.config({}))
    assert caught.value.exit is ExitCode.USAGE
    assert f"{path} from environment {variable}" in caught.value.message
    assert f"set environment {variable} to a PEM file" in caught.value.hint


@pytest.mark.parametrize("odd", ODD_FILES.values(), ids=ODD_FILES, indirect=True)
def test_a_vault_token_file_that_cannot_be_read_says_why(
    seal: dict[str, str], clone: Clone, odd: tuple[Path, str]
) -> None:
    path, reason = odd
    path.rename(Path(seal["HOME"], ".vault-token"))
    environ = {"WOODPECKER_SERVER": "https://ci.example.test", "VAULT_ADDR": "https://vault.example.test"}
    runtime = Runtime({**seal, **environ}, clone.path)
    with pytest.raises(CommandError, match=f"cannot read ~/.vault-token: {reason}") as caught:
        runtime.token(runtime.config({}))
    assert caught.value.exit is ExitCode.DENIED


@pytest.mark.parametrize("odd", ODD_FILES.values(), ids=ODD_FILES, indirect=True)
@pytest.mark.parametrize("name", ["contexts.json", "config.json"])
def test_a_context_that_is_not_a_file_names_no_server(
    seal: dict[str, str], config: Resolved, odd: tuple[Path, str], name: str
) -> None:
    folder = Path(seal["HOME"], ".config", "woodpecker")
    folder.mkdir(parents=True)
    odd[0].rename(folder / name)
    assert config(XDG_CONFIG_HOME=str(folder.parent)).server is None
