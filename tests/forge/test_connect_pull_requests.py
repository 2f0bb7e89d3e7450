"""The pull requests of a remote's forge, from the settings to a merge over a socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from homelab_hooks.app.forge_setup import resolve_forge_remote
from homelab_hooks.app.runtime import Runtime
from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.forge.gitea.pull_requests import GiteaPullRequests
from homelab_hooks.forge.merge_outcome import MergeNext
from homelab_hooks.forge.pull_requests import MERGE_TIMEOUT_S, MergeRequest, PullRequestForge
from homelab_hooks.net.http import HttpClient
from homelab_hooks.polling.outcome import Denied
from homelab_hooks.simulators.forge.server import ForgeSimulator
from homelab_hooks.simulators.forge.store import ForgeUser
from homelab_hooks.simulators.repositories import ScratchRepositories
from tests.forge.simulated_pulls import REPO, PullWorld, make_pull_world


@contextmanager
def connected(world: PullWorld, seal: dict[str, str], url: str, **environ: str) -> Iterator[PullRequestForge]:
    world.clone.git("remote", "set-url", "--push", "origin", f"{url}/acme/app.git")
    runtime = Runtime({**seal, **environ}, world.clone.path)
    config = runtime.config({})
    remote = resolve_forge_remote(config, runtime.git_readonly, "origin")
    forge = runtime.forges.connect_pull_requests(config, remote)
    yield forge
    assert isinstance(forge.gate, GiteaPullRequests)
    client = forge.gate.connection.transport
    assert isinstance(client, HttpClient)
    client.close()


def test_a_merge_is_sent_with_the_token_after_the_kind_was_detected_without_it(
    workshop: ScratchRepositories, seal: dict[str, str]
) -> None:
    world = make_pull_world(workshop)
    world.open()
    with (
        ForgeSimulator(world.store) as server,
        connected(world, seal, server.url, GITEA_TOKEN="bob-token") as forge,
    ):
        request = MergeRequest(1, world.head, MergeStyle.MERGE)
        assert forge.gate.merge(REPO, request, within=MERGE_TIMEOUT_S).next is MergeNext.MERGED
        sent = [(one.method, one.path, one.has_credentials) for one in server.requests]
    assert sent == [("GET", "/api/v1/version", False), ("POST", "/api/v1/repos/acme/app/pulls/1/merge", True)]
    assert world.git.is_ancestor(world.head, world.target)


def test_nothing_is_sent_without_a_token(workshop: ScratchRepositories, seal: dict[str, str]) -> None:
    """A missing token is known before anything is pushed."""
    world = make_pull_world(workshop)
    with (
        ForgeSimulator(world.store) as server,
        pytest.raises(CommandError) as missing,
        connected(world, seal, server.url),
    ):
        pass
    assert missing.value.exit is ExitCode.DENIED
    assert [one.path for one in server.requests] == ["/api/v1/version"]


def test_the_least_right_is_named_for_a_token_that_may_not(workshop: ScratchRepositories, seal: dict[str, str]) -> None:
    world = make_pull_world(workshop)
    world.store.users.append(ForgeUser("eve", tokens={"eve-token": frozenset({"read:user"})}))
    with (
        ForgeSimulator(world.store) as server,
        connected(world, seal, server.url, GITEA_TOKEN="eve-token") as forge,
    ):
        found = forge.target.read_repository(REPO, within=15.0)
    assert isinstance(found, Denied)
    assert "read:repository" in found.reason
