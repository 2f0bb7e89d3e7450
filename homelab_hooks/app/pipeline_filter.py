"""Finds out whether CI filtered a commit's pipeline out, from its configuration, branch, and changed files."""

from __future__ import annotations

from homelab_hooks.ci.provider import Traits, Trigger
from homelab_hooks.git.history import Commit
from homelab_hooks.git.reader import ReadOnlyRepository


def are_workflows_filtered(
    git: ReadOnlyRepository, commit: Commit, remote: str, branches: tuple[str, ...], traits: Traits
) -> bool | None:
    """Return whether no workflow's conditions match the push of the commit, or of its tag; None if not certain.

    Args:
        branches: branches of the remote whose tip is the commit.
    """
    chosen = read_ci_config(git, commit.sha, traits.config_paths)
    if not chosen:
        return None
    if commit.tag:
        return traits.are_all_filtered(chosen, Trigger(event="tag", refs=(commit.tag,)))
    return traits.are_all_filtered(chosen, _make_push_trigger(git, commit.sha, remote, branches))


def read_ci_config(git: ReadOnlyRepository, sha: str, paths: tuple[str, ...]) -> dict[str, str] | None:
    """Return the texts of the configuration at a commit by path; None if they cannot be read.

    Args:
        paths: where CI looks, in order; the first path that has a file wins.
    """
    files = git.files.read_texts(sha, paths)
    if files is None:
        return None
    inside = ({name: files[name] for name in files if name == path or name.startswith(f"{path}/")} for path in paths)
    return next((found for found in inside if found), {})


def _make_push_trigger(git: ReadOnlyRepository, sha: str, remote: str, branches: tuple[str, ...]) -> Trigger:
    """Return what the forge sent for the push of a commit: the files that changed since the branch's former tip."""
    befores = {git.history.previous_commit(f"refs/remotes/{remote}/{branch}") for branch in branches}
    before = befores.pop() if len(befores) == 1 else ""
    paths = git.files.changed_paths(sha, since=before)
    return Trigger(
        event="push",
        refs=tuple(f"refs/heads/{branch}" for branch in branches),
        paths=paths or (),
        has_all_paths=bool(before) and paths is not None,
        message=git.history.commit_message(sha),
    )
