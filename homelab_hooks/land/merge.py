"""Merges or rebases the target into the branch, and leaves either the result, conflicts to resolve, or nothing."""

from __future__ import annotations

from homelab_hooks.errors import Problem
from homelab_hooks.events import Level, Stage
from homelab_hooks.exits import Exit
from homelab_hooks.git.push import words
from homelab_hooks.git.verbs import complaint
from homelab_hooks.land.course import BACK, Course, short_sha
from homelab_hooks.land.ownership import began
from homelab_hooks.land.refusals import foreign
from homelab_hooks.land.request import Strategy
from homelab_hooks.land.submodules import follow
from homelab_hooks.land.tree_check import DURING_FETCH, require_same_tree
from homelab_hooks.proc import Done
from homelab_hooks.sentences import listed


def merge(course: Course, tip: str) -> str:
    """Bring the target in; the commit that the branch is at then."""
    git = course.git
    with course.stage(Stage.MERGE) as note:
        head = git.head()
        if git.is_ancestor(older=tip, newer=head):
            note.skip(f"{course.upstream} is contained already")
            return head
        _require_ready(course, head)
        mine = git.present(git.new_files(tip))
        course.keep(merge_began_at=head)
        done = _join(course, tip)
        if not done.ok:
            problem = not_merged(course, done)
            if not git.operation():
                _take_back(course, [path for path in git.new_files(tip) if path not in mine])
                course.keep(merge_began_at="")
            raise problem
        was, head = head, git.head()
        course.keep(made=head, merge_began_at="")
        if not git.is_ancestor(older=tip, newer=head):
            raise Problem(f"git did not bring {course.upstream} in", hint=BACK, exit=Exit.REFUSED)
        follow(course, was=[was], now=head)
        note.detail = f"{short_sha(head)} contains {course.upstream}"
    return head


def _require_ready(course: Course, head: str) -> None:
    """Nothing of the user's is in the way, and the strategy allows a merge."""
    operation = course.git.operation()
    if operation:
        raise foreign(operation)
    require_same_tree(course, head, when=DURING_FETCH)
    if course.request.strategy is Strategy.FF_ONLY:
        raise Problem(
            f"{course.upstream} has moved, and only a fast-forward was asked for",
            hint="merge or rebase it yourself, or land with --strategy merge",
            exit=Exit.CONFLICT,
        )


def _join(course: Course, tip: str) -> Done:
    if course.request.strategy is Strategy.REBASE:
        return course.git.rebase(tip)
    message = f"Merge remote-tracking branch '{course.upstream}' into {course.state.branch}"
    return course.git.merge(tip, message=message)


def _take_back(course: Course, new: list[str]) -> None:
    """Undo what git wrote before it broke off.

    No file was changed before it began, and none of the `new` ones was there. A changed file that the merge does not
    touch was written by something else at that moment: it stays.
    """
    git = course.git
    for path in new:
        git.remove_file(path)
    touched = set(git.touched_files(course.state.onto))
    changed = [entry[3:] for entry in git.changes() if entry[3:] in touched]
    if changed:
        done = git.restore(changed)
        if not done.ok:
            text = f"what git had begun could not be undone in {listed(changed)}: {complaint(done)}"
            course.say(text, source="merge", level=Level.WARNING)


def not_merged(course: Course, done: Done) -> Problem:
    """Why a merge or rebase did not come to its end; only conflicts are left in the work tree."""
    git = course.git
    files, operation = git.unmerged(), git.operation()
    if operation and not began(course.state, operation):
        return foreign(operation)
    if files:
        return _conflict(course, files)
    for line in words(done.out + done.err):
        course.say(line, source="merge")
    if not operation:
        return Problem(f"git refused to merge {course.upstream}: {complaint(done)}", exit=Exit.REFUSED)
    git.abort_operation(operation.name)
    return Problem(
        f"the merge with {course.upstream} was not committed: {complaint(done)}",
        hint="a hook or signing stopped it: mend that, then git land again",
        exit=Exit.PUSH_FAILED,
    )


def not_continued(course: Course, done: Done) -> Problem:
    """Why one whose conflicts are resolved could not be finished: the resolution stays, whatever the reason."""
    files = course.git.unmerged()
    if files:
        return _conflict(course, files)
    return Problem(
        f"what is resolved could not be committed: {complaint(done)}",
        hint=f"a hook or signing stopped it: mend that, then git land --continue; {BACK}",
        exit=Exit.PUSH_FAILED,
    )


def _conflict(course: Course, files: tuple[str, ...]) -> Problem:
    return Problem(
        f"{course.upstream} conflicts with {course.state.branch} in: {listed(files)}",
        hint=f"resolve and git add them, then git land --continue; {BACK}",
        exit=Exit.CONFLICT,
    )
