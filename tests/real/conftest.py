"""Fixtures of the suite against real binaries."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.branch import Branch
from tests.real.ci import VARIABLES, Binaries
from tests.real.site import Site

WANTED = f"set {' and '.join(VARIABLES)} to a Woodpecker server and agent to run these"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the binaries where they are not named: one line in the summary for each file."""
    if Binaries.named(os.environ) is None:
        for item in items:
            if "site" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(WANTED))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A real Woodpecker for all tests of this process; each test has its own branch there."""
    binaries = Binaries.named(os.environ)
    assert binaries is not None, WANTED
    with Site(binaries, tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def branch(site: Site, tmp_path: Path, request: pytest.FixtureRequest) -> Branch:
    """A branch named after the test."""
    name = request.node.name.removeprefix("test_").replace("_", "-")
    return Branch(site, site.clone(name), name, tmp_path)
