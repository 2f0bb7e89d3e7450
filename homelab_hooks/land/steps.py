"""The steps of a landing: bring the target in, verify, push, ask."""

from __future__ import annotations

from collections import deque

from homelab_hooks.errors import Problem
from homelab_hooks.events import Level, Stage
from homelab_hooks.exits import Exit
from homelab_hooks.git.push import Kind, Outcome, unreached, words
from homelab_hooks.git.verbs import complaint
from homelab_hooks.land.course import BACK, Course, short_sha
from homelab_hooks.land.plan import failure
from homelab_hooks.land.request import Command, Detect, Skip
from homelab_hooks.land.submodules import push_ahead
from homelab_hooks.land.tree_check import (
    BEFORE_PUSH,
    BEFORE_VERIFICATION,
    DURING_VERIFICATION,
    require_same_tree,
)
from homelab_hooks.land.verify import find
from homelab_hooks.looks import Absent, Denied, Missed, Seen
from homelab_hooks.proc import Done

TAIL = 10
ASKED = 3
"""how often the server is asked about a push that nobody knows of"""


def fetch(course: Course) -> str:
    """The target's commit now, from where it will be pushed to."""
    git, state = course.git, course.state
    with course.stage(Stage.FETCH) as note:
        named = state.remote in git.remotes()
        source = state.remote if not named or git.fetch_url(state.remote) == state.push_url else state.push_url
        tip, done = git.fetch_tip(source, state.target, remote=state.remote if named else "")
        if not tip:
            raise _not_fetched(course, done)
        course.keep(onto=tip)
        if git.is_shallow() and not git.related(git.head(), tip):
            git.fetch_all_history(source)
        note.detail = f"{course.upstream} is at {short_sha(tip)}"
    return tip


def _not_fetched(course: Course, done: Done) -> Problem:
    said = words(done.err)
    if done.ok:
        hint = "check refs/homelab and the hooks that git runs for refs, then git land again"
        return Problem(f"the fetch brought no commit of {course.upstream}", hint=hint, exit=Exit.PUSH_FAILED)
    if "couldn't find remote ref" in done.err:
        return Problem(f"there is no branch {course.upstream}", hint="name another: --onto BRANCH", exit=Exit.REFUSED)
    problem = failure(Outcome(kind=unreached(done.err), why=complaint(done), said=said))
    reason = f"{course.upstream} could not be fetched: {complaint(done)}"
    return Problem(reason, hint=problem.hint, exit=problem.exit)


def verify(course: Course, sha: str) -> None:
    """Verify the tree that is pushed, once; a Problem (22) where that fails or changes it."""
    git = course.git
    with course.stage(Stage.VERIFY) as note:
        chosen = verification(course)
        if chosen is None:
            note.skip("left out on purpose: --no-verify")
            return
        tree = git.tree(sha)
        if tree == course.state.verified_tree:
            note.skip("the same tree as verified before")
            return
        require_same_tree(course, sha, when=BEFORE_VERIFICATION)
        course.say(f"verifying with `{chosen.command}`: {chosen.why}", source="verify")
        _run(course, chosen)
        require_same_tree(course, sha, when=DURING_VERIFICATION)
        course.keep(verified_tree=tree)
        note.detail = chosen.command


def verification(course: Course) -> Command | None:
    """The command to verify with; None where somebody asked for none."""
    match course.request.verify:
        case Skip():
            return None
        case Command() as chosen:
            return chosen
        case Detect():
            found = find(course.git.top_level())
            if found is None:
                raise Problem("the files that said how to verify are gone", hint="--verify-cmd CMD", exit=Exit.REFUSED)
            return found


def _run(course: Course, chosen: Command) -> None:
    tail: deque[str] = deque(maxlen=TAIL)

    def hear(line: str) -> None:
        tail.append(line)
        course.say(line, source="verify")

    argv = ["sh", "-c", chosen.command]
    env = {"HOMELAB_IN_LAND": "1"}
    done = course.parts.commands.stream(argv, hear, cwd=course.git.top_level(), env=env)
    if not done.ok:
        for line in tail:
            course.say(line, source="verify", level=Level.ERROR)
        raise Problem(
            f"the verification failed with exit code {done.code}: {chosen.command}",
            hint=f"mend it, commit, then git land again; {BACK}",
            exit=Exit.VERIFY_FAILED,
        )


def push(course: Course, sha: str) -> Outcome:
    """Push exactly the commit that was verified."""
    with course.stage(Stage.PUSH) as note:
        push_ahead(course, sha)
        require_same_tree(course, sha, when=BEFORE_PUSH)
        course.keep(candidate=sha, tried=course.state.tried + 1, in_doubt=True)
        state = course.state
        options = course.request.push_options
        outcome = course.git.push_exactly(sha, to=state.target, remote=state.remote, options=options)
        course.keep(in_doubt=outcome.kind in {Kind.LANDED, Kind.UNKNOWN})
        for line in outcome.said:
            course.say(line, source="push")
        note.detail = outcome.why or f"{short_sha(sha)} to {course.upstream}"
        if outcome.kind is not Kind.LANDED:
            note.fail()
    return outcome


def ask(course: Course) -> bool | None:
    """Whether the pushed commit is on the target, from the server itself; None where it does not say."""
    git, state = course.git, course.state
    for turn in range(ASKED):
        match git.tip(state.push_url, state.target):
            case Seen(tip):
                return tip == state.candidate or _contained(course, tip)
            case Absent():
                return False
            case Missed(reason) | Denied(reason):
                course.say(f"no answer about the push: {reason}", source="push", level=Level.WARNING)
                if turn + 1 < ASKED:
                    course.parts.clock.sleep(2.0**turn)
    return None


def _contained(course: Course, tip: str) -> bool | None:
    git, state = course.git, course.state
    if not git.knows(tip):
        git.fetch_quietly(state.push_url, f"refs/heads/{state.target}")
    return git.is_ancestor(older=state.candidate, newer=tip) if git.knows(tip) else None
