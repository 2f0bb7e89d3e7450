"""Keeps the token variables that git needs to authenticate, if gh is its credential helper."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from homelab_hooks.config.resolve import GitConfigEntry
from homelab_hooks.errors import CommandError

GH_VARIABLES = ("GH_TOKEN", "GITHUB_TOKEN")
_GH_HELPER = re.compile(r"(?:^|[/\s!'\"])gh(?:\.exe)?['\"]?\s+auth\s+git-credential\b")
"""the credential helper that `gh auth setup-git` configures"""


def build_git_environ(
    child_environ: Mapping[str, str],
    environ: Mapping[str, str],
    read_config: Callable[[], Iterable[GitConfigEntry]],
) -> dict[str, str]:
    """Return the variables of git: those of other programs, and gh's tokens if git asks gh for credentials.

    Args:
        child_environ: without our tokens.
        environ: with all tokens.
        read_config: git's settings, read only if there is a token to keep; it may raise CommandError.
    """
    kept = {name: environ[name] for name in GH_VARIABLES if environ.get(name)}
    try:
        is_needed = bool(kept) and uses_gh(read_config())
    except CommandError:  # the settings cannot be read, which is reported when they are needed
        is_needed = False
    return {**child_environ, **(kept if is_needed else {})}


def uses_gh(entries: Iterable[GitConfigEntry]) -> bool:
    """Return whether a credential helper is gh.

    >>> uses_gh([GitConfigEntry("global", "credential.https://github.com.helper", "!/usr/bin/gh auth git-credential")])
    True
    >>> uses_gh([GitConfigEntry("global", "credential.helper", "store")])
    False
    """
    helpers = (e.value for e in entries if e.key.startswith("credential.") and e.key.endswith("helper"))
    return any(_GH_HELPER.search(helper) for helper in helpers)
