"""Where a remote's forge is: which setting takes precedence, and what a push URL says."""

from __future__ import annotations

import pytest

from homelab_hooks.app.forge_setup import strip_forge_path
from homelab_hooks.config.address import ServerUrl, parse_server_url
from homelab_hooks.config.remote_forge import ForgeKind, RemoteForge, read_remote_forges
from homelab_hooks.config.resolve import GitConfigEntry, SettingSources, resolve_config, resolve_config_leniently
from homelab_hooks.forge.place import ForgePlace, NamedUrl, OriginBasis, RemoteHost, find_forge_place

OWN = RemoteForge("origin", parse_server_url("https://own.example.test"), url_source="git config ...")
PLAIN = RemoteForge("origin")
UNSET = NamedUrl(None, "default")
HOST = RemoteHost("git.example.test")


def place(named: NamedUrl = UNSET, own: RemoteForge = PLAIN, host: RemoteHost | None = HOST) -> str:
    found = find_forge_place(named, own, host, is_landing_remote=True)
    return f"{found.url} {found.basis.name}" if found else ""


def named(source: str) -> NamedUrl:
    return NamedUrl(parse_server_url("https://named.example.test"), source)


@pytest.mark.parametrize(
    ("source", "host"),
    [
        ("option --forge-url", "named"),
        ("environment HOMELAB_FORGE_URL", "named"),
        ("git config homelab.forgeUrl (global)", "own"),
    ],
)
def test_within_git_config_the_key_of_the_remote_takes_precedence(source: str, host: str) -> None:
    assert place(named(source), OWN) == f"https://{host}.example.test NAMED"
    assert place(named(source)) == "https://named.example.test NAMED"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        (RemoteHost("git.example.test", "ssh", 2222), "https://git.example.test"),
        (RemoteHost("git.example.test", "https", 8443), "https://git.example.test:8443"),
        (RemoteHost("127.0.0.1", "http", 3000), "http://127.0.0.1:3000"),
        (RemoteHost("::1", "http", 3000), "http://[::1]:3000"),
        (RemoteHost("git.example.test", "git", 9418), "https://git.example.test"),
        (RemoteHost("ssh.github.com", "ssh", 443), "https://github.com"),
    ],
)
def test_a_push_url_names_the_host_and_a_web_url_the_port(host: RemoteHost, url: str) -> None:
    """The port of ssh is not that of the API."""
    assert place(host=host) == f"{url} LANDING_REMOTE"


def test_requests_for_github_com_are_sent_to_its_api_host() -> None:
    found = find_forge_place(UNSET, RemoteForge("mirror"), RemoteHost("github.com"), is_landing_remote=False)
    assert isinstance(found, ForgePlace)
    assert (str(found.api_server), found.kind, found.basis) == (
        "https://api.github.com", ForgeKind.GITHUB, OriginBasis.DETECTED,
    )  # fmt: skip


def test_a_host_that_only_begins_like_github_com_is_not_github_com() -> None:
    for host in ("github.com.example.test", "notgithub.com", "api.github.com.example.test"):
        found = find_forge_place(UNSET, RemoteForge("origin"), RemoteHost(host), is_landing_remote=True)
        assert found is not None
        assert (found.is_github_com, found.api_server.host) == (False, host)


def test_a_remote_without_a_host_has_no_forge() -> None:
    assert place(host=None) == ""


def entries(*pairs: tuple[str, str]) -> tuple[GitConfigEntry, ...]:
    return tuple(GitConfigEntry("local", key, value) for key, value in pairs)


def test_the_settings_of_a_remote_are_read_as_git_prints_them() -> None:
    """Git prints section and key in lower case; a remote's name keeps its case and may contain dots."""
    found, problems = read_remote_forges(
        entries(
            ("homelab.My.Fork.forgeurl", "https://old.example.test"),
            ("homelab.My.Fork.forgeurl", "https://git.example.test/git/"),
            ("homelab.My.Fork.forgekind", "Forgejo"),
            ("homelab.forgeurl", "https://all.example.test"),
            ("other.x.forgeurl", "nonsense"),
        )
    )
    assert problems == ()
    (one,) = found
    assert (one.remote, str(one.url), one.kind) == ("My.Fork", "https://git.example.test/git", ForgeKind.FORGEJO)
    assert one.url_source == "git config homelab.My.Fork.forgeUrl (local)"


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("homelab.origin.forgeurl", "git.example.test", "https://"),
        ("homelab.origin.forgekind", "gitlab", "gitea, forgejo, github"),
    ],
)
def test_a_malformed_value_names_the_setting_and_its_scope(key: str, value: str, hint: str) -> None:
    config, problems = resolve_config_leniently(SettingSources(git=entries((key, value))))
    (problem,) = problems
    assert "homelab.origin.forge" in problem.message
    assert "(git config, local)" in problem.message
    assert hint in problem.hint
    assert config.remote_forges == ()


def test_the_setting_for_all_remotes_is_resolved_with_the_others() -> None:
    config = resolve_config(SettingSources(git=entries(("homelab.forgeurl", "https://git.example.test"))))
    assert config.forge_url == ServerUrl("https", "git.example.test", 443)
    assert config.source("forge_url") == "git config homelab.forgeUrl (local)"


@pytest.mark.parametrize(
    ("full_name", "repo"), [("git/acme/app", "acme/app"), ("acme/app", "acme/app"), ("git/app", "git/app")]
)
def test_a_forge_below_a_path_has_the_path_in_its_repositories_urls(full_name: str, repo: str) -> None:
    """Over ssh, the path is missing; an owner may be called like the path."""
    below = ForgePlace(parse_server_url("https://example.test/git"), OriginBasis.NAMED, "option --forge-url")
    assert strip_forge_path(full_name, below) == repo
