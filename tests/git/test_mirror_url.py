"""Where a mirror is asked: at the URL that is written in the settings, unless that is a shorthand."""

from __future__ import annotations

from homelab_hooks.git.reader import ReadOnlyRepository
from homelab_hooks.git.runner import DirectRunner
from homelab_hooks.polling.outcome import Found, NotFound, Unavailable
from homelab_hooks.simulators.repositories import ScratchRepositories


def test_a_mirror_is_asked_at_the_url_that_is_written(workshop: ScratchRepositories, seal: dict[str, str]) -> None:
    """The user fetches from somewhere nearer, which says nothing about the mirror; that rule may match exactly."""
    clone = workshop.clone("work")
    near = ScratchRepositories(workshop.folder / "near", seal)
    first = near.clone("x")
    first.commit("only here")
    first.git("push", "--quiet", "origin", "HEAD:main")
    clone.git("remote", "add", "mirror", str(workshop.bare_path))
    for rule in (str(workshop.bare_path), str(workshop.bare_path.parent)):
        other = near.bare_path if rule == str(workshop.bare_path) else near.bare_path.parent
        clone.git("config", "--add", f"url.{other}.insteadOf", rule)
    remotes = ReadOnlyRepository(DirectRunner(seal, clone.path)).remotes
    assert remotes.ls_remote_branch("mirror", "main") == Found(first.head)
    assert remotes.ls_remote_as_written("mirror", "main") == Found(workshop.server_commit())
    assert isinstance(remotes.ls_remote_as_written("mirror", "nowhere"), NotFound)


def test_a_shorthand_is_expanded(workshop: ScratchRepositories, seal: dict[str, str]) -> None:
    clone = workshop.clone("work")
    clone.git("remote", "add", "mirror", "gh:acme/app.git")
    remotes = ReadOnlyRepository(DirectRunner(seal, clone.path)).remotes
    clone.git("config", f"url.{workshop.bare_path.parents[1]}/.insteadOf", "gh:")
    assert remotes.ls_remote_as_written("mirror", "main") == Found(workshop.server_commit())


def test_a_mirror_that_is_not_there_is_unavailable(workshop: ScratchRepositories, seal: dict[str, str]) -> None:
    clone = workshop.clone("work")
    clone.git("remote", "add", "mirror", str(workshop.folder / "gone.git"))
    remotes = ReadOnlyRepository(DirectRunner(seal, clone.path)).remotes
    assert isinstance(remotes.ls_remote_as_written("mirror", "main"), Unavailable)
