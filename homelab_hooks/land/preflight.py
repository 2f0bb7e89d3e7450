"""What is known before anything is changed."""

from __future__ import annotations

from homelab_hooks import remote as remotes
from homelab_hooks.errors import Problem
from homelab_hooks.events import Progress, Stage, StageChanged
from homelab_hooks.exits import Exit
from homelab_hooks.git.repository import Git
from homelab_hooks.land.course import Course, short_sha, staged
from homelab_hooks.land.finish import post_push_hook
from homelab_hooks.land.plan import Facts, counted, refusals
from homelab_hooks.land.request import Command, Detect, Parts, Request, Skip
from homelab_hooks.land.state import State, Store
from homelab_hooks.land.verify import find


def begin(request: Request, parts: Parts) -> Course:
    """Look, ask CI, refuse or write down that a landing begins."""
    with staged(parts, Stage.PREFLIGHT) as note:
        facts, state = gather(request, parts.git)
        for problem in refusals(facts):
            raise problem
        check_ci(parts, facts.head)
        note.detail = f"{facts.branch} at {short_sha(facts.head)}, to {state.remote}/{state.target}"
    course = Course(parts, store(parts.git), state)
    course.keep(stage=Stage.PREFLIGHT)
    return course


def gather(request: Request, git: Git) -> tuple[Facts, State]:
    """The facts, and the state that a landing would begin with."""
    top = git.top_level()
    if top is None:
        raise Problem("this is no git work tree", hint="run it inside one", exit=Exit.REFUSED)
    branch, head = git.branch(), git.head()
    chosen = remotes.choose(
        git.remotes(), wanted=request.remote, push_remote=git.push_remote(branch), push_default=git.push_default()
    )
    target = request.onto or git.head_branch(chosen.name)
    if request.onto and not git.valid_branch(request.onto):
        raise Problem(f"git takes no branch to be called {request.onto}", hint="name another: --onto BRANCH")
    earlier = store(git).load()
    cut = earlier if earlier and earlier.cut_short else None
    facts = Facts(
        branch=branch, head=head, target=target, remote=chosen.name, operation=git.operation(), changes=git.changes(),
        verifiable=not isinstance(request.verify, Detect) or find(top) is not None,
        unfinished=cut.stage.value if cut else "", unfinished_branch=cut.branch if cut else "",
    )  # fmt: skip
    urls = git.push_urls(chosen.name)
    state = State(
        request=request, branch=branch, target=target, remote=chosen.name, push_url=urls[0] if urls else chosen.name,
        start=head,
    )  # fmt: skip
    return facts, state


def store(git: Git) -> Store:
    """Where this work tree's landing is written down."""
    return Store(git.git_path("homelab"))


def check_ci(parts: Parts, sha: str) -> None:
    """Whether CI could be watched afterwards; whatever is wrong with it is a refusal now (20)."""
    if parts.check_ci is None:
        return
    try:
        parts.check_ci(sha)
    except Problem as problem:
        raise Problem(problem.what, hint=problem.hint, exit=Exit.REFUSED) from problem


def rehearse(request: Request, parts: Parts) -> tuple[str, tuple[Problem, ...]]:
    """Say what a landing would do, and everything that would stop it; change nothing."""
    facts, state = gather(request, parts.git)
    found = list(refusals(facts))
    try:
        check_ci(parts, facts.head)
    except Problem as refused:
        found.append(refused)
    course = Course(parts, store(parts.git), state)
    for line in (_merging(course, facts), _verifying(course), _pushing(course), _watching(parts)):
        course.say(line)
    for problem in found:
        course.say(f"would be refused: {problem.what}; {problem.hint}")
    parts.tell(StageChanged(stage=Stage.PREFLIGHT, progress=Progress.DONE, detail="nothing was changed"))
    return facts.head, tuple(found)


def _merging(course: Course, facts: Facts) -> str:
    git, state = course.git, course.state
    tip = git.tracked(state.remote, state.target)
    if not tip:
        return f"would fetch {course.upstream} and {course.request.strategy} it with {facts.branch}"
    behind = counted(git.ahead(of=facts.head, sha=tip), "commit")
    ahead = counted(git.ahead(of=tip, sha=facts.head), "commit")
    return (
        f"would fetch {course.upstream} (last seen {short_sha(tip)}, {behind} that {facts.branch} has not) "
        f"and land {ahead} by {course.request.strategy}"
    )


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
    return f"would push to {state.target} on {state.remote}, {remotes.shown(state.push_url)}"


def _watching(parts: Parts) -> str:
    if parts.after is None:
        return "would not watch"
    hook = post_push_hook(parts.git) if parts.run_hook else None
    return f"would run {hook}" if hook else "would watch CI, then wait for the configured deploys"
