"""Finds the commits of a release tag, here and at the remote, without changing a ref."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import NamedTuple, Protocol

from homelab_hooks.errors import CommandError
from homelab_hooks.git.history import History
from homelab_hooks.git.remotes import Remotes
from homelab_hooks.polling.outcome import Found, Poll
from homelab_hooks.text.url_secrets import strip_web_userinfo

REQUERY_AFTER_S = 30.0
"""seconds between two queries of the remote for a tag that is not known yet"""
QUERY_TIMEOUT_S = 10.0
"""seconds for the remote to list a tag"""


class TagPlace(NamedTuple):
    """The commit of a tag in one place."""

    tag: str
    place: str
    """`here`, or `at REMOTE`"""
    sha: str


class ReleaseTag(NamedTuple):
    """What is known about the git tag that an image's tag may name."""

    places: tuple[TagPlace, ...] = ()
    """none: the tag does not exist"""
    silence: str = ""
    """why the remote could not be queried; it may have another commit"""

    @property
    def commits(self) -> tuple[str, ...]:
        """Return the commits, each once; more than one if the tag was moved."""
        return tuple(dict.fromkeys(place.sha for place in self.places))


class ReleaseTags(Protocol):
    """Finds the git tag that an image's tag names."""

    def find_release(self, name: str) -> ReleaseTag:
        """Return the tag's commits; never raises."""


def tag_spellings(name: str) -> tuple[str, str]:
    """Return a release's name as it is, and with or without the leading `v`.

    >>> tag_spellings("1.4.2"), tag_spellings("v1.4.2")
    (('1.4.2', 'v1.4.2'), ('v1.4.2', '1.4.2'))
    """
    return name, name[1:] if name[:1] == "v" else f"v{name}"


class GitReleaseTags:
    """Finds release tags with git (`ReleaseTags`).

    A tag that was found is not queried again. One that was not, or whose remote did not answer, is queried again after
    `REQUERY_AFTER_S`: a release is often tagged after its commit was pushed.

    Args:
        remote: whose tags are queried, by `ls-remote`; if empty, only local tags are known.
        now: the clock.
    """

    def __init__(self, history: History, remotes: Remotes, *, remote: str, now: Callable[[], float]) -> None:
        self._history, self._remotes = history, remotes
        self._remote, self._now = remote, now
        self._known: dict[str, ReleaseTag] = {}
        self._queried_at: dict[str, float] = {}

    def find_release(self, name: str) -> ReleaseTag:
        """Return the tag's commits here and at the remote; never raises."""
        known = self._known.get(name)
        is_final = known is not None and known.places and not known.silence
        if known is not None and (is_final or self._now() - self._queried_at.get(name, -inf) < REQUERY_AFTER_S):
            return known
        self._queried_at[name] = self._now()
        self._known[name] = found = self._query(name)
        return found

    def _query(self, name: str) -> ReleaseTag:
        spellings = tag_spellings(name)
        try:
            here = [TagPlace(tag, "here", sha) for tag in spellings if (sha := self._history.tag_commit(tag))]
            listed: Poll[dict[str, str]] = (
                self._remotes.ls_remote_tags(self._remote, spellings, timeout=QUERY_TIMEOUT_S)
                if self._remote
                else Found({})
            )
        except CommandError as error:
            return ReleaseTag((), str(error))
        if not isinstance(listed, Found):
            return ReleaseTag(tuple(here), f"{self._shown_remote} cannot be queried: {listed.reason}")
        there = [
            TagPlace(tag, f"at {self._shown_remote}", listed.value[tag]) for tag in spellings if tag in listed.value
        ]
        return ReleaseTag((*here, *there))

    @property
    def _shown_remote(self) -> str:
        return strip_web_userinfo(self._remote)
