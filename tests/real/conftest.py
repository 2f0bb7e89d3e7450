"""Fixtures of the suite against real binaries."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.real.branch import Branch
from tests.real.ci import VARIABLES, Account, Binaries, Ci, program
from tests.real.cluster import why_not
from tests.real.gitea import OWNER, VARIABLE, Gitea
from tests.real.real_servers import RealServers, person

NEEDS = {
    "gitea": f"set {VARIABLE} to a Gitea or Forgejo to run these",
    "servers": f"set {' and '.join(VARIABLES)} to a Woodpecker server and agent to run these",
    "ci": f"set {' and '.join(VARIABLES)} to a Woodpecker server and agent to run these",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs binaries that are not named, with one line in the summary for each file."""
    woodpecker = Binaries.named(os.environ) is not None
    cluster = why_not(os.environ) if any("kubernetes" in getattr(item, "fixturenames", ()) for item in items) else ""
    needs = {**NEEDS, "kubernetes": cluster}
    there = {
        "kubernetes": not cluster,
        "gitea": program(os.environ, VARIABLE) is not None,
        "servers": woodpecker,
        "ci": woodpecker,
    }
    for item in items:
        if item.get_closest_marker("real") is None:  # this hook is handed every test there is
            continue
        used = getattr(item, "fixturenames", ())
        for name in [name for name in needs if name in used and not there[name]][:1]:
            item.add_marker(pytest.mark.skip(needs[name]))


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServers]:
    """A real Woodpecker for all tests of this process; each test has its own branch there."""
    binaries = Binaries.named(os.environ)
    assert binaries is not None, NEEDS["servers"]
    with RealServers(binaries, tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture
def branch(
    servers: RealServers, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Branch]:
    """A branch named after the test; none of its steps waits for longer than the test."""
    name = request.node.name.removeprefix("test_").replace("_", "-")
    servers.ci.agent()
    mine = Branch(servers, servers.clone(name), name, tmp_path_factory.mktemp("gate"))
    yield mine
    mine.opened()


@pytest.fixture(scope="session")
def gitea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gitea]:
    """A real Gitea for all tests of this process; each test has its own repository there."""
    binary = program(os.environ, VARIABLE)
    assert binary is not None, NEEDS["gitea"]
    folder = tmp_path_factory.mktemp("gitea")
    with Gitea(binary, person(folder / "home"), folder) as running:
        yield running


@pytest.fixture
def ci(gitea: Gitea) -> Iterator[Ci]:
    """A real Woodpecker whose forge is the real Gitea, without the browser's way to log in."""
    binaries = Binaries.named(os.environ)
    assert binaries is not None, NEEDS["ci"]
    token = gitea.post(f"/users/{OWNER}/tokens", name="ci", scopes=["all"])["sha1"]
    account = Account(remote_id=gitea.api.get("/api/v1/user").json()["id"], login=OWNER, access_token=token)
    with Ci(binaries, path=os.environ["PATH"], forge=gitea.url, account=account) as running:
        yield running
