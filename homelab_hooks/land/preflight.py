"""What is known before anything is changed."""

from __future__ import annotations

from homelab_hooks import remote as remotes
from homelab_hooks.errors import Problem
from homelab_hooks.events import Stage
from homelab_hooks.exits import Exit
from homelab_hooks.git.repository import Git
from homelab_hooks.land.course import Course, short_sha, staged
from homelab_hooks.land.ownership import began
from homelab_hooks.land.refusals import Facts, refusals
from homelab_hooks.land.request import Detect, Parts, Request
from homelab_hooks.land.state import State, Store
from homelab_hooks.land.verify import find
from homelab_hooks.looks import Absent, Missed, Seen


def begin(request: Request, parts: Parts) -> Course:
    """Look, ask CI, refuse or write down that a landing begins."""
    with staged(parts, Stage.PREFLIGHT) as note:
        facts, state = gather(request, parts.git, goes_to(request, parts.git))
        for problem in refusals(facts):
            raise problem
        check_ci(parts)
        note.detail = f"{facts.branch} at {short_sha(facts.head)}, to {remotes.shown(state.remote)}/{state.target}"
    course = Course(parts, store(parts.git), state)
    if store(parts.git).load() is not None:  # it ended early, perhaps in its fetch
        parts.git.forget_fetches()
    course.keep(stage=Stage.PREFLIGHT)
    return course


def gather(request: Request, git: Git, remote: str) -> tuple[Facts, State]:
    """The facts, and the state that a landing would begin with.

    Args:
        remote: where it goes; empty where that could not be told.
    """
    top = git.top_level()
    if top is None:
        raise Problem("this is no git work tree", hint="run it inside one", exit=Exit.REFUSED)
    branch, head = git.branch(), git.head()
    asked = Seen(request.onto) if request.onto else git.head_branch(remote) if remote else Absent()
    target = asked.value if isinstance(asked, Seen) else ""
    earlier = store(git).load()
    cut = earlier if earlier and earlier.cut_short else None
    lock, operation = git.lock(), git.operation()
    facts = Facts(
        branch=branch, head=head, target=target, remote=remote, operation=operation, changes=git.changes(),
        operation_is_ours=earlier is not None and began(earlier, operation), hidden_changes=git.hidden_changes(),
        exposed=git.exposed(head, since=git.tracked(remote, target)) if head else (),
        verifiable=not isinstance(request.verify, Detect) or find(top) is not None,
        lock=str(lock or ""), unfinished=cut.stage.value if cut else "",
        unfinished_branch=cut.branch if cut else "",
        silent=asked.reason if isinstance(asked, Missed) else "",
    )  # fmt: skip
    urls = git.push_urls(remote) if remote else ()
    state = State(
        request=request, branch=branch, target=target, remote=remote, push_url=urls[0] if urls else remote, start=head
    )
    return facts, state


def goes_to(request: Request, git: Git) -> str:
    """The remote that is landed on. Raises Problem where it cannot be told, or the target's name is none."""
    if request.onto and not git.valid_branch(request.onto):
        raise Problem(f"git takes no branch to be called {request.onto}", hint="name another: --onto BRANCH")
    names, own = git.remotes(), git.push_remote(git.branch())
    return remotes.choose(names, wanted=request.remote, push_remote=own, push_default=git.push_default()).name


def store(git: Git) -> Store:
    """Where this work tree's landing is written down."""
    return Store(git.git_path("homelab"))


def check_ci(parts: Parts) -> None:
    """Whether CI could be watched afterwards; whatever is wrong with it is a refusal now (20)."""
    if parts.check_ci is None:
        return
    try:
        parts.check_ci()
    except Problem as problem:
        raise Problem(problem.what, hint=problem.hint, exit=Exit.REFUSED) from problem
