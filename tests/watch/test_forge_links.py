"""`homelab follow` with the links of a forge, as a process over sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from homelab_hooks.simulators.forge.runs import ForgeReports, SimulatedStatus
from homelab_hooks.simulators.forge.server import ForgeSimulator
from homelab_hooks.simulators.forge.store import ALL_SCOPES, ForgeStore, ForgeUser, RepoRight, SimulatedForgeRepo
from homelab_hooks.simulators.repositories import Clone
from tests.cli.shell import Shell

pytestmark = pytest.mark.slow
TOKEN = "forgeCanary7Qx"


@pytest.fixture
def forge(clone: Clone) -> Iterator[ForgeSimulator]:
    """A Gitea with a green and a red status of the clone's HEAD, and no runs; it is the clone's remote."""
    reports = ForgeReports(
        statuses=[
            SimulatedStatus(1, clone.head, "ci/build", "success", url="https://ci.example.test/1"),
            SimulatedStatus(2, clone.head, "ci/lint", "failure", description="3 findings"),
        ]
    )
    repo = SimulatedForgeRepo("acme/app", {"bob": RepoRight.READ}, {"main": clone.head}, reports=reports)
    bob = ForgeUser("bob", tokens={TOKEN: ALL_SCOPES})
    with ForgeSimulator(ForgeStore([bob], [repo])) as server:
        clone.git("remote", "set-url", "origin", f"{server.url}/acme/app.git")
        yield server


@pytest.mark.parametrize(
    ("link", "code", "words"),
    [
        ("status:origin:ci/b*", 0, "status ci/build passed"),
        ("status:origin:ci/*", 1, "status ci/lint failed: 3 findings"),
        ("actions", 3, "there is no Gitea Actions configuration at this commit"),
        ("status:elsewhere:ci/*", 2, "there is no remote elsewhere"),
    ],
)
def test_a_link_of_the_forge_gives_the_verdict(
    shell: Shell, forge: ForgeSimulator, link: str, code: int, words: str
) -> None:
    ended = shell("homelab", "follow", "--follow", link, "--appear-timeout", "0", GITEA_TOKEN=TOKEN)
    assert (ended.code, words in ended.err) == (code, True), ended
    assert "pipelines" not in ended.result
    assert TOKEN not in ended.out + ended.err
    assert all("/user" not in request.path for request in forge.requests)
    if forge.requests:
        first = forge.requests[0]
        assert (first.path, first.has_credentials) == ("/api/v1/version", False)


def test_a_variable_reaches_the_first_of_two_forges_only(shell: Shell, forge: ForgeSimulator, clone: Clone) -> None:
    with ForgeSimulator(forge.store) as other:
        clone.git("remote", "add", "other", f"{other.url}/acme/app.git")
        clone.git("config", "homelab.other.forgeUrl", other.url)
        links = [word for name in ("origin", "other") for word in ("--follow", f"status:{name}:ci/build")]
        ended = shell("homelab", "follow", *links, HOMELAB_FORGE_TOKEN=TOKEN)
    assert (ended.code, ended.result["link"]) == (4, "status:other:ci/build"), ended
    assert any(request.has_credentials for request in forge.requests)
    assert not any(request.has_credentials for request in other.requests)
