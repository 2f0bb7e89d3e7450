"""What a checkout would overwrite, found without changing anything."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from homelab_hooks.git.command import GitCommands
from homelab_hooks.git.location import Location
from homelab_hooks.git.preview import Preview
from homelab_hooks.git.runner import DirectRunner
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories


@pytest.fixture
def ann(workshop: ScratchRepositories) -> Clone:
    """Tracked, untracked and ignored files, a nested repository, and a link to a directory with a file."""
    clone = workshop.clone("ann")
    clone.commit("tracked/file")
    clone.write(".git/info/exclude", "ignored*\nvendor\n")
    for name in ("ignored", "ignored-folder/in", "untracked", "vendor/in", "elsewhere/in"):
        clone.write(name, "mine\n")
    (clone.path / "link").symlink_to("elsewhere")
    clone.git("init", "--quiet", "vendor")
    return clone


def test_what_would_be_overwritten(ann: Clone, seal: dict[str, str]) -> None:
    """Every kind in one repository; the paths that git would write, and what is in their way."""
    git = GitCommands(DirectRunner(seal, ann.path))
    find: Callable[[list[str]], tuple[str, ...]] = Preview(git, Location(git)).overwritten_files
    ways: dict[str, tuple[str, ...]] = {
        "new": (),
        "tracked/new": (),
        "tracked/file/new": (),
        "tracked": (),
        "ignored": ("ignored",),
        "ignored/new": ("ignored",),
        "ignored-folder": ("ignored-folder/in",),
        "ignored-folder/new": (),
        "untracked": ("untracked",),
        "link/in": ("link",),
        "link/other/new": ("link",),
        "vendor": ("vendor/",),
        "vendor/in": ("vendor/in",),
    }
    assert {path: find([path]) for path in ways} == ways
    assert find(list(ways)) == tuple(sorted({name for found in ways.values() for name in found}))
