"""Each setting comes from each of its sources, the stronger source wins, and a malformed one is named."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.config.address import ConnectTo, Dial, ServerUrl
from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.config.link_spec import parse_link
from homelab_hooks.config.pull_requests import MergeStyle, ProtectedTarget
from homelab_hooks.config.resolve import GitConfigEntry, SettingSources, resolve_config
from homelab_hooks.config.schema import SETTINGS, OutputMode, Setting, Strategy, Superseded, WhenBusy
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode


@dataclass(frozen=True)
class Sample:
    """Two good texts of a setting with what they mean, and texts that are malformed."""

    one: tuple[str, Any]
    two: tuple[str, Any]
    bad: tuple[str, ...] = ()


DURATION = Sample(("90s", 90.0), ("1h30m", 5400.0), ("soon", "-1", "1.5h", "2 minutes", "9" * 400))
NAME = ("--force", "a b", "a..b", "a:b", "x\x1b[2J")
SAMPLES = {
    "server": Sample(
        ("https://ci.example.test", ServerUrl("https", "ci.example.test", 443)),
        ("https://ci.example.test:8443/ci/", ServerUrl("https", "ci.example.test", 8443, "/ci")),
        ("ci.example.test", "ftp://ci.example.test", "https://", "https://a b.test", "https://h.test:99999",
         "https://h.test:0", "https://h.test/?q=1", "https://h\x01.test", "https://[::1", "https://u@h.test"),
    ),
    "dial": Sample(
        ("10.0.20.203", Dial("10.0.20.203")),
        ("[::1]:8443", Dial("::1", 8443)),
        ("ci.example.test", "10.0.20.203:0", "10.0.20.203:70000", "10.0.20.999", "[::1", ":443"),
    ),
    "ca_file": Sample(("/etc/ca.pem", Path("/etc/ca.pem")), ("ca.pem", Path("ca.pem"))),
    "repo": Sample(("acme/app", "acme/app"), ("/acme/app/", "acme/app"), ("app", "acme/", "acme//app", "acme/my app")),
    "remote": Sample(("forgejo", "forgejo"), ("team/up", "team/up"), NAME),
    "onto": Sample(("main", "main"), ("release/1.2", "release/1.2"), (*NAME, "a~1", "main.lock", "/main", "main/")),
    "verify": Sample(("make test", "make test"), ("tox -q", "tox -q")),
    "follow": Sample(
        ("mirror:github", (parse_link("mirror:github"),)),
        ("ci:manual@acme/app", (parse_link("ci:manual@acme/app"),)),
        ("github", "ci:", "ci:Push!", "mirror:", "mirror:-x", "status:origin", "deploy:shop", "live:shop.example.test",
         "live:https://ann:s3cret@shop.example.test", "run:", "live:https://shop.example.test#a..b"),
    ),
    "deploy": Sample(
        ("web/shop", ("web/shop",)), ("web/sts/db", ("web/sts/db",)), ("shop", "web/", "a/b/c/d", "-n/x", "web shop/x;")
    ),
    "image_proof": Sample(
        ("registry", ImageProof(ProofKind.REGISTRY)), ("label:commit", ImageProof(ProofKind.LABEL, "commit")),
        ("tags", "label:", "digest:sha256:12", "live:shop.example.test"),
    ),
    "workflow": Sample(("build", ("build",)), ("deploy", ("deploy",)), ("a\x07b", "a\x1b[2J")),
    "superseded": Sample(("follow", Superseded.FOLLOW), ("fail", Superseded.FAIL), ("never", "AUTO")),
    "strategy": Sample(("rebase", Strategy.REBASE), ("ff-only", Strategy.FF_ONLY), ("squash", "REBASE")),
    "when_busy": Sample(("wait", WhenBusy.WAIT), ("refuse", WhenBusy.REFUSE), ("later", "WAIT")),
    "protected": Sample(("merge", ProtectedTarget.MERGE), ("link", ProtectedTarget.LINK), ("always", "MERGE")),
    "merge_style": Sample(
        ("squash", MergeStyle.SQUASH), ("fast-forward", MergeStyle.FAST_FORWARD), ("octopus", "Merge")
    ),
    "forge_url": Sample(
        ("https://git.example.test", ServerUrl("https", "git.example.test", 443)),
        ("https://git.example.test:8443/git/", ServerUrl("https", "git.example.test", 8443, "/git")),
        ("git.example.test", "ftp://git.example.test", "https://ann:s3cret@git.example.test"),
    ),
    "connect_to": Sample(
        ("git.example.test=10.0.0.3", (ConnectTo("git.example.test", Dial("10.0.0.3")),)),
        ("git.example.test=[::1]:8443", (ConnectTo("git.example.test", Dial("::1", 8443)),)),
        ("10.0.0.3", "git.example.test", "git.example.test=other.example.test", "=10.0.0.3", "a/b=10.0.0.3"),
    ),
    "forge_ca_file": Sample(("/etc/f.pem", Path("/etc/f.pem")), ("f.pem", Path("f.pem"))),
    "timeout": DURATION,
    "appear_timeout": DURATION,
    "unreachable_timeout": DURATION,
    "rollout_timeout": DURATION,
    "settle": DURATION,
    "output": Sample(("json", OutputMode.JSON), ("plain", OutputMode.PLAIN), ("xml", "JSON")),
    "vault_addr": Sample(
        ("https://vault.example.test/", ServerUrl("https", "vault.example.test", 443)),
        ("http://127.0.0.1:8200", ServerUrl("http", "127.0.0.1", 8200)),
        ("vault.example.test", "https://vault.example.test:x"),
    ),
    "vault_namespace": Sample(("team", "team"), ("team/a", "team/a")),
    "vault_ca": Sample(("/etc/v.pem", Path("/etc/v.pem")), ("v.pem", Path("v.pem"))),
    "vault_path": Sample(
        ("kv/ci", "kv/ci"), ("/kv/ci/global/", "kv/ci/global"), ("kv", "kv/../sys", "kv//x", "kv/a?b")
    ),
    "vault_field": Sample(("token", "token"), ("ci-token", "ci-token")),
    "vault_dial": Sample(("127.0.0.1:8200", Dial("127.0.0.1", 8200)), ("::1", Dial("::1")), ("vault.example.test",)),
    "notify": Sample(("notify-send CI", "notify-send CI"), ("~/bin/tell me", "~/bin/tell me")),
    "notify_url": Sample(
        ("json://127.0.0.1:8080", ("json://127.0.0.1:8080",)), ("ntfy://topic", ("ntfy://topic",)), ("ntfy", "//topic", "a://")
    ),
    "notify_after": DURATION,
    "notes": Sample(("true", True), ("yes", True), ("maybe",)),
    "post_push": Sample(("off", "off"), ("background", "background"), ("sometimes",)),
}  # fmt: skip
EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True)
class SettingSource:
    """One source of one setting."""

    setting: Setting
    kind: str
    key: str
    scope: str = "local"
    at: str = field(default="")

    def __str__(self) -> str:
        return f"{self.setting.name}-{self.kind}-{self.key}"

    def give(self, text: str) -> SettingSources:
        """Sources in which only this one says something."""
        match self.kind:
            case "option":
                return SettingSources(options={self.setting.name: [text] if self.setting.is_list else text})
            case "environment":
                return SettingSources(environ={self.key: text})
            case "git config":
                return SettingSources(git=(GitConfigEntry(self.scope, self.key.lower(), text),))
            case _:
                return SettingSources(tracked={self.key: [text] if self.setting.is_list else text})

    @property
    def named(self) -> str:
        """How a message names it."""
        return {"option": f"option {self.key}", "git config": f"git config {self.key} ({self.scope})"}.get(
            self.kind, ".homelab.toml" if self.kind == "tracked" else f"environment {self.key}"
        )


def places() -> Iterator[SettingSource]:
    """Every source of every setting, the strongest first."""
    for setting in SETTINGS:
        if setting.option:
            yield SettingSource(setting, "option", setting.option)
        for name in setting.env:
            yield SettingSource(setting, "environment", name)
        if setting.git:
            yield SettingSource(setting, "git config", setting.git)
        if setting.tracked:
            yield SettingSource(setting, "tracked", setting.tracked)


def both(strong: SettingSources, weak: SettingSources) -> SettingSources:
    return SettingSources(
        options={**weak.options, **strong.options},
        environ={**weak.environ, **strong.environ},
        git=(*weak.git, *strong.git),
        tracked={**weak.tracked, **strong.tracked},
    )


PLACES = list(places())
PAIRS = [(a, b) for a, b in itertools.pairwise(PLACES) if a.setting is b.setting]


def value(setting: Setting, sources: SettingSources) -> Any:
    return getattr(resolve_config(sources), setting.name)


def test_every_setting_has_a_sample() -> None:
    assert set(SAMPLES) == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_setting_comes_from_each_of_its_sources(place: SettingSource) -> None:
    for text, meaning in (SAMPLES[place.setting.name].one, SAMPLES[place.setting.name].two):
        config = resolve_config(place.give(text))
        assert getattr(config, place.setting.name) == meaning
        assert config.source(place.setting.name) == place.named


@pytest.mark.parametrize(("strong", "weak"), PAIRS, ids=str)
def test_the_stronger_source_wins(strong: SettingSource, weak: SettingSource) -> None:
    sample = SAMPLES[strong.setting.name]
    config = resolve_config(both(strong.give(sample.one[0]), weak.give(sample.two[0])))
    assert getattr(config, strong.setting.name) == sample.one[1]
    assert config.source(strong.setting.name) == strong.named


@pytest.mark.parametrize(("strong", "weak"), [pair for pair in PAIRS if pair[0].kind != "option"], ids=str)
def test_an_empty_source_counts_as_unset(strong: SettingSource, weak: SettingSource) -> None:
    sample = SAMPLES[strong.setting.name]
    config = resolve_config(both(strong.give(" "), weak.give(sample.two[0])))
    assert getattr(config, strong.setting.name) == sample.two[1]


@pytest.mark.parametrize("place", [place for place in PLACES if place.kind == "option"], ids=str)
@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_option_is_refused(place: SettingSource, text: str) -> None:
    with pytest.raises(CommandError, match=f"{place.key} is empty") as raised:
        resolve_config(place.give(text))
    assert raised.value.exit is ExitCode.USAGE


@pytest.mark.parametrize("place", [place for place in PLACES if SAMPLES[place.setting.name].bad], ids=str)
def test_a_malformed_value_is_a_usage_error_that_names_setting_and_source(place: SettingSource) -> None:
    for text in SAMPLES[place.setting.name].bad:
        with pytest.raises(CommandError) as raised:
            resolve_config(place.give(text))
        said = raised.value
        assert said.exit is ExitCode.USAGE, text
        assert place.key in said.message
        assert said.hint, text


def test_a_setting_that_is_not_given_has_its_default() -> None:
    config = resolve_config(SettingSources())
    assert (config.server, config.dial, config.ca_file, config.vault_dial) == (None, None, None, None)
    assert (config.repo, config.remote, config.onto, config.verify, config.deploy) == ("", "", "", "", ())
    assert (config.timeout, config.appear_timeout, config.unreachable_timeout) == (3600.0, 120.0, 180.0)
    assert (config.rollout_timeout, config.settle, config.output) == (900.0, 5.0, OutputMode.AUTO)
    assert (config.vault_path, config.vault_field) == ("secret/ci/global", "woodpecker_api_token")
    assert {found.source for found in config.values} == {"default"}


def test_a_zero_is_a_valid_duration() -> None:
    assert resolve_config(SettingSources(environ={"HOMELAB_SETTLE": "0"})).settle == 0.0


def test_the_server_of_woodpecker_clis_context_is_the_last_resort() -> None:
    known = SettingSources(woodpecker_cli_server="https://old.example.test")
    assert str(resolve_config(known).server) == "https://old.example.test"
    assert resolve_config(known).source("server") == "woodpecker-cli's current context"
    git = SettingSources(
        woodpecker_cli_server="https://old.example.test",
        git=(GitConfigEntry("global", "homelab.ciserver", "https://a.b"),),
    )
    assert str(resolve_config(git).server) == "https://a.b"
    with pytest.raises(CommandError, match="woodpecker-cli's current context"):
        resolve_config(SettingSources(woodpecker_cli_server="ftp://x"))


def test_several_targets_come_from_each_source() -> None:
    """Spaces in the environment, several entries in git, a list in the file, a repeated option."""
    two = ("web/shop", "web/sts/db")
    given = [
        SettingSources(options={"deploy": list(two)}),
        SettingSources(environ={"HOMELAB_DEPLOY": " web/shop  web/sts/db "}),
        SettingSources(
            git=(GitConfigEntry("global", "homelab.deploy", two[0]), GitConfigEntry("local", "homelab.deploy", two[1]))
        ),
        SettingSources(tracked={"deploy": list(two)}),
    ]
    assert [resolve_config(sources).deploy for sources in given] == [two] * 4
    assert resolve_config(SettingSources(tracked={"deploy": "web/shop"})).deploy == ("web/shop",)


def test_one_empty_target_among_several_options_is_refused() -> None:
    with pytest.raises(CommandError, match="--deploy is empty"):
        resolve_config(SettingSources(options={"deploy": ["web/shop", ""]}))


def test_a_list_whose_elements_may_have_spaces_is_split_at_newlines_if_there_are_any() -> None:
    def follow(text: str) -> list[str]:
        return [link.name for link in resolve_config(SettingSources(environ={"HOMELAB_FOLLOW": text})).follow]

    assert follow("ci deploy:web/shop") == ["ci", "deploy:web/shop"]
    assert follow("ci\nrun:make smoke now\n") == ["ci", "run:make smoke now"]
    assert follow("run:make smoke\n") == ["run:make smoke"]


def test_a_tracked_file_cannot_name_a_command_to_run_after_the_push() -> None:
    with pytest.raises(CommandError, match="cannot name a command") as raised:
        resolve_config(SettingSources(tracked={"follow": ["ci", "run:make smoke"]}))
    assert raised.value.exit is ExitCode.USAGE
    assert resolve_config(SettingSources(environ={"HOMELAB_FOLLOW": "run:make"})).follow[0].command == "make"


NOT_TEXT: tuple[object, ...] = (
    7, -1, 0, 1.5, True, False, ["main", 7], [["main"]], [True], {}, {"name": "main"}, [{"name": "main"}],
    date(2026, 1, 1), float("nan"),
)  # fmt: skip
TRACKED_KEYS = [setting.tracked for setting in SETTINGS if setting.tracked]


def is_valid(key: str, raw: object) -> bool:
    """Whether the tracked file may set a key to a value that is not a text: a duration to an integer."""
    duration = key == "timeout" or key.endswith("-timeout") or key == "settle"
    return duration and type(raw) is int and raw >= 0


@pytest.mark.parametrize("key", TRACKED_KEYS)
def test_a_value_of_another_type_in_the_tracked_file_is_malformed(key: str) -> None:
    for raw in NOT_TEXT:
        if is_valid(key, raw):
            continue
        with pytest.raises(CommandError) as raised:
            resolve_config(SettingSources(tracked={key: raw}))
        assert raised.value.exit is ExitCode.USAGE, raw
        assert key in raised.value.message
        assert ".homelab.toml" in raised.value.message


@pytest.mark.parametrize("key", [key for key in TRACKED_KEYS if is_valid(key, 7)])
def test_an_integer_in_the_tracked_file_is_a_duration_in_seconds(key: str) -> None:
    assert getattr(resolve_config(SettingSources(tracked={key: 7})), key.replace("-", "_")) == 7.0


@pytest.mark.parametrize(("key", "text"), [("target", "a..b"), ("repo", "app"), ("timeout", "soon"), ("deploy", "x")])
def test_a_text_in_the_tracked_file_that_cannot_be_read_is_named_with_its_key(key: str, text: str) -> None:
    with pytest.raises(CommandError, match=f"invalid value '{text}' for {key} in .homelab.toml"):
        resolve_config(SettingSources(tracked={key: text}))


def test_a_stronger_source_spares_the_reading_of_a_weaker_one() -> None:
    tracked: dict[str, object] = {"timeout": {"min": 1}}
    assert resolve_config(SettingSources(options={"timeout": "5"}, tracked=tracked)).timeout == 5.0


FORBIDDEN = {
    "server", "dial", "ca-file", "token", "vault-addr", "vault-path", "vault-field", "vault-dial", "remote",
    "unreachable-timeout", "output", "post-push", "nonsense", "forge-url", "connect-to", "forge-ca-file",
}  # fmt: skip


@pytest.mark.parametrize("key", sorted(FORBIDDEN))
def test_what_a_tracked_file_may_not_say_is_ignored_and_named(key: str) -> None:
    config = resolve_config(SettingSources(tracked={key: "https://evil.example.test"}))
    assert {found.source for found in config.values} == {"default"}
    assert len(config.warnings) == 1
    assert f"ignoring `{key}` in .homelab.toml" in config.warnings[0].text


def test_a_whole_table_in_the_tracked_file_is_named_too() -> None:
    assert (
        "ci" in resolve_config(SettingSources(tracked={"ci": {"server": "https://evil.example.test"}})).warnings[0].text
    )


def test_a_tracked_file_may_set_exactly_the_documented_settings() -> None:
    assert {setting.tracked for setting in SETTINGS if setting.tracked} == {
        "repo", "target", "strategy", "verify", "follow", "workflow", "superseded", "when-busy", "protected",
        "merge-style", "deploy", "timeout", "appear-timeout", "rollout-timeout", "settle", "image-proof",
    }  # fmt: skip


def test_a_password_in_a_malformed_url_is_not_shown() -> None:
    for text in ("https://bob:s3cret@ci.example.test", "https://bob:s3@cret@ci.example.test"):
        with pytest.raises(CommandError) as raised:
            resolve_config(SettingSources(environ={"WOODPECKER_SERVER": text}))
        assert "cret" not in raised.value.message + raised.value.hint


CLEAR = [
    ("http://ci.example.test", True),
    ("http://127.evil.example.test", True),
    ("http://10.0.0.1", True),
    ("http://localhost.example.test", True),
    ("http://localhost:8000", False),
    ("http://127.0.0.1:8000", False),
    ("http://127.8.9.1", False),
    ("http://[::1]:8000", False),
    ("https://ci.example.test", False),
]


@pytest.mark.parametrize(("url", "refused"), CLEAR)
@pytest.mark.parametrize("variable", ["WOODPECKER_SERVER", "VAULT_ADDR"])
def test_http_is_only_for_this_machine(url: str, variable: str, *, refused: bool) -> None:
    environ = {variable: url}
    if not refused:
        resolve_config(SettingSources(environ=environ))
        return
    with pytest.raises(CommandError, match="unencrypted") as raised:
        resolve_config(SettingSources(environ=environ))
    assert variable in raised.value.message
    resolve_config(SettingSources(environ={**environ, "HOMELAB_ALLOW_HTTP": "1"}))


@pytest.mark.parametrize(
    ("server", "dial"), [("WOODPECKER_SERVER", "HOMELAB_CI_DIAL"), ("VAULT_ADDR", "HOMELAB_VAULT_DIAL")]
)
def test_a_dial_to_another_machine_makes_loopback_http_no_safer(server: str, dial: str) -> None:
    with pytest.raises(CommandError, match="unencrypted"):
        resolve_config(SettingSources(environ={server: "http://localhost", dial: "10.0.20.203"}))
    resolve_config(SettingSources(environ={server: "http://localhost", dial: "127.0.0.1:8000"}))
