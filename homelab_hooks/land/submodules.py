"""Updates submodules to the commit that is verified, and pushes them before it if git's settings say so."""

from __future__ import annotations

from collections.abc import Iterable

from homelab_hooks.errors import CommandError
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.command import error_message
from homelab_hooks.land.landing import Landing
from homelab_hooks.text.humanize import join_names


def update_submodules(landing: Landing, *, was: Iterable[str], now: str) -> None:
    """Check out the commits that `now` records for submodules, so that what is verified is what is pushed.

    Only submodules at a commit that one of `was` records: at another commit, they hold the user's own work.
    """
    git = landing.git
    if not git.submodules.has_submodules():
        return
    known = [git.submodules.gitlinks(sha) for sha in dict.fromkeys(was) if sha]
    stale = []
    for path, wanted in git.submodules.gitlinks(now).items():
        head = git.submodules.submodule_head(path)
        if head != wanted and head in {links.get(path) for links in known}:
            stale.append(path)
    if not stale:
        return
    done = git.submodules.update_submodules(*stale, listener=landing.listen("merge", "git submodule update"))
    if not done.ok:
        raise CommandError(
            f"could not update submodules after the merge ({join_names(stale)}): {error_message(done)}",
            hint="fix git submodule update in the repository, then run git land --continue; or run git land --abort",
            exit=ExitCode.PUSH_FAILED,
        )
    landing.log(f"updated submodules: {join_names(stale)}", source="merge")


def push_submodules_first(landing: Landing, sha: str) -> None:
    """Push the submodules' own commits first, if push.recurseSubmodules says so."""
    git = landing.git
    if not git.submodules.pushes_submodules():
        return
    for path, link in git.submodules.gitlinks(sha).items():
        if not git.submodules.is_unpushed_in_submodule(path, link):
            continue
        done = git.submodules.push_submodule(path, listener=landing.listen("push", f"git push in {path}"))
        if not done.ok:
            raise CommandError(
                f"could not push the submodule {join_names([path])}: {error_message(done)}",
                hint="push the submodule from its own directory, then run git land again",
                exit=ExitCode.PUSH_FAILED,
            )
        landing.log(f"pushed the submodule {path}", source="push")
