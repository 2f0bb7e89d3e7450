"""Parses the names of links: what follows a push (docs/following.md)."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from homelab_hooks.config import parsers
from homelab_hooks.config.address import ServerUrl, parse_server_url
from homelab_hooks.text.url_secrets import HIDDEN_QUERY

PUSH_EVENT = "push"
"""the event of a `ci` link that names none"""
_EVENT = re.compile(r"[a-z][a-z_]{0,40}")
_EXPECTED = (
    "expected ci, ci:EVENT, ci:EVENT@OWNER/NAME, mirror:REMOTE, actions, actions:REMOTE, status:REMOTE:CONTEXT, "
    "deploy:TARGET, live:URL, live:URL#PATH, or run:COMMAND"
)


class LinkKind(StrEnum):
    """What a link waits for."""

    CI = "ci"
    MIRROR = "mirror"
    ACTIONS = "actions"
    STATUS = "status"
    DEPLOY = "deploy"
    LIVE = "live"
    RUN = "run"


class LiveTarget(NamedTuple):
    """The URL of a live answer; `path` selects a value of its JSON."""

    server: ServerUrl
    target: str
    """path and query, as they are sent"""
    path: tuple[str, ...] = ()
    """the keys of the JSON value; empty: the whole body"""

    @property
    def has_hidden_query(self) -> bool:
        """Return whether it is from a printed command, which does not have the query."""
        return self.target.endswith(f"?{HIDDEN_QUERY}")


class LinkSpec(NamedTuple):
    """A link as a setting names it. Fields that the kind does not have are empty."""

    kind: LinkKind
    name: str
    """as results, receipts, and messages show it: without a URL's query"""
    event: str = ""
    repo: str = ""
    remote: str = ""
    context: str = ""
    workload: str = ""
    command: str = ""
    live: LiveTarget | None = None
    text: str = ""
    """as it was written"""

    def __str__(self) -> str:
        """Return the link as it was written."""
        return self.text or self.name


def parse_link(text: str) -> LinkSpec:
    """Parse a link. Raises ValueError with what was expected.

    >>> parse_link("ci:manual@acme/app").repo, parse_link("status:github:build/*").context
    ('acme/app', 'build/*')
    >>> parse_link("live:https://shop.example.test/version?key=s3cret#build.commit").name
    'live:https://shop.example.test/version#build.commit'
    """
    kind, colon, rest = text.strip().partition(":")
    try:
        found = LinkKind(kind)
    except ValueError:
        raise ValueError(_EXPECTED) from None
    if not rest and (colon or found not in {LinkKind.CI, LinkKind.ACTIONS}):
        raise ValueError(_EXPECTED)
    return _PARSERS[found](rest)._replace(text=text.strip())


def _parse_ci(rest: str) -> LinkSpec:
    event, at, repo = rest.partition("@")
    if (event and not _EVENT.fullmatch(event)) or (at and not (event and repo)):
        raise ValueError("expected ci, ci:EVENT, or ci:EVENT@OWNER/NAME")
    repo = parsers.parse_repo_name(repo) if at else ""
    name = "ci" if not event else f"ci:{event}@{repo}" if repo else f"ci:{event}"
    return LinkSpec(LinkKind.CI, name, event=event, repo=repo)


def _parse_mirror(rest: str) -> LinkSpec:
    return LinkSpec(LinkKind.MIRROR, f"mirror:{rest}", remote=parsers.parse_ref_name(rest))


def _parse_actions(rest: str) -> LinkSpec:
    remote = parsers.parse_ref_name(rest) if rest else ""
    return LinkSpec(LinkKind.ACTIONS, f"actions:{rest}" if rest else "actions", remote=remote)


def _parse_status(rest: str) -> LinkSpec:
    remote, _, context = rest.partition(":")
    if not context or not context.isprintable():
        raise ValueError("expected status:REMOTE:CONTEXT, such as status:origin:ci/build")
    return LinkSpec(LinkKind.STATUS, f"status:{rest}", remote=parsers.parse_ref_name(remote), context=context)


def _parse_deploy(rest: str) -> LinkSpec:
    return LinkSpec(LinkKind.DEPLOY, f"deploy:{rest}", workload=parsers.parse_workload(rest))


def _parse_run(rest: str) -> LinkSpec:
    command = rest.strip()
    if not command or "\0" in command:
        raise ValueError("expected run:COMMAND")
    return LinkSpec(LinkKind.RUN, f"run:{command}", command=command)


def _parse_live(rest: str) -> LinkSpec:
    url, _, path = rest.partition("#")
    parts = urlsplit(url)
    if not url.isprintable() or not url.isascii() or " " in url:
        raise ValueError("expected live:URL, such as live:https://shop.example.org/version, in ASCII without spaces")
    server = parse_server_url(f"{parts.scheme}://{parts.netloc}")
    place = parts.path or "/"
    keys = tuple(path.split(".")) if path else ()
    if not all(keys) or not path.isprintable():
        raise ValueError("expected keys separated by dots after #, such as #build.commit")
    name = f"live:{server.origin}{place}" + (f"#{path}" if path else "")
    target = f"{place}?{parts.query}" if parts.query else place
    return LinkSpec(LinkKind.LIVE, name, live=LiveTarget(server, target, keys))


_PARSERS = {
    LinkKind.CI: _parse_ci,
    LinkKind.MIRROR: _parse_mirror,
    LinkKind.ACTIONS: _parse_actions,
    LinkKind.STATUS: _parse_status,
    LinkKind.DEPLOY: _parse_deploy,
    LinkKind.RUN: _parse_run,
    LinkKind.LIVE: _parse_live,
}
