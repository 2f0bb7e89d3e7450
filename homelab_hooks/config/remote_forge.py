"""Reads the settings of one remote's forge: `homelab.REMOTE.forgeUrl` and `homelab.REMOTE.forgeKind`."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, Protocol

from homelab_hooks.config.address import ServerUrl, parse_server_url
from homelab_hooks.errors import CommandError
from homelab_hooks.text.sanitize import truncate_text
from homelab_hooks.text.url_secrets import strip_userinfo

_URL_KEY = ".forgeurl"
_KIND_KEY = ".forgekind"


class ForgeKind(StrEnum):
    """The software of a forge; it determines the API."""

    GITEA = "gitea"
    FORGEJO = "forgejo"
    GITHUB = "github"


class RemoteForge(NamedTuple):
    """What git config says about the forge of one remote; the sources are empty if it says nothing."""

    remote: str
    url: ServerUrl | None = None
    kind: ForgeKind | None = None
    url_source: str = ""
    kind_source: str = ""


class ConfigEntry(Protocol):
    """An entry of git's configuration."""

    @property
    def scope(self) -> str:
        """Return where it is set."""

    @property
    def key(self) -> str:
        """Return the key as git prints it: only the middle part has capital letters."""

    @property
    def value(self) -> str:
        """Return the text."""


def read_remote_forges(entries: Iterable[ConfigEntry]) -> tuple[tuple[RemoteForge, ...], tuple[CommandError, ...]]:
    """Return the settings of each remote's forge, and an error for each that is malformed; the last entry wins."""
    found: dict[str, RemoteForge] = {}
    problems: dict[str, CommandError] = {}
    for entry in entries:
        suffix = next((suffix for suffix in (_URL_KEY, _KIND_KEY) if entry.key.lower().endswith(suffix)), "")
        remote = entry.key[len("homelab.") : -len(suffix)] if suffix else ""
        if not remote or not entry.key.lower().startswith("homelab.") or not entry.value.strip():
            continue
        problems.pop(entry.key, None)
        try:
            found[remote] = _add_entry(found.get(remote, RemoteForge(remote)), entry, suffix)
        except CommandError as problem:
            problems[entry.key] = problem
    return tuple(found.values()), tuple(problems.values())


def _add_entry(forge: RemoteForge, entry: ConfigEntry, suffix: str) -> RemoteForge:
    key = f"homelab.{forge.remote}." + ("forgeUrl" if suffix == _URL_KEY else "forgeKind")
    source = f"git config {key} ({entry.scope})"
    text = entry.value.strip()
    try:
        if suffix == _URL_KEY:
            return forge._replace(url=parse_server_url(text), url_source=source)
        return forge._replace(kind=_parse_kind(text), kind_source=source)
    except ValueError as error:
        shown = repr(truncate_text(strip_userinfo(text), 80))
        place = f"{key} (git config, {entry.scope})"
        raise CommandError(f"invalid value {shown} for {place}", hint=str(error)) from None


def _parse_kind(text: str) -> ForgeKind:
    if text.lower() in tuple(ForgeKind):
        return ForgeKind(text.lower())
    raise ValueError(f"expected one of {', '.join(ForgeKind)}")
