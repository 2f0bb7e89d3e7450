"""Which owner/name a remote's URL says, and which remote is meant."""

from __future__ import annotations

import pytest

from homelab_hooks.errors import CommandError
from homelab_hooks.git.remote_url import NoRepoName, RepoAddress, format_remote_url, parse_remote_url
from homelab_hooks.git.remotes import choose_remote

NAMED = [
    # scp form, any user
    ("git@github.com:owner/repo", "github.com", None, "owner/repo"),
    ("git@github.com:owner/repo.git", "github.com", None, "owner/repo"),
    ("github.com:owner/repo", "github.com", None, "owner/repo"),
    ("org-1@h:o/r", "h", None, "o/r"),
    ("git@h:/owner/repo.git", "h", None, "owner/repo"),
    # a slash at the end goes first, then one .git
    ("git@h:owner/repo.git/", "h", None, "owner/repo"),
    ("ssh://git@h/owner/repo.git/", "h", None, "owner/repo"),
    ("https://h/owner/repo.git/", "h", None, "owner/repo"),
    ("https://h/owner/repo/", "h", None, "owner/repo"),
    ("git@h:owner/repo.git.git", "h", None, "owner/repo.git"),
    # IPv6
    ("git@[::1]:o/r", "::1", None, "o/r"),
    ("[::1]:o/r", "::1", None, "o/r"),
    ("ssh://git@[fe80::1]:22/o/r", "fe80::1", 22, "o/r"),
    # ports
    ("[git@h:2222]:o/r", "h", 2222, "o/r"),
    ("git@h:22/owner/repo", "h", None, "22/owner/repo"),
    ("ssh://git@h:2222/o/r", "h", 2222, "o/r"),
    ("git+ssh://git@h:2222/o/r", "h", 2222, "o/r"),
    ("ssh+git://git@h:2222/o/r", "h", 2222, "o/r"),
    ("https://user:tok@h:8443/o/r.git", "h", 8443, "o/r"),
    # home directories are names on sr.ht only
    ("ssh://git@git.sr.ht/~user/repo", "git.sr.ht", None, "~user/repo"),
    # nested groups
    ("https://gitlab.example.test/g/sg/sg2/repo", "gitlab.example.test", None, "g/sg/sg2/repo"),
    # what URLs may carry
    ("https://h/o/r?query#frag", "h", None, "o/r"),
    ("https://h//o//r", "h", None, "o/r"),
    ("https://h/my%20org/r", "h", None, "my org/r"),
    ("git://h/o/r", "h", None, "o/r"),
    ("http://h/o/r.git", "h", None, "o/r"),
    # Azure
    ("git@ssh.dev.azure.com:v3/org/proj/repo", "ssh.dev.azure.com", None, "org/proj/repo"),
    ("https://dev.azure.com/org/proj/_git/repo", "dev.azure.com", None, "org/proj/repo"),
]

NAMELESS = [
    ("ssh://h/~user/repo", "home directory"),
    ("h:~/repo", "home directory"),
    ("h:~user/repo", "home directory"),
    ("file:///srv/o/r.git", "local path"),
    ("/srv/o/r.git", "local path"),
    ("../o/r", "local path"),
    ("./repo", "local path"),
    ("repo", "local path"),
    ("C:\\work\\o\\r", "local path"),
    ("C:/work/o/r", "local path"),
    ("\\\\srv\\o\\r", "local path"),
    ("./a:b", "local path"),
    ("h:repo.git", "no owner"),
    ("git@h:repo.git", "no owner"),
    ("ssh://git@h/repo.git", "no owner"),
    ("https://gist.example.test/0123abcd.git", "no owner"),
    ("codecommit::eu-west-1://repo", "remote helper"),
    ("ext::sh -c x", "remote helper"),
    ("https://h/o/r.wiki.git", "wiki"),
    ("git@h:o/../r", "contains . or .."),
    ("https://h/o/a%2Fb", "encoded slash"),
    ("https://h:port/o/r", "not a valid URL"),
    ("https://[::1/o/r", "not a valid URL"),
    ("ftp://h/o/r", "not the URL of a forge"),
    ("", "local path"),
]


@pytest.mark.parametrize(("url", "host", "port", "full"), NAMED, ids=[row[0] for row in NAMED])
def test_defect_39_a_url_says_its_host_and_owner_and_name(url: str, host: str, port: int | None, full: str) -> None:
    """Defect 39: `repo.git/` kept its end, nested groups were cut, and queries, ports and IPv6 went wrong."""
    found = parse_remote_url(url)
    assert isinstance(found, RepoAddress)
    assert (found.host, found.port, found.full_name) == (host, port, full)


@pytest.mark.parametrize(("url", "why"), NAMELESS, ids=[row[0] or "empty" for row in NAMELESS])
def test_defect_39_a_url_that_says_no_owner_is_not_guessed_at(url: str, why: str) -> None:
    """Defect 39: `git@host:repo` had the owner `git@host`, and a folder's name was taken for an owner."""
    found = parse_remote_url(url)
    assert isinstance(found, NoRepoName)
    assert why in found.reason


def test_a_number_after_the_colon_is_a_directory_and_looks_like_a_slip() -> None:
    found = parse_remote_url("git@h:22/owner/repo")
    assert isinstance(found, RepoAddress)
    assert "for a port" in found.note


def test_a_shown_url_has_no_user_part_and_no_escape_sequence() -> None:
    assert format_remote_url("https://bob:s3cret@h/o/r\x1b[2J") == "https://h/o/r"


@pytest.mark.parametrize(
    ("names", "told", "meant"),
    [
        (["a", "origin", "forgejo"], {"wanted": "a", "push_remote": "origin"}, "a"),
        (["a", "origin", "forgejo"], {"push_remote": "a", "push_default": "origin"}, "a"),
        (["a", "origin", "forgejo"], {"push_default": "a"}, "a"),
        (["a", "origin", "forgejo"], {}, "forgejo"),
        (["a", "origin"], {}, "origin"),
        (["a"], {}, "a"),
        (["origin"], {"push_remote": "https://h/o/r"}, "https://h/o/r"),
        (["origin"], {"wanted": "git@h:o/r"}, "git@h:o/r"),
    ],
)
def test_the_remote_is_chosen_in_the_documented_order(names: list[str], told: dict[str, str], meant: str) -> None:
    assert choose_remote(names, **told).name == meant


@pytest.mark.parametrize(
    ("names", "told", "what", "hint"),
    [
        (["b", "a"], {}, "there are: a, b", "--remote"),
        ([], {}, "no remote", "git remote add"),
        (["origin"], {"wanted": "orgin"}, "no remote orgin", "existing remote: origin"),
        (["origin"], {"push_default": "gone"}, "remote.pushDefault", "existing remote: origin"),
    ],
)
def test_a_remote_that_cannot_be_determined_is_a_problem_that_lists_them(
    names: list[str], told: dict[str, str], what: str, hint: str
) -> None:
    with pytest.raises(CommandError) as caught:
        choose_remote(names, **told)
    assert what in caught.value.message
    assert hint in caught.value.hint
