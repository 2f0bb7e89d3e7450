"""The steps of a landing: bring the target in, verify, push, ask."""

from __future__ import annotations

from collections import deque

from homelab_hooks.errors import Problem
from homelab_hooks.events import Level, Stage
from homelab_hooks.exits import Exit
from homelab_hooks.git.push import Kind, Outcome, unreached, words
from homelab_hooks.git.verbs import complaint
from homelab_hooks.land.course import Course, short_sha
from homelab_hooks.land.plan import failure
from homelab_hooks.land.request import Command, Detect, Skip, Strategy
from homelab_hooks.land.submodules import follow, push_ahead
from homelab_hooks.land.verify import find
from homelab_hooks.looks import Absent, Denied, Missed, Seen
from homelab_hooks.proc import Done
from homelab_hooks.sentences import listed

TAIL = 10
ASKED = 3
"""how often the server is asked about a push that nobody knows of"""
BACK = "git land --abort goes back to where the branch was"


def fetch(course: Course) -> str:
    """The target's commit now, from where it will be pushed to."""
    git, state = course.git, course.state
    with course.stage(Stage.FETCH) as note:
        named = state.remote in git.remotes()
        source = state.remote if not named or git.fetch_url(state.remote) == state.push_url else state.push_url
        done = git.fetch_branch(source, state.target, remote=state.remote if named else "")
        if not done.ok:
            raise _not_fetched(course, done)
        tip = git.fetched()
        course.keep(onto=tip)
        if git.is_shallow() and not git.related(git.head(), tip):
            git.fetch_all_history(source)
        note.detail = f"{course.upstream} is at {short_sha(tip)}"
    return tip


def _not_fetched(course: Course, done: Done) -> Problem:
    said = words(done.err)
    if "couldn't find remote ref" in done.err:
        return Problem(f"there is no branch {course.upstream}", hint="name another: --onto BRANCH", exit=Exit.REFUSED)
    problem = failure(Outcome(kind=unreached(done.err), why=complaint(done), said=said))
    reason = f"{course.upstream} could not be fetched: {complaint(done)}"
    return Problem(reason, hint=problem.hint, exit=problem.exit)


def merge(course: Course, tip: str) -> str:
    """Bring the target in; the commit that the branch is at then."""
    git = course.git
    with course.stage(Stage.MERGE) as note:
        head = git.head()
        if git.is_ancestor(older=tip, newer=head):
            note.skip(f"{course.upstream} is contained already")
            return head
        strategy, mine = course.request.strategy, git.present(git.new_files(tip))
        if strategy is Strategy.FF_ONLY:
            raise Problem(
                f"{course.upstream} has moved, and only a fast-forward was asked for",
                hint="merge or rebase it yourself, or land with --strategy merge",
                exit=Exit.CONFLICT,
            )
        if strategy is Strategy.REBASE:
            done = git.rebase(tip)
        else:
            branch = course.state.branch
            done = git.merge(tip, message=f"Merge remote-tracking branch '{course.upstream}' into {branch}")
        if not done.ok:
            problem = not_merged(course, done)
            if not git.operation():
                _take_back(course, [path for path in git.new_files(tip) if path not in mine])
            raise problem
        was, head = head, git.head()
        course.keep(made=head)
        if not git.is_ancestor(older=tip, newer=head):
            raise Problem(f"git did not bring {course.upstream} in", hint=BACK, exit=Exit.REFUSED)
        follow(course, was=[was], now=head)
        note.detail = f"{short_sha(head)} contains {course.upstream}"
    return head


def _take_back(course: Course, new: list[str]) -> None:
    """Undo what git wrote before it broke off: no file was changed before it began, and none of these was there."""
    git = course.git
    for path in new:
        git.remove_file(path)
    changed = [entry[3:] for entry in git.changes()]
    if changed:
        done = git.restore(changed)
        if not done.ok:
            text = f"what git had begun could not be undone in {listed(changed)}: {complaint(done)}"
            course.say(text, source="merge", level=Level.WARNING)


def not_merged(course: Course, done: Done) -> Problem:
    """Why a merge or rebase did not come to its end; only conflicts are left in the work tree."""
    git = course.git
    files, operation = git.unmerged(), git.operation()
    if files:
        return _conflict(course, files)
    for line in words(done.out + done.err):
        course.say(line, source="merge")
    if not operation:
        return Problem(f"git refused to merge {course.upstream}: {complaint(done)}", exit=Exit.REFUSED)
    git.give_up(operation)
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
        course.say(f"verifying with `{chosen.command}`: {chosen.why}", source="verify")
        before = git.changes()
        _run(course, chosen)
        changed = sorted(set(git.changes()) - set(before))
        if changed or git.head() != sha:
            what = f"changed tracked files: {listed(entry[3:] for entry in changed)}" if changed else "moved HEAD"
            raise Problem(
                f"the verification {what}", hint=f"commit or undo that, then git land again; {BACK}",
                exit=Exit.VERIFY_FAILED,
            )  # fmt: skip
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
