"""Land, go on with a landing, or go back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, assert_never

from homelab_hooks.errors import Problem
from homelab_hooks.events import Level, Stage
from homelab_hooks.exits import Exit
from homelab_hooks.git.push import Kind, Outcome
from homelab_hooks.git.repository import Git
from homelab_hooks.land import steps
from homelab_hooks.land.course import Course, short_sha
from homelab_hooks.land.finish import announce, finish, landed, unknown
from homelab_hooks.land.merge import merge
from homelab_hooks.land.ownership import began
from homelab_hooks.land.plan import Again, Ask, OfferBranch, Rejoice, Stop, after_push, again, failure
from homelab_hooks.land.preflight import begin, check_ci, store
from homelab_hooks.land.rehearse import rehearse
from homelab_hooks.land.request import Landed, Parts, Request, Verify
from homelab_hooks.land.resume import arrived, go_back, pick_up, whole
from homelab_hooks.land.state import State, locked
from homelab_hooks.verdict import Verdict

CameTo = Landed | Verdict


def run(request: Request, parts: Parts) -> Verdict:
    """Land the branch that is checked out; the verdict says truthfully whether it is on the target."""
    if request.dry_run:
        return _refused_or(parts, lambda: _rehearsed(request, parts))
    return _refused_or(parts, lambda: _to_the_end(parts, lambda: begin(request, parts), go))


def proceed(parts: Parts, verify: Verify | None = None) -> Verdict:
    """Go on with the landing that this work tree has begun, with the options it began with.

    Args:
        verify: how it is verified now, where that was not told by an option.
    """
    return _refused_or(
        parts, lambda: _to_the_end(parts, lambda: _taken_up(parts, "continue"), lambda course: _resumed(course, verify))
    )


def abort(parts: Parts) -> Verdict:
    """Set branch and work tree back to where they were, unless the landing has happened."""

    def back() -> Verdict:
        with _alone(parts.git):
            return go_back(_taken_up(parts, "abort"))

    return _refused_or(parts, back)


def pending(git: Git) -> State | None:
    """The landing that this work tree has begun, None where there is none: its request keeps the caller's `extra`."""
    return store(git).load() if git.git_dir() else None


def go(course: Course) -> CameTo:
    """Fetch, merge, verify and push until it is settled."""
    try:
        while True:
            came_to = _once(course)
            if came_to is not None:
                return came_to
    except Problem as problem:
        _leave(course, problem)
        raise


def _once(course: Course) -> CameTo | None:
    """One turn; None: the target has moved, once more."""
    git = course.git
    tip = steps.fetch(course)
    if course.state.candidate and git.is_ancestor(older=course.state.candidate, newer=tip):
        return announce(course)
    if not git.is_ancestor(older=git.head(), newer=tip):
        sha = merge(course, tip)
        if sha != tip:
            steps.verify(course, sha)
            return _pushed(course, steps.push(course, sha))
    return _nothing(course)


def _pushed(course: Course, outcome: Outcome) -> CameTo | None:
    request, tried = course.request, course.state.tried
    step = after_push(outcome, tried=tried, attempts=request.attempts, jitter=course.parts.jitter())
    there: bool | None = None
    if isinstance(step, Rejoice | Ask):
        there = _confirm(course, step)
        if there is False:
            step = again(tried, request.attempts, course.parts.jitter(), f"the push did not arrive: {outcome.why}")
    match step:
        case Rejoice() | Ask():
            return announce(course) if there else unknown(course)
        case Again(wait, why):
            course.say(f"{why}; trying again in {wait:.1f} s", level=Level.WARNING)
            course.parts.clock.sleep(wait)
            return None
        case OfferBranch():
            return _offer(course, outcome)
        case Stop(problem):
            raise problem
        case _:
            assert_never(step)


def _confirm(course: Course, step: Rejoice | Ask) -> bool | None:
    with course.stage(Stage.CONFIRM) as note:
        there = True if isinstance(step, Rejoice) else steps.ask(course)
        if there is False:
            course.keep(in_doubt=False)
        if not there:
            note.fail()
        note.detail = {True: "the server has it", False: "the server does not have it", None: "no answer"}[there]
    return there


def _offer(course: Course, refused: Outcome) -> Verdict:
    """The target is protected: push the branch, so that a pull request can be opened (23)."""
    git, state = course.git, course.state
    outcome = git.push_exactly(
        state.candidate, to=state.branch, remote=state.remote, options=course.request.push_options
    )
    for line in outcome.said:
        course.say(line, source="push")
    if outcome.kind is not Kind.LANDED:
        problem = failure(outcome)
        raise Problem(
            f"{state.target} takes no direct pushes, and {state.branch} could not be pushed: {problem.what}",
            hint=problem.hint,
            exit=Exit.PUSH_FAILED,
        )
    link = outcome.link or refused.link
    course.say(f"pushed {state.branch}" + (f"; open a pull request: {link}" if link else ""))
    course.forget()
    return Verdict(
        exit=Exit.PROTECTED, reason=f"{state.target} takes no direct pushes: {refused.why}; {state.branch} was pushed",
        hint=f"open a pull request: {link}" if link else "open a pull request for it", sha=state.candidate, url=link,
        landed=False,
    )  # fmt: skip


def _nothing(course: Course) -> Verdict:
    reason = f"{course.state.branch} is contained in {course.upstream} already"
    sha = course.git.head()
    course.forget()
    return Verdict(exit=Exit.OK, word="nothing", reason=reason, sha=sha, landed=False)


def _leave(course: Course, problem: Problem) -> None:
    """Keep the state only where there is something to go on with or to go back from."""
    git = course.git
    merging = began(course.state, git.operation())
    if problem.exit is Exit.VERIFY_FAILED or merging or git.head() != course.state.start:
        course.keep(ended=problem.exit.verdict)
    else:
        course.forget()


def _resumed(course: Course, verify: Verify | None) -> CameTo:
    if course.state.landed:
        return landed(course)
    check_ci(course.parts)
    if course.state.in_doubt:
        there = arrived(course)
        if there is not False:
            return announce(course) if there else unknown(course)
    pick_up(course)
    course.keep(ended="", tried=0, **_verified_anew(course.state, verify))
    return go(course)


def _verified_anew(state: State, verify: Verify | None) -> dict[str, Any]:
    """What was verified otherwise counts as not verified."""
    if verify is None or verify == state.request.verify:
        return {}
    return {"request": replace(state.request, verify=verify), "verified_tree": ""}


def _taken_up(parts: Parts, verb: str) -> Course:
    state = pending(parts.git)
    if state is None:
        raise Problem(f"there is no landing to {verb}", hint="start one: git land", exit=Exit.REFUSED)
    return Course(parts, store(parts.git), whole(state, parts.git))


def _to_the_end(parts: Parts, start: Callable[[], Course], drive: Callable[[Course], CameTo]) -> Verdict:
    with _alone(parts.git):
        course = start()
        came_to = drive(course)
    return came_to if isinstance(came_to, Verdict) else finish(course, came_to)


def _rehearsed(request: Request, parts: Parts) -> Verdict:
    sha, problems = rehearse(request, parts)
    for problem in problems:
        raise problem
    return Verdict(exit=Exit.OK, reason="this was a rehearsal, nothing was changed", sha=sha, landed=False)


@contextmanager
def _alone(git: Git) -> Iterator[None]:
    with locked(git.private_dir(), who=f"landing {git.branch() or short_sha(git.head())} in {git.top_level()}"):
        yield


def _refused_or(parts: Parts, act: Callable[[], Verdict]) -> Verdict:
    """What was refused was not landed; only of a push that nobody can settle it is unknown (8)."""
    try:
        return act()
    except Problem as problem:
        landed = None if problem.exit is Exit.UNREACHABLE else False
        return Verdict(exit=problem.exit, reason=problem.what, hint=problem.hint, sha=_head(parts.git), landed=landed)


def _head(git: Git) -> str:
    """What is checked out, for the last word; nothing where git says nothing."""
    try:
        return git.head()
    except Problem:
        return ""
