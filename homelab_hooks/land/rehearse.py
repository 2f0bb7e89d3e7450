"""What a landing would do, and everything that would stop it: said at once, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from homelab_hooks import remote as remotes
from homelab_hooks.errors import Problem
from homelab_hooks.events import Progress, Stage, StageChanged
from homelab_hooks.exits import Exit
from homelab_hooks.land.course import Course, short_sha
from homelab_hooks.land.finish import post_push_hook
from homelab_hooks.land.preflight import check_ci, gather, goes_to, store
from homelab_hooks.land.refusals import Facts, refusals
from homelab_hooks.land.request import Command, Detect, Parts, Request, Skip, Strategy
from homelab_hooks.land.state import busy, held_by
from homelab_hooks.land.verify import find
from homelab_hooks.looks import Absent, Denied, Missed, Seen
from homelab_hooks.sentences import counted, listed

T = TypeVar("T")
_NOTHING = "there would be nothing to land"


def rehearse(request: Request, parts: Parts) -> tuple[str, tuple[Problem, ...]]:
    """Say what a landing would do; the commit, and all that would stop it, the first to be told first."""
    found: list[Problem] = []
    git = parts.git
    remote = _tried(found, lambda: goes_to(request, git)) or ""
    facts, state = gather(request, git, remote)
    found += refusals(facts)
    _tried(found, lambda: _nobody_else(git.private_dir()))
    _tried(found, lambda: check_ci(parts))
    course = Course(parts, store(git), state)
    tip = _tried(found, lambda: _target(course)) or ""
    merging = _merging(course, facts, tip)
    more = () if merging.endswith(_NOTHING) else (_verifying(course), _pushing(course), _watching(parts))
    for line in (merging, *more):
        if line:
            course.say(line)
    each = tuple({problem.what: problem for problem in reversed(found)}.values())[::-1]
    for problem in each:
        course.say(f"would be refused: {problem.what}" + (f"; {problem.hint}" if problem.hint else ""))
    progress = Progress.FAILED if each else Progress.DONE
    detail = each[0].what if each else "nothing was changed"
    parts.tell(StageChanged(stage=Stage.PREFLIGHT, progress=progress, detail=detail))
    return facts.head, each


def _tried(found: list[Problem], act: Callable[[], T]) -> T | None:
    try:
        return act()
    except Problem as problem:
        found.append(problem)
        return None


def _nobody_else(directory: Path) -> None:
    holder = held_by(directory)
    if holder:
        raise busy(holder)


def _target(course: Course) -> str:
    """The target's commit as the server says."""
    git, state = course.git, course.state
    if not state.remote or not state.target:
        return ""
    match git.tip(state.push_url, state.target):
        case Seen(tip):
            return str(tip)
        case Absent():
            hint = "name another: --onto BRANCH"
            raise Problem(f"there is no branch {course.upstream}", hint=hint, exit=Exit.REFUSED)
        case Missed(reason) | Denied(reason):
            raise Problem(f"{course.upstream} cannot be asked for: {reason}", exit=Exit.PUSH_FAILED)


def _merging(course: Course, facts: Facts, tip: str) -> str:
    git, strategy = course.git, course.request.strategy
    if not tip or not facts.head:
        return ""
    at = f"{course.upstream} is at {short_sha(tip)}"
    if not git.knows(tip):
        return f"{at}, which is not here yet: would fetch it and land {facts.branch} by {strategy}"
    ahead, behind = git.ahead(of=tip, sha=facts.head), git.ahead(of=facts.head, sha=tip)
    if not ahead:
        return f"{at} and contains {facts.branch}: {_NOTHING}"
    new = f"{counted(behind, 'commit')} that {facts.branch} has not" if behind else f"which {facts.branch} has"
    line = f"{at}, {new}: would land {counted(ahead, 'commit')}"
    if behind and strategy is Strategy.FF_ONLY:
        return f"{line}, but a fast-forward cannot (21)"
    files = git.conflicts(facts.head, tip) if behind else ()
    return f"{line} by {strategy}" + (f", with conflicts in: {listed(files)} (21)" if files else "")


def _verifying(course: Course) -> str:
    chosen = course.request.verify
    if isinstance(chosen, Detect):
        chosen = find(course.git.top_level()) or chosen
    match chosen:
        case Command(command, why):
            return f"would verify with `{command}`: {why}"
        case Skip():
            return "would not verify: --no-verify"
        case Detect():
            return "would find nothing to verify with"


def _pushing(course: Course) -> str:
    state = course.state
    if not state.remote or not state.target:
        return ""
    return f"would push to {state.target} on {state.remote}, {remotes.shown(state.push_url)}"


def _watching(parts: Parts) -> str:
    if parts.after is None:
        return "would not watch"
    hook = post_push_hook(parts.git) if parts.run_hook else None
    return f"would run {hook}" if hook else f"would {parts.afterwards}"
