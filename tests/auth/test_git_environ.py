"""Git keeps gh's tokens only where it asks gh for credentials."""

from __future__ import annotations

from homelab_hooks.app.git_environ import build_git_environ
from homelab_hooks.app.runtime import Runtime
from homelab_hooks.config.resolve import GitConfigEntry
from homelab_hooks.errors import CommandError
from homelab_hooks.simulators.repositories import ScratchRepositories
from tests.waiting import HANG_S

GH = GitConfigEntry("global", "credential.https://github.com.helper", "!/usr/bin/gh auth git-credential")
STORE = GitConfigEntry("global", "credential.helper", "store --file /home/ann/gh auth")
TOKENS = {"GH_TOKEN": "a", "GITEA_TOKEN": "b"}


def unreadable() -> tuple[GitConfigEntry, ...]:
    raise CommandError("git's configuration cannot be read")


def test_only_ghs_tokens_are_kept_and_only_for_gh() -> None:
    assert build_git_environ({"PATH": "/bin"}, TOKENS, lambda: (STORE, GH)) == {"PATH": "/bin", "GH_TOKEN": "a"}
    assert build_git_environ({"PATH": "/bin"}, TOKENS, lambda: (STORE,)) == {"PATH": "/bin"}
    assert build_git_environ({}, TOKENS, unreadable) == {}


def test_the_settings_are_not_read_without_a_token_to_keep() -> None:
    def fail() -> tuple[GitConfigEntry, ...]:
        raise AssertionError

    assert build_git_environ({}, {"GITEA_TOKEN": "b", "GH_TOKEN": ""}, fail) == {}


def test_git_gets_the_token_that_its_helper_needs(workshop: ScratchRepositories, seal: dict[str, str]) -> None:
    """As `gh auth setup-git` configures it; other programs do not get the token."""
    clone = workshop.clone("work")
    clone.git("config", "credential.helper", "!gh auth git-credential")
    clone.git("config", "alias.told", '!printf %s "${GH_TOKEN-none}"')
    runtime = Runtime({**seal, "GH_TOKEN": "gh-token"}, clone.path)
    assert runtime.git_interactive.location._git.run("told").out == "gh-token"
    printed = runtime.process_runner.run(["/bin/sh", "-c", 'printf %s "${GH_TOKEN-none}"'], timeout=HANG_S)
    assert printed.lines == ("none",)
