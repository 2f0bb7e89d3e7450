"""Remotes, their URLs, and their branches, and the choice of the one to push to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from homelab_hooks.config.resolve import GitConfigEntry
from homelab_hooks.errors import CommandError
from homelab_hooks.git.command import GitCommands
from homelab_hooks.polling.outcome import FailureKind, Found, NotFound, Poll, Unavailable
from homelab_hooks.system.completed import Completed
from homelab_hooks.text.sanitize import strip_control_chars
from homelab_hooks.text.url_secrets import strip_web_userinfo

REMOTE_TIMEOUT_S = 30.0
"""seconds for a remote to respond to a query"""
WRITTEN_URL = "homelab-written-url:"
"""stands for a URL as it is written: git rewrites a name only once, and no other rule matches this one"""
_HEADS = "refs/heads/"
_TAGS = "refs/tags/"
_PEELED = "^{}"
"""after a tag in the list of a server's refs: the commit that it leads to"""
_ADD_REMOTE_HINT = "to add a remote, run git remote add origin URL"


class RemoteChoice(NamedTuple):
    """The chosen remote (a name, or a URL if git was given one), and the reason for the choice."""

    name: str
    reason: str


class PushSettings(NamedTuple):
    """`branch.NAME.pushRemote` by the branch, and `remote.pushDefault`; each a name or a URL."""

    by_branch: Mapping[str, str]
    default: str


class FetchSource(NamedTuple):
    """What a branch is fetched from, so that it comes from where a push goes."""

    name: str
    """a remote's name, or a URL"""
    tracking: str
    """the remote whose tracking ref is moved too; empty if there is none"""


class Remotes:
    """Reads the configuration of the remotes, and queries them."""

    def __init__(self, git: GitCommands) -> None:
        self._git = git

    def remote_names(self) -> tuple[str, ...]:
        """Return the names of the remotes."""
        return self._git.lines("remote")

    def push_urls(self, remote: str) -> tuple[str, ...]:
        """Return the URLs that a push goes to, after insteadOf, pushInsteadOf, and pushurl; a URL stays as it is."""
        return self._urls(remote, "--push")

    def fetch_url(self, remote: str) -> str:
        """Return the URL that a fetch from this remote uses, after insteadOf."""
        return next(iter(self._urls(remote)), remote)

    def choose_fetch_source(self, remote: str, push_url: str) -> FetchSource:
        """Return the remote, or the URL that is pushed to if the remote is fetched from another one."""
        fetch_url = self.fetch_url(remote)
        if fetch_url == remote and remote not in self.remote_names():
            return FetchSource(remote, "")
        return FetchSource(remote if fetch_url == push_url else push_url, remote)

    def fetch_refspecs(self, remote: str) -> tuple[str, ...]:
        """Return `remote.<name>.fetch`."""
        return self._git.lines("config", "--get-all", f"remote.{remote}.fetch")

    def written_url(self, remote: str) -> str:
        """Return the remote's URL as it is in the settings, before insteadOf; a URL stays as it is."""
        return next(iter(self._git.lines("config", "--get-all", f"remote.{remote}.url")), remote)

    def ls_remote_as_written(self, remote: str, branch: str, *, timeout: float = REMOTE_TIMEOUT_S) -> Poll[str]:
        """Query the server that the remote's URL names, without insteadOf; NotFound if it does not have the branch.

        A shorthand that is not a URL by itself, such as `gh:acme/app`, is expanded.
        """
        url = self.written_url(remote)
        prefixes = self._git.lines("config", "--get-regexp", r"^url\..*\.insteadof$")
        if is_shorthand(url, [line.partition(" ")[2] for line in prefixes]):
            return self.ls_remote_branch(url, branch, timeout=timeout)
        done = self._git.query_remote(
            "ls-remote", "--", WRITTEN_URL, _HEADS + branch,
            remote=url, timeout=timeout, settings={f"url.{url}.insteadOf": WRITTEN_URL},
        )  # fmt: skip
        return self._read_tip(done, url, branch, timeout)

    def head_branch(self, remote: str) -> Found[str] | NotFound | Unavailable:
        """Return the remote's default branch, as recorded or else queried; NotFound if the server names none."""
        if known := self.known_head_branch(remote):
            return Found(known)
        done = self._git.query_remote(
            "ls-remote", "--symref", "--", remote, "HEAD", remote=remote, timeout=REMOTE_TIMEOUT_S
        )
        if not done.ok:
            return _unavailable(done)
        for line in done.lines:
            if line.startswith(f"ref: {_HEADS}") and line.endswith("\tHEAD"):
                return Found(line.removeprefix(f"ref: {_HEADS}").removesuffix("\tHEAD"))
        if not done.out and (page := self._find_web_page(remote, REMOTE_TIMEOUT_S)):
            return page
        return NotFound(f"{strip_web_userinfo(remote)} does not say which branch that is")

    def known_head_branch(self, remote: str) -> str:
        """Return the remote's default branch as `refs/remotes/NAME/HEAD` has it; empty if that is not set."""
        recorded = f"refs/remotes/{strip_web_userinfo(remote)}/HEAD"
        known = self._git.line("for-each-ref", "--format=%(symref)", recorded)  # lists none that dangles
        prefix = recorded.removesuffix("HEAD")
        return known.removeprefix(prefix) if known.startswith(prefix) else ""

    def ls_remote_branch(self, url: str, branch: str, *, timeout: float = REMOTE_TIMEOUT_S) -> Poll[str]:
        """Query the server for a branch's commit; NotFound if the server does not have the branch."""
        done = self._git.query_remote("ls-remote", "--", url, _HEADS + branch, remote=url, timeout=timeout)
        return self._read_tip(done, url, branch, timeout)

    def ls_remote_tags(
        self, remote: str, names: Sequence[str], *, timeout: float = REMOTE_TIMEOUT_S
    ) -> Found[dict[str, str]] | Unavailable:
        """Query the server for the commits of these tags; those that it does not have are left out."""
        refs = [f"{_TAGS}{name}{peeled}" for name in names for peeled in ("", _PEELED)]
        done = self._git.query_remote("ls-remote", "--", remote, *refs, remote=remote, timeout=timeout)
        if not done.ok:
            return _unavailable(done)
        found = {ref: sha for sha, _, ref in (line.partition("\t") for line in done.lines)}
        if not done.out and (page := self._find_web_page(remote, timeout)):
            return page
        # The server lists an annotated tag twice: the tag itself, and the commit that it leads to.
        tips = {name: found.get(f"{_TAGS}{name}{_PEELED}") or found.get(f"{_TAGS}{name}") for name in names}
        return Found({name: sha for name, sha in tips.items() if sha})

    def _read_tip(self, done: Completed, url: str, branch: str, timeout: float) -> Poll[str]:
        ref = _HEADS + branch
        if not done.ok:
            return _unavailable(done)
        for line in done.lines:
            sha, _, name = line.partition("\t")
            if name == ref:
                return Found(sha)
        if not done.out and (page := self._find_web_page(url, timeout)):
            return page
        return NotFound(f"there is no branch {branch}")

    def tracking_commit(self, remote: str, branch: str) -> str:
        """Return the commit of a remote-tracking branch; empty if there is none."""
        return self._git.line(
            "rev-parse", "--verify", "--quiet", f"refs/remotes/{strip_web_userinfo(remote)}/{branch}^{{commit}}"
        )

    def reflog_length(self, remote: str, branch: str) -> int:
        """Return the number of entries in the tracking branch's reflog."""
        ref = f"refs/remotes/{strip_web_userinfo(remote)}/{branch}"
        return self._git.count("rev-list", "--walk-reflogs", "--count", ref, "--")

    def last_push_commit(self, remote: str, branch: str) -> str:
        """Return the tracking branch's commit if a push from here was the last to move it; else empty."""
        told = self._git.line(
            "reflog",
            "show",
            "--no-show-signature",
            "-1",
            "--format=%H %gs",
            f"refs/remotes/{strip_web_userinfo(remote)}/{branch}",
            "--",
        )
        sha, _, what = told.partition(" ")
        return sha if what.startswith("update by push") else ""

    def tracking_branches_at(self, remote: str, sha: str) -> tuple[str, ...]:
        """Return the remote's branches whose tracking branch is at this commit."""
        prefix = f"refs/remotes/{strip_web_userinfo(remote)}/"
        found = self._git.lines("for-each-ref", "--format=%(refname)", "--points-at", sha, prefix)
        return tuple(name.removeprefix(prefix) for name in found if name != f"{prefix}HEAD")

    def remote_contains(self, remote: str, sha: str) -> bool:
        """Return whether a tracking branch of the remote contains this commit."""
        prefix = f"refs/remotes/{strip_web_userinfo(remote)}/"
        return bool(self._git.line("for-each-ref", "--count=1", "--format=%(refname)", "--contains", sha, prefix))

    def _find_web_page(self, remote: str, timeout: float) -> Unavailable | None:
        """Return the failure of a remote that answers with a web page; None if it does not."""
        from homelab_hooks.git.transport_error import NOT_A_GIT_SERVER
        from homelab_hooks.git.web_page import answers_with_web_page

        is_page = answers_with_web_page(self._git, remote, timeout=timeout)
        return _read_failure(NOT_A_GIT_SERVER) if is_page else None

    def _urls(self, remote: str, *which: str) -> tuple[str, ...]:
        if strip_web_userinfo(remote) != remote:  # not a name; a password must not be an argument
            return (remote,)
        urls = self._git.lines("remote", "get-url", *which, "--all", "--", remote)
        return urls if urls or remote in self.remote_names() else (remote,)


def is_shorthand(url: str, prefixes: Sequence[str]) -> bool:
    """Return whether a URL is only one through `url.*.insteadOf`: its scheme, or its host, is such a prefix.

    >>> is_shorthand("gh:acme/app", ["gh:"]), is_shorthand("https://git.example.test/a/b", ["https://git.example.test/"])
    (True, False)
    >>> is_shorthand("git.example.test:acme/app", ["git.example.test:"])
    False
    """
    if "://" in url:
        return False
    host = url.partition("/")[0]  # gh:acme, or git.example.test:acme of an address for ssh
    return any(host.startswith(prefix) and not set(".@") & set(prefix) for prefix in prefixes if prefix)


def _unavailable(done: Completed) -> Unavailable:
    if done.timed_out:
        return Unavailable("no response in time", FailureKind.TIMEOUT, hint="check the network")
    return _read_failure(done.err)


def _read_failure(text: str) -> Unavailable:
    """Return the failure that git's message describes; the module with the messages takes 3 ms to import."""
    from homelab_hooks.git.transport_error import read_transport_error

    error = read_transport_error(text)
    return Unavailable(error.reason, hint=error.hint)


def find_push_settings(entries: Iterable[GitConfigEntry]) -> PushSettings:
    """Return where a plain `git push` goes, as far as git's settings name it.

    >>> find_push_settings([GitConfigEntry("local", "branch.v1.x.pushremote", "mirror")]).by_branch
    {'v1.x': 'mirror'}
    """
    by_branch, default = {}, ""
    for _, key, value in entries:
        if key == "remote.pushdefault":
            default = value
        elif key.startswith("branch.") and key.endswith(".pushremote"):
            by_branch[key[len("branch.") : -len(".pushremote")]] = value
    return PushSettings(by_branch, default)


def choose_remote(
    names: Sequence[str], *, wanted: str = "", push_remote: str = "", push_default: str = ""
) -> RemoteChoice:
    """Return the remote to use (docs/settings.md). Raises CommandError, with the remotes, if none can be chosen.

    Args:
        names: the repository's remotes.
        wanted: what an option, the environment, or `homelab.remote` says.
        push_remote: the branch's `pushRemote`; may be a URL.
        push_default: `remote.pushDefault`; may be a URL.

    >>> choose_remote(["origin", "forgejo"]).name, choose_remote(["origin", "x"], push_default="x").reason
    ('forgejo', 'remote.pushDefault')
    """
    configured = (
        (wanted, "set with --remote, HOMELAB_REMOTE, or homelab.remote"),
        (push_remote, "the branch's pushRemote"),
        (push_default, "remote.pushDefault"),
    )
    for name, reason in configured:
        if name:
            return _require_existing(RemoteChoice(name, reason), names)
    for name in ("forgejo", "origin"):
        if name in names:
            return RemoteChoice(name, f"there is a remote {name}")
    if len(names) == 1:
        return RemoteChoice(names[0], "it is the only remote")
    if not names:
        raise CommandError("this repository has no remote", hint=_ADD_REMOTE_HINT)
    raise CommandError(
        f"could not determine the remote; there are: {_join_names(names)}",
        hint="pass --remote NAME, or run git config homelab.remote NAME",
    )


def _require_existing(chosen: RemoteChoice, names: Sequence[str]) -> RemoteChoice:
    if chosen.name in names or re.search(r"[:/]", chosen.name):
        return chosen
    raise CommandError(
        f"there is no remote {strip_control_chars(chosen.name)} ({chosen.reason})",
        hint=f"choose an existing remote: {_join_names(names)}" if names else _ADD_REMOTE_HINT,
    )


def _join_names(names: Sequence[str]) -> str:
    return ", ".join(sorted(strip_control_chars(name) for name in names))
