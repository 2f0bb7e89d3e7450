"""After a landing is certain: say so, then the repository's own post-push hook, else watch and deploy."""

from __future__ import annotations

import os
from pathlib import Path

from homelab_hooks.credentials import hidden
from homelab_hooks.errors import Problem
from homelab_hooks.events import Stage
from homelab_hooks.exits import Exit
from homelab_hooks.git.repository import Git
from homelab_hooks.land.course import Course
from homelab_hooks.land.request import Landed
from homelab_hooks.remote import shown
from homelab_hooks.verdict import Verdict

_NOT_LANDED = {Exit.USAGE, Exit.REFUSED, Exit.CONFLICT, Exit.VERIFY_FAILED, Exit.PROTECTED, Exit.PUSH_FAILED}
"""codes of `git land` that mean nothing was landed: no later trouble may end with one of them"""
_HOOK_CODES = {*range(1, 11), 124} - {2}


def announce(course: Course) -> Landed:
    """The landing is certain: write it down, then say it, before anything else is tried."""
    state = course.state
    course.keep(landed=state.candidate, stage=Stage.CONFIRM)
    course.say(f"landed {state.candidate} on {state.target}")
    if again := course.request.watching(state.candidate):
        course.say(f"to take the watching up again: {again}")
    return landed(course)


def landed(course: Course) -> Landed:
    """What the post-push stage is told."""
    state = course.state
    return Landed(
        sha=state.landed, branch=state.target, remote=state.remote, push_url=state.push_url, before=state.onto
    )


def finish(course: Course, there: Landed) -> Verdict:
    """The post-push stage; whatever it comes to, the commit is landed."""
    course.keep(stage=Stage.WATCH)
    try:
        verdict = _post_push(course, there)
    except Problem as problem:
        verdict = Verdict(exit=problem.exit, reason=problem.what, hint=problem.hint)
    if verdict.exit in _NOT_LANDED:
        verdict = verdict._replace(exit=Exit.UNREACHABLE)
    course.forget()
    return verdict._replace(landed=True, sha=there.sha)


def _post_push(course: Course, there: Landed) -> Verdict:
    after = course.parts.after
    if after is None:
        return Verdict(exit=Exit.OK, reason=f"landed on {there.branch}")
    hook = post_push_hook(course.git) if course.parts.run_hook else None
    return after(there) if hook is None else _run(course, hook, there)


def _run(course: Course, hook: Path, there: Landed) -> Verdict:
    def hear(line: str) -> None:
        course.say(line, source="post-push")

    with course.stage(Stage.WATCH) as note:
        done = course.parts.hooks.stream(
            [str(hook), hidden(there.remote), hidden(there.push_url)],
            hear,
            cwd=course.git.top_level(),
            env={"HOMELAB_IN_LAND": "1"},
            stdin=there.line.encode(),
        )
        note.detail = f"the post-push hook ended with {done.code}"
        if not done.ok:
            note.fail()
    code = Exit.OK if done.ok else Exit(done.code) if done.code in _HOOK_CODES else Exit.FAILED
    return Verdict(exit=code, reason=note.detail)


def post_push_hook(git: Git) -> Path | None:
    """The repository's own post-push hook, if it has one that can be run."""
    hook = git.git_path("hooks") / "post-push"
    return hook if hook.is_file() and os.access(hook, os.X_OK) else None


def unknown(course: Course) -> Verdict:
    """Nobody can say whether the commit is there (8)."""
    state = course.state
    course.keep(ended=Exit.UNREACHABLE.verdict)
    return Verdict(
        exit=Exit.UNREACHABLE,
        reason=f"it is unknown whether {state.candidate} is on {state.target}: {shown(state.push_url)} does not answer",
        hint="git land --continue asks again",
        sha=state.candidate,
    )
