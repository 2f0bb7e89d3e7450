"""Submodules follow the commit that is verified, and are pushed before it where the user wants that."""

from __future__ import annotations

from collections.abc import Iterable

from homelab_hooks.errors import Problem
from homelab_hooks.exits import Exit
from homelab_hooks.git.verbs import complaint
from homelab_hooks.land.course import Course
from homelab_hooks.sentences import listed


def follow(course: Course, *, was: Iterable[str], now: str) -> None:
    """Bring the submodules to what the commit `now` records, so that what is verified is what is pushed.

    Only those that stood where one of the commits `was` had them: another place is somebody's own work.
    """
    git = course.git
    if not git.has_submodules():
        return
    known = [git.links(sha) for sha in dict.fromkeys(was) if sha]
    stale = []
    for path, wanted in git.links(now).items():
        head = git.submodule_head(path)
        if head != wanted and head in {links.get(path) for links in known}:
            stale.append(path)
    if not stale:
        return
    done = git.update_submodules(*stale)
    if not done.ok:
        raise Problem(
            f"the submodules cannot follow the merge ({listed(stale)}): {complaint(done)}",
            hint="make git submodule update work, then git land --continue; or git land --abort",
            exit=Exit.PUSH_FAILED,
        )
    course.say(f"brought to the recorded commits: {listed(stale)}", source="merge")


def push_ahead(course: Course, sha: str) -> None:
    """Push the submodules' own commits first, where push.recurseSubmodules says so."""
    git = course.git
    if not git.pushing():
        return
    for path, link in git.links(sha).items():
        if not git.only_in_submodule(path, link):
            continue
        done = git.push_submodule(path)
        if not done.ok:
            raise Problem(
                f"the submodule {listed([path])} could not be pushed: {complaint(done)}",
                hint="push it from its own folder, then git land again",
                exit=Exit.PUSH_FAILED,
            )
        course.say(f"pushed the submodule {path}", source="push")
