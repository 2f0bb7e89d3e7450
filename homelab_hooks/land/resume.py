"""Taking a landing up where it was left, or back to where it began."""

from __future__ import annotations

import shlex
from dataclasses import replace

from homelab_hooks import credentials
from homelab_hooks.errors import Problem
from homelab_hooks.events import Stage
from homelab_hooks.exits import Exit
from homelab_hooks.git.repository import Git
from homelab_hooks.git.verbs import complaint
from homelab_hooks.land import steps
from homelab_hooks.land.course import BACK, Course, short_sha
from homelab_hooks.land.finish import unknown
from homelab_hooks.land.merge import not_continued
from homelab_hooks.land.ownership import began, made
from homelab_hooks.land.refusals import foreign, locked_by
from homelab_hooks.land.request import Strategy
from homelab_hooks.land.state import State
from homelab_hooks.land.submodules import follow
from homelab_hooks.land.tree_check import difference
from homelab_hooks.sentences import listed
from homelab_hooks.verdict import Verdict

ORPHAN = 60.0
"""seconds that a push which has outlived its landing may take"""
LATE = 2.0
"""seconds after which a server that did not have the commit is asked again"""


def whole(state: State, git: Git) -> State:
    """The state with the passwords of its URLs, which stand in git's settings alone."""
    remote = credentials.whole(state.remote, (git.push_remote(state.branch), git.push_default()))
    return replace(state, remote=remote, push_url=credentials.whole(state.push_url, git.push_urls(remote)))


def pick_up(course: Course) -> None:
    """Finish a merge whose conflicts are resolved, and see that the landing can go on from here."""
    git, state = course.git, course.state
    free(git)
    operation = git.operation()
    if operation and not began(state, operation):
        raise foreign(operation)
    if operation.name == "rebase" and git.branch():  # killed before it had left the branch: nothing to go on with
        git.abort_operation(operation.name)
    elif operation:
        _finish(course, operation.name)
    _same_place(course)
    _undo_half_a_merge(course)
    head = git.head()
    follow(course, was=[state.start, state.made, *git.parents(head)[:1]], now=head)
    what, hint = difference(git, head)
    if what:
        raise Problem(
            f"{what}; the landing would not contain that",
            hint=f"{hint}, or put it aside (git stash), then git land --continue; {BACK}",
            exit=Exit.REFUSED,
        )
    course.keep(merge_began_at="")


def _finish(course: Course, operation: str) -> None:
    git = course.git
    files = git.unmerged()
    if files:
        raise Problem(
            f"these files still have conflicts: {listed(files)}",
            hint="resolve and git add them, then git land --continue; or git land --abort",
            exit=Exit.CONFLICT,
        )
    done = git.finish_operation(operation)
    if not done.ok:
        raise not_continued(course, done)
    course.keep(made=git.head(), merge_began_at="")


def arrived(course: Course) -> bool | None:
    """Whether a push that was cut short has arrived: what still runs of it is waited for, and a no is asked for twice.

    A server that has the whole push may work on it after its client is gone.
    """
    _outlive(course)
    there = steps.ask(course)
    if there is False and not course.state.ended:
        course.parts.clock.sleep(LATE)
        there = steps.ask(course)
    if there is False:
        course.keep(in_doubt=False)
    return there


def _outlive(course: Course) -> None:
    clock, pusher = course.parts.clock, course.git.pusher(course.state.candidate)
    until = clock.now() + ORPHAN
    if pusher:
        course.say(f"the push of this landing still runs, as process {pusher}: waiting for its end", source="push")
    while pusher:
        if clock.now() >= until:
            raise Problem(
                f"the push of this landing still runs, as process {pusher}: unknown what comes of it",
                hint="wait for its end, or end it; then the same command again",
                exit=Exit.UNREACHABLE,
            )
        clock.sleep(0.5)
        pusher = course.git.pusher(course.state.candidate)
    course.git.forget_pusher()


def free(git: Git) -> None:
    """Nothing is done while another git works here, or where a killed one left its lock."""
    lock = git.lock()
    if lock is not None:
        raise locked_by(str(lock))


def go_back(course: Course) -> Verdict:
    """Restore the branch and the work tree; what has landed stays landed, and is said."""
    state = course.state
    there = bool(state.landed) or (arrived(course) if state.in_doubt else False)
    if there is None:
        return unknown(course)
    if there:
        sha = state.landed or state.candidate
        course.forget()
        reason = f"{sha} is on {state.target} already: that cannot be taken back"
        again = state.request.watching(sha)
        hint = f"watch it: {again}" if again else ""
        return Verdict(exit=Exit.OK, reason=reason, hint=hint, sha=sha, landed=True)
    if _gone(course):
        return _forgotten(course, f"{state.branch} is not to be had here")
    git = course.git
    free(git)
    _undo_operation(course)
    _same_place(course)
    _undo_half_a_merge(course)
    head = git.head()
    if not made(state, head, git.parents(head), git.last_rebase(state.branch)):
        return _kept(course)
    _reset(course)
    course.forget()
    reason = f"{state.branch} is back at {short_sha(state.start)}; nothing was landed"
    return Verdict(exit=Exit.OK, reason=reason, sha=state.start, landed=False)


def _undo_operation(course: Course) -> None:
    git, operation = course.git, course.git.operation()
    if not operation:
        return
    if not began(course.state, operation):
        raise foreign(operation)
    done = git.abort_operation(operation.name)
    if not done.ok:
        raise Problem(f"git cannot undo the {operation.name}: {complaint(done)}", exit=Exit.REFUSED)


def _gone(course: Course) -> bool:
    """Whether the landing's branch was deleted, or is in another work tree, so that nobody can switch to it here."""
    git, state = course.git, course.state
    if git.branch() == state.branch or git.operation().name == "rebase":
        return False
    return not git.head_of(state.branch) or f"refs/heads/{state.branch}" in git.work_trees().values()


def _kept(course: Course) -> Verdict:
    """Somebody's own commits are on the branch: nothing is taken from it, and what the landing left there is named."""
    git, state = course.git, course.state
    ours = state.made if state.made and git.is_ancestor(older=state.made, newer=git.head()) else ""
    if not ours or ours == state.start:
        return _forgotten(course, f"{state.branch} stays as it is, with your commits")
    if len(git.parents(ours)) > 1:
        left = f"the merge {short_sha(ours)} of {course.upstream} stays"
        hint = f"to take it out and keep your commits: git rebase --onto {state.start} {ours}"
    else:
        left = f"its commits stay as they were put on {course.upstream}, up to {short_sha(ours)}"
        hint = ""
    return _forgotten(course, f"{state.branch} keeps your commits, and {left}", hint=hint)


def _forgotten(course: Course, why: str, *, hint: str = "") -> Verdict:
    course.forget()
    reason = f"the landing is forgotten: {why}; nothing was landed"
    return Verdict(exit=Exit.OK, reason=reason, hint=hint, sha=course.git.head(), landed=False)


def _undo_half_a_merge(course: Course) -> None:
    """A merge that was killed before git wrote down that it runs: undo it, if nothing else is staged."""
    git, state = course.git, course.state
    if not state.onto or (state.stage is not Stage.MERGE and not git.changes()):
        return
    rebasing = state.request.strategy is Strategy.REBASE
    tree = git.tree(state.onto) if rebasing else git.merged_tree(git.head(), state.onto)
    changes = git.changes()
    if changes and all(change[1] == " " for change in changes):
        if tree and git.index_tree() == tree:
            git.reset_merge()
    elif tree and all(change[0] == " " for change in changes):
        _undo_files(git, tree, [change[3:] for change in changes])


def _undo_files(git: Git, tree: str, changed: list[str]) -> None:
    """The files were written and the index was not: give back what HEAD has, unless somebody's own work is among them.

    A new file that is what the merge would have made of it is the merge's.
    """
    if git.foreign(tree, changed):
        return
    new = git.new_files(tree)
    for path in set(new) - set(git.foreign(tree, new)):
        git.remove_file(path)
    if changed:
        git.restore(changed)


def _same_place(course: Course) -> None:
    branch, state = course.git.branch(), course.state
    if branch != state.branch:
        raise Problem(
            f"the landing is of {state.branch}, but {branch or 'a detached HEAD'} is checked out",
            hint=f"git switch {shlex.quote(state.branch)}, then the same command again",
            exit=Exit.REFUSED,
        )


def _reset(course: Course) -> None:
    git, state = course.git, course.state
    head = git.head()
    if head == state.start:
        return
    done = git.reset_keep(state.start)
    if not done.ok:
        raise Problem(f"git cannot set {state.branch} back: {complaint(done)}", exit=Exit.REFUSED)
    follow(course, was=[head], now=state.start)
