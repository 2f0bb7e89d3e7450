"""Refuses a merge, a rebase or an undo that would overwrite untracked files of the user, ignored ones included."""

from __future__ import annotations

from collections.abc import Iterable

from homelab_hooks.config.schema import Strategy
from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.landing import ABORT_HINT, Landing
from homelab_hooks.text.humanize import join_names


def require_nothing_overwritten(landing: Landing, tip: str, *, head: str) -> None:
    """Raise CommandError (20) if integrating the target would overwrite untracked or ignored files; name them.

    Args:
        tip: the target's commit.
        head: the branch's commit.
    """
    git = landing.git
    merged = git.preview.merge(head, tip).tree or tip
    paths = set(git.worktree.added_files(merged))
    rebases = landing.request.strategy is Strategy.REBASE
    if rebases:  # the target is checked out, then the commits are applied, those that a later one undoes too
        paths.update(git.worktree.added_files(tip), git.preview.touched_paths(head, known=tip))
    lost = git.preview.overwritten_files(paths)
    if lost:
        what = f"the {'rebase onto' if rebases else 'merge of'} {landing.upstream}"
        again = "git land again" if landing.state.nothing_done else f"git land --continue; {ABORT_HINT}"
        raise overwrite_error(lost, by=what, then=again)


def require_undo_overwrites_nothing(landing: Landing, commit: str) -> None:
    """Raise CommandError (20) if resetting the branch to a commit would overwrite untracked or ignored files."""
    lost = landing.git.preview.overwritten_files(landing.git.worktree.added_files(commit))
    if lost:
        raise overwrite_error(lost, by="undoing the landing", then="git land --abort again")


def overwrite_error(files: Iterable[str], *, by: str, then: str) -> CommandError:
    """Return the error for untracked files that git would overwrite without a warning (20)."""
    return CommandError(
        f"untracked or ignored files would be overwritten by {by}: {join_names(files)}",
        hint=f"move them away, then run {then}",
        exit=ExitCode.REFUSED,
    )
