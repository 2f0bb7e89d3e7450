"""Taking a landing up where it was left, or back to where it began."""

from __future__ import annotations

from homelab_hooks.errors import Problem
from homelab_hooks.exits import Exit
from homelab_hooks.git.verbs import complaint
from homelab_hooks.land import steps
from homelab_hooks.land.course import Course, short_sha
from homelab_hooks.land.finish import unknown
from homelab_hooks.land.plan import listed
from homelab_hooks.land.state import State
from homelab_hooks.verdict import Verdict


def pick_up(course: Course) -> None:
    """Finish a merge whose conflicts are resolved, and see that the landing can go on from here."""
    git = course.git
    operation = git.operation()
    if operation in {"merge", "rebase"}:
        files = git.unmerged()
        if files:
            raise Problem(
                f"these files still have conflicts: {listed(files)}",
                hint="resolve and git add them, then git land --continue; or git land --abort",
                exit=Exit.CONFLICT,
            )
        done = git.go_on(operation)
        if not done.ok:
            raise steps.not_merged(course, done)
        course.keep(made=git.head())
    _same_place(course)
    _undo_half_a_merge(course)
    changes = git.changes()
    if changes:
        raise Problem(
            f"the work tree has changes that would not be landed: {listed(entry[3:] for entry in changes)}",
            hint=f"commit them, or put them aside (git stash), then git land --continue; {steps.BACK}",
            exit=Exit.REFUSED,
        )


def go_back(course: Course) -> Verdict:
    """Restore the branch and the work tree; what has landed stays landed, and is said."""
    git, state = course.git, course.state
    there = bool(state.landed) or (steps.ask(course) if state.in_doubt else False)
    if there is None:
        return unknown(course)
    if there:
        sha = state.landed or state.candidate
        course.forget()
        reason = f"{sha} is on {state.target} already: that cannot be taken back"
        hint = f"watch it: {state.request.resume.replace('{sha}', sha)}"
        return Verdict(exit=Exit.OK, reason=reason, hint=hint, sha=sha, landed=True)
    operation = git.operation()
    if operation in {"merge", "rebase"}:
        done = git.give_up(operation)
        if not done.ok:
            raise Problem(f"git cannot undo the {operation}: {complaint(done)}", exit=Exit.REFUSED)
    _same_place(course)
    _undo_half_a_merge(course)
    _reset(course)
    course.forget()
    reason = f"{state.branch} is back at {short_sha(state.start)}; nothing was landed"
    return Verdict(exit=Exit.OK, reason=reason, sha=state.start, landed=False)


def _undo_half_a_merge(course: Course) -> None:
    """A merge that was killed before git wrote down that it runs: undo it, if nothing else is staged."""
    git, state = course.git, course.state
    changes = git.changes()
    if not changes or not state.onto or any(change[1] != " " for change in changes):
        return
    staged = git.index_tree()
    if staged and staged == git.merged_tree(git.head(), state.onto):
        git.reset_merge()


def _same_place(course: Course) -> None:
    branch, state = course.git.branch(), course.state
    if branch != state.branch:
        raise Problem(
            f"the landing is of {state.branch}, but {branch or 'a detached HEAD'} is checked out",
            hint=f"git switch {state.branch}, then the same command again",
            exit=Exit.REFUSED,
        )


def _reset(course: Course) -> None:
    git, state = course.git, course.state
    head = git.head()
    if head == state.start:
        return
    if not ours(state, head, git.parents(head), git.last_move()):
        raise Problem(
            f"{state.branch} has commits that the landing did not make",
            hint=f"if they are to go: git reset --keep {state.start}; else keep them and git land again",
            exit=Exit.REFUSED,
        )
    done = git.reset_keep(state.start)
    if not done.ok:
        raise Problem(f"git cannot set {state.branch} back: {complaint(done)}", exit=Exit.REFUSED)


def ours(state: State, head: str, parents: tuple[str, ...], last_move: str) -> bool:
    """Whether the branch's commit is one that the landing made, so that going back loses nobody's work."""
    if head in {state.start, state.made}:
        return True
    merged = state.onto in parents[1:] and parents[0] in {state.start, state.made}
    return merged or (not state.made and last_move.startswith("rebase (finish)"))
