"""Parses owner and name from a remote's URL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from homelab_hooks.text.sanitize import strip_control_chars
from homelab_hooks.text.url_secrets import strip_userinfo

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_REMOTE_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*::")
_WINDOWS_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SCP = re.compile(r"(?:(?P<user>[^@/:\[]+)@)?(?P<host>\[[^\]]+\]|[^:/\[]+):(?P<path>.*)", re.DOTALL)
_SCP_BRACKETS = re.compile(r"(?P<user>[^@]*)@(?P<host>[^@\[\]:]+):(?P<port>[0-9]{1,5})")
_SSH_NAMES = ("ssh", "git+ssh", "ssh+git")
_FORGE_SCHEMES = ("http", "https", "git", *_SSH_NAMES)
_TILDE_HOSTS = ("sr.ht", "git.sr.ht", "hg.sr.ht")
_MIN_SEGMENTS = 2


class RepoAddress(NamedTuple):
    """The host, owner, and name in a repository's URL."""

    host: str
    namespace: str
    """the owner; nested groups are separated by slashes"""
    name: str
    scheme: str = "ssh"
    port: int | None = None
    note: str = ""
    """a probable mistake in the URL"""

    @property
    def full_name(self) -> str:
        """Return OWNER/NAME, as a CI server looks it up."""
        return f"{self.namespace}/{self.name}"


class NoRepoName(NamedTuple):
    """Why a URL has no owner and name."""

    reason: str


def parse_remote_url(url: str) -> RepoAddress | NoRepoName:
    """Return the owner and name in a URL, by git's rules for what is a URL, a host, or a path.

    >>> parse_remote_url("git@git.example.test:acme/app.git").full_name
    'acme/app'
    >>> parse_remote_url("https://bob:secret@git.example.test:8443/a/b/c/")
    RepoAddress(host='git.example.test', namespace='a/b', name='c', scheme='https', port=8443, note='')
    >>> parse_remote_url("../app")
    NoRepoName(reason='local path')
    """
    if _SCHEME.match(url):
        return _from_url(url)
    if _REMOTE_HELPER.match(url):
        return NoRepoName("uses a remote helper")
    if _WINDOWS_DRIVE.match(url) or url.startswith("\\\\"):
        return NoRepoName("local path")
    if url.startswith("["):
        return _from_brackets(url)
    scp = _SCP.match(url)
    if scp is None:
        return NoRepoName("local path")
    host, path = scp["host"].strip("[]"), scp["path"]
    note = (
        f"{path.split('/')[0]} is read as a directory; for a port, use ssh://HOST:PORT/"
        if re.match(r"\d+/", path)
        else ""
    )
    return _with_name(RepoAddress(host, "", "", note=note), path.split("/"))


def _from_url(url: str) -> RepoAddress | NoRepoName:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return NoRepoName("not a valid URL")
    scheme = "ssh" if parts.scheme in _SSH_NAMES else parts.scheme
    if scheme == "file":
        return NoRepoName("local path")
    if scheme not in _FORGE_SCHEMES or not host:
        return NoRepoName("not the URL of a forge")
    segments = [unquote(segment) for segment in parts.path.split("/")]
    if any("/" in segment for segment in segments):
        return NoRepoName("the path contains an encoded slash (%2F)")
    return _with_name(RepoAddress(host, "", "", scheme, port), segments)


def _from_brackets(url: str) -> RepoAddress | NoRepoName:
    """Parse `[git@host:2222]:owner/name`, which git reads as ssh with a port, or `[::1]:owner/name`."""
    inner, closed, path = url[1:].partition("]:")
    if not closed:
        return NoRepoName("local path")
    ported = _SCP_BRACKETS.fullmatch(inner)
    where = RepoAddress(ported["host"], "", "", port=int(ported["port"])) if ported else RepoAddress(inner, "", "")
    return _with_name(where, path.split("/"))


def _with_name(where: RepoAddress, raw: Sequence[str]) -> RepoAddress | NoRepoName:
    segments = _drop_azure_segments(where.host, [segment for segment in raw if segment])
    if segments:
        segments[-1] = segments[-1].removesuffix(".git")
    problem = _path_problem(where.host, segments)
    if problem:
        return NoRepoName(problem)
    return RepoAddress(where.host, "/".join(segments[:-1]), segments[-1], where.scheme, where.port, where.note)


def _drop_azure_segments(host: str, segments: list[str]) -> list[str]:
    if host == "ssh.dev.azure.com" and segments[:1] == ["v3"]:
        return segments[1:]
    if host == "dev.azure.com":
        return [segment for segment in segments if segment != "_git"]
    return segments


def _path_problem(host: str, segments: Sequence[str]) -> str:
    if not host:
        return "no host in the URL"
    if len(segments) < _MIN_SEGMENTS:
        return "no owner in the path"
    if {".", "..", ""} & set(segments):
        return "the path contains . or .."
    if segments[0].startswith("~") and host not in _TILDE_HOSTS:
        return "the path is in a home directory"
    if segments[-1].endswith(".wiki"):
        return "the wiki of a repository"
    return ""


def format_remote_url(url: str) -> str:
    """Return a remote's URL without user part and control characters, fit to be shown.

    >>> format_remote_url("https://bob:t0ken@git.example.test/acme/app.git")
    'https://git.example.test/acme/app.git'
    """
    return strip_control_chars(strip_userinfo(url))
