"""`homelab ci restart --redeliver` as a process: a simulated forge, whose webhook starts the pipeline."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from homelab_hooks.simulators.forge.server import ForgeSimulator, deliver_to_woodpecker
from homelab_hooks.simulators.forge.store import (
    ALL_SCOPES,
    ForgeStore,
    ForgeUser,
    RepoRight,
    SimulatedForgeRepo,
    SimulatedWebhook,
)
from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.system.clock import SystemClock
from tests.cli.shell import Shell

pytestmark = pytest.mark.slow
SECRET = "hookCanary4Zz"
TOKEN = "forgeCanary2Bn"


@pytest.fixture
def woodpecker() -> Iterator[WoodpeckerSimulator]:
    with WoodpeckerSimulator(SystemClock(), speed=50) as server:
        yield server


@pytest.fixture
def forge(woodpecker: WoodpeckerSimulator, clone: Clone) -> Iterator[ForgeSimulator]:
    """A Forgejo whose main is the clone's HEAD, and whose webhook notifies CI; it is the clone's remote."""
    hook = SimulatedWebhook(23, f"{woodpecker.url}/api/hook?access_token={SECRET}")
    repo = SimulatedForgeRepo(
        "acme/app", {"alice": RepoRight.ADMIN, "bob": RepoRight.WRITE}, {"main": clone.head}, hooks=[hook]
    )
    users = [
        ForgeUser("alice", tokens={TOKEN: ALL_SCOPES, "readOnly": frozenset({"read:repository"})}),
        ForgeUser("bob", tokens={"bobs": ALL_SCOPES}),
    ]
    store = ForgeStore(users, [repo], version="16.0.0+gitea-1.22.0")
    with ForgeSimulator(store, deliver_to_woodpecker(woodpecker, timelines.make_green(seconds=20))) as server:
        clone.git("remote", "set-url", "origin", f"{server.url}/acme/app.git")
        yield server


def test_a_lost_push_is_sent_again_and_watched(
    shell: Shell, forge: ForgeSimulator, woodpecker: WoodpeckerSimulator
) -> None:
    ended = shell("homelab", "ci", "restart", "--redeliver", FORGEJO_TOKEN=TOKEN)
    assert (ended.code, ended.result["verdict"], ended.result["pipelines"]) == (0, "passed", "#1"), ended
    assert "the push of" in ended.err
    assert "path conditions match every workflow" in ended.err
    assert [delivery.ref for delivery in forge.store.sent] == ["refs/heads/main"]
    assert [row.event for row in woodpecker.store.rows] == ["push"]
    assert not [text for text in (SECRET, TOKEN) if text in ended.out + ended.err]
    first = forge.requests[0]
    assert (first.path, first.has_credentials) == ("/api/v1/version", False)
    again = shell("homelab", "ci", "restart", "--redeliver", FORGEJO_TOKEN=TOKEN)
    assert (again.code, len(forge.store.sent)) == (20, 1), again


@pytest.mark.parametrize(
    ("variables", "code", "words"),
    [
        ({}, 4, "neither HOMELAB_FORGE_TOKEN nor FORGEJO_TOKEN is set"),
        ({"GITEA_TOKEN": TOKEN, "GH_TOKEN": TOKEN}, 4, "neither HOMELAB_FORGE_TOKEN nor FORGEJO_TOKEN is set"),
        ({"HOMELAB_FORGE_TOKEN": "unknown"}, 4, "rejected the credentials from HOMELAB_FORGE_TOKEN"),
        ({"HOMELAB_FORGE_TOKEN": "bobs"}, 4, "admin write of a repository"),
        ({"HOMELAB_FORGE_TOKEN": "readOnly"}, 4, "lacks the scope write:repository"),
    ],
    ids=["none", "another forge's", "wrong", "no administrator", "scope"],
)
def test_without_the_right_token_nothing_is_sent(
    shell: Shell, forge: ForgeSimulator, variables: dict[str, str], code: int, words: str
) -> None:
    shell.more.update(variables)
    ended = shell("homelab", "ci", "restart", "--redeliver")
    assert (ended.code, forge.store.sent) == (code, []), ended
    assert words in ended.err


def test_git_credentials_are_used_without_a_variable(shell: Shell, forge: ForgeSimulator, clone: Clone) -> None:
    clone.git("config", "credential.helper", f"!f() {{ echo username=alice; echo password={TOKEN}; }}; f")
    ended = shell("homelab", "ci", "restart", "--redeliver", "--no-watch")
    assert (ended.code, ended.result["verdict"], len(forge.store.sent)) == (0, "ok", 1), ended


def test_another_tip_of_the_default_branch_is_refused(shell: Shell, forge: ForgeSimulator) -> None:
    forge.store.repositories[0].branches["main"] = "f" * 40
    ended = shell("homelab", "ci", "restart", "--redeliver", FORGEJO_TOKEN=TOKEN)
    assert (ended.code, forge.store.sent) == (20, []), ended
    assert "the tip of its default branch main" in ended.err


def test_the_settings_name_the_forge_and_its_kind(shell: Shell, forge: ForgeSimulator, clone: Clone) -> None:
    """A forge that is named may receive the variables, and its kind need not be detected."""
    clone.git("remote", "set-url", "origin", "git@other.example.test:acme/app.git")
    clone.git("config", "homelab.origin.forgeUrl", forge.url)
    clone.git("config", "homelab.origin.forgeKind", "gitea")
    shown = shell("homelab", "config")
    assert "git config homelab.origin.forgeUrl (local)" in shown.out
    ended = shell("homelab", "ci", "restart", "--redeliver", "--no-watch", GITEA_TOKEN=TOKEN)
    assert (ended.code, len(forge.store.sent)) == (0, 1), ended
    assert not [request for request in forge.requests if request.path.endswith("/version")]


def test_a_token_is_not_sent_unencrypted_to_another_machine(shell: Shell, clone: Clone) -> None:
    clone.git("remote", "set-url", "origin", "http://git.example.test/acme/app.git")
    ended = shell("homelab", "ci", "restart", "--redeliver", FORGEJO_TOKEN=TOKEN)
    assert ended.code == 2, ended
    assert "would send the token unencrypted" in ended.err
