"""Takes a landed commit back: chooses what is reverted, makes the worktree for it, and lands it from there.

The revert is landed by the same stages as any branch. Only its first commit is made by `make_revert`, and its worktree
is removed once it is on the target. A revert that stops keeps its worktree, in which --continue and --abort work.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from homelab_hooks.errors import CommandError
from homelab_hooks.events import LogLevel, RevertResult
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.follow.child_output import ChildOutput
from homelab_hooks.git.repository import Repository
from homelab_hooks.land.dry_run import log_line, report_what_follows
from homelab_hooks.land.fetch_error import fetch_error
from homelab_hooks.land.request import LandingDependencies, LandRequest
from homelab_hooks.land.revert import (
    AlreadyReverted,
    RevertPlan,
    describe_plan,
    keeps_worktree,
    plan_revert,
)
from homelab_hooks.land.revert_facts import RevertTarget, collect_revert_facts, query_tip
from homelab_hooks.land.revert_worktree import (
    base_outside,
    discard_left_worktree,
    hold_worktree,
    is_revert_worktree,
    open_revert_worktree,
    remove_revert_worktree,
)
from homelab_hooks.land.run import pending_landing
from homelab_hooks.land.state import LandingState, landing_holder, landing_lock
from homelab_hooks.land.task_worktree import choose_target
from homelab_hooks.text.humanize import join_names, short_sha
from homelab_hooks.text.sanitize import strip_control_chars
from homelab_hooks.verdict import Verdict

LOCK_INTERVAL_S = 2.0
"""seconds between two looks at the lock of another landing"""


class RevertOrder(NamedTuple):
    """Which commit is taken back, and where."""

    name: str
    """the commit as the user gave it"""
    remote: str = ""
    onto: str = ""
    before: str = ""
    """the target's commit before the landing, if the caller has landed the commit; else empty"""
    max_wait_s: float = 0.0
    """seconds to wait for another landing of the repository; afterwards it is an error"""


LandRevert = Callable[[Path, RevertPlan, RevertTarget], Verdict]
"""lands a revert from its worktree; an interruption is part of the verdict"""


def land_revert(order: RevertOrder, parts: LandingDependencies, land: LandRevert) -> Verdict:
    """Land the revert of a commit that is on the target; the verdict's `revert` names both commits.

    Args:
        parts: the dependencies of this command; `git` is the directory in which it was started.
    """
    git = parts.git
    _wait_for_other_landing(order, parts)
    target, chosen = _choose(order, parts, _fetch)
    if isinstance(chosen, AlreadyReverted):
        with suppress(CommandError), _landing_lock(git, chosen.commit):  # else it runs, or has work of the user
            discard_left_worktree(chosen.commit, target.tip, git)
        return _nothing(chosen, target)
    _announce(chosen, target, parts, "reverting")
    with ExitStack() as held:
        with _landing_lock(git, chosen.commit):
            place = held.enter_context(open_revert_worktree(chosen.commit, target.tip, git))
        verdict = land(place.path, chosen, target)
        return conclude_revert(verdict, chosen.commit, git.at(place.path), outside=git, parts=parts)


def _wait_for_other_landing(order: RevertOrder, parts: LandingDependencies) -> None:
    """Wait until no other landing runs in the repository: a revert after a failure is not repeated by hand."""
    clock, directory = parts.clock, parts.git.location.homelab_dir()
    until, is_logged = clock.now() + order.max_wait_s, False
    while (holder := landing_holder(directory)) and clock.now() < until:
        if not is_logged:
            log_line(parts, f"waiting for another landing in this repository: {holder}")
        is_logged = True
        clock.sleep(LOCK_INTERVAL_S)


def _landing_lock(git: Repository, commit: str) -> AbstractContextManager[None]:
    who = f"reverting {short_sha(commit)} in {git.location.top_level() or git.location.common_dir()}"
    return landing_lock(git.location.homelab_dir(), who=who)


def conclude_revert(
    verdict: Verdict, commit: str, inside: Repository, *, outside: Repository, parts: LandingDependencies
) -> Verdict:
    """Remove the worktree unless the user can continue in it; return the verdict with what was reverted.

    Args:
        commit: the commit that is taken back.
        inside: the repository as seen from the worktree.
    """
    path = strip_control_chars(str(inside.location.top_level()))
    sha = verdict.sha if verdict.landed else ""
    found = verdict._replace(revert=RevertResult(commit=commit, sha=sha, reason="" if sha else verdict.reason))
    if not keeps_worktree(verdict, is_pending=pending_landing(inside) is not None):
        if problem := remove_revert_worktree(commit, outside):
            log_line(parts, f"could not remove the worktree {path}: {problem}", level=LogLevel.WARNING)
        return found
    hint = f"run cd {shlex.quote(path)}"
    return found._replace(hint=f"{hint}; then {verdict.hint}" if verdict.hint else f"{hint}, where the revert is")


@contextmanager
def hold_continued(state: LandingState | None, git: Repository) -> Iterator[bool]:
    """Hold the lock of a revert's worktree while its landing continues there; yield whether this is such a worktree.

    Args:
        state: the unfinished landing of this worktree.
    """
    commit = state.request.revert if state is not None else ""
    if not is_revert_worktree(git.location.top_level(), git.history.current_branch(), commit):
        yield False
        return
    with hold_worktree(git, commit):
        yield True


def conclude_continued(verdict: Verdict, state: LandingState, parts: LandingDependencies) -> Verdict:
    """Remove the worktree of a revert that was continued or aborted in it, unless the user has something there."""
    inside, commit = parts.git, state.request.revert
    path, base = str(inside.location.top_level()), base_outside(inside, commit)
    is_pending = pending_landing(inside) is not None
    outside = inside.at(base)
    known = (verdict.proposed or verdict.sha) if verdict.landed else state.original_commit
    has_work = bool(inside.worktree.unsaved_files()) or not inside.history.is_ancestor(
        older=inside.history.head(), newer=known
    )
    if is_pending or has_work or keeps_worktree(verdict, is_pending=is_pending):
        if not is_pending:
            log_line(parts, f"the worktree has files or commits of yours and stays: {path}", level=LogLevel.WARNING)
        sha = verdict.sha if verdict.landed else ""
        return verdict._replace(revert=RevertResult(commit=commit, sha=sha, reason=verdict.reason))
    aborted = verdict.exit is ExitCode.OK and not verdict.landed and not verdict.label
    if aborted:
        reason = f"the revert of {short_sha(commit)} was undone; nothing was landed"
        verdict = verdict._replace(reason=reason, hint="")
    found = conclude_revert(verdict, commit, inside, outside=outside, parts=parts)
    log_line(parts, f"removed the worktree {path}; leave it with: cd {shlex.quote(str(base))}")
    return found


def report_dry_revert(order: RevertOrder, request: LandRequest, parts: LandingDependencies) -> Verdict:
    """Report what a revert would take back, without changing anything."""
    git = parts.git
    target, chosen = _choose(order, parts, _query)
    if isinstance(chosen, AlreadyReverted):
        return _nothing(chosen, target)
    _announce(chosen, target, parts, "would revert")
    preview = git.preview.revert(chosen.commit, chosen.parent, onto=target.tip)
    if preview.conflicts:
        log_line(parts, f"would conflict in: {join_names(preview.conflicts)} (exit code 21)")
    elif preview and preview.tree == git.history.tree_of(target.tip):
        log_line(parts, f"{target.upstream} has none of these changes any more: nothing to revert")
    for problem in report_what_follows(request, parts, (target.remote, target.branch, target.push_url)):
        raise problem
    return Verdict(
        exit=ExitCode.OK,
        reason="dry run: nothing was changed",
        sha=chosen.commit,
        landed=False,
        revert=RevertResult(commit=chosen.commit, reason="dry run"),
    )


def _choose(
    order: RevertOrder, parts: LandingDependencies, read_tip: Callable[[LandingDependencies, RevertTarget], str]
) -> tuple[RevertTarget, RevertPlan | AlreadyReverted]:
    """Return the target as it is now, and what is taken back. Raises CommandError if nothing can be."""
    git = parts.git
    remote, branch = choose_target(git, order.remote, order.onto)
    meant = git.history.resolve(order.name)  # before the fetch: it moves the names of remote branches
    urls = git.remotes.push_urls(remote)
    named = f"refs/remotes/{remote}/{branch}" if remote in git.remotes.remote_names() else ""
    target = RevertTarget(remote, branch, urls[0] if urls else remote, "", named)
    target = target._replace(tip=read_tip(parts, target))
    found = meant or git.history.resolve(order.name)
    facts = collect_revert_facts(order.name, found.sha if found else "", target, git, before=order.before)
    plan = plan_revert(facts)
    if isinstance(plan, CommandError):
        raise plan
    return target, plan


def _fetch(parts: LandingDependencies, target: RevertTarget) -> str:
    git = parts.git
    source = git.remotes.choose_fetch_source(target.remote, target.push_url)
    listener = ChildOutput("fetch", emit=parts.tell, clock=parts.clock, waiting_for=f"git fetch of {target.upstream}")
    tip, done = git.transfer.fetch_tip(source.name, target.branch, remote=source.tracking, listener=listener)
    if not tip:
        raise fetch_error(done, target.upstream)
    return tip


def _query(parts: LandingDependencies, target: RevertTarget) -> str:
    """Return the target's commit at the server if it is here, else the one that was fetched last."""
    git = parts.git
    tip = query_tip(git, target)
    if git.history.has_commit(tip):
        return tip
    known = git.remotes.tracking_commit(target.remote, target.branch)
    if not known:
        raise CommandError(
            f"{target.upstream} is at {short_sha(tip)}, which was not fetched yet",
            hint=f"run git fetch {shlex.quote(target.remote)}, then run the same command again",
            exit=ExitCode.REFUSED,
        )
    log_line(parts, f"{target.upstream} is at {short_sha(tip)}, not fetched yet: looking at {short_sha(known)}")
    return known


def _announce(plan: RevertPlan, target: RevertTarget, parts: LandingDependencies, verb: str) -> None:
    history = parts.git.history
    subject = history.commit_message(plan.commit).partition("\n")[0]
    count = history.commits_ahead(of=plan.parent, sha=plan.commit)
    log_line(parts, f"{verb} {describe_plan(plan, subject=subject, count=count, upstream=target.upstream)}")
    if not plan.is_certain:
        text = f"nothing shows which parent of the merge was {target.upstream}: it is reverted to its first parent, "
        text += f"{short_sha(plan.parent)}"
        log_line(parts, text, level=LogLevel.WARNING)


def _nothing(found: AlreadyReverted, target: RevertTarget) -> Verdict:
    reason = f"{short_sha(found.commit)} is already reverted on {target.upstream}, by {short_sha(found.by)}"
    return Verdict(
        exit=ExitCode.OK,
        label="nothing",
        reason=reason,
        sha=found.commit,
        landed=False,
        revert=RevertResult(commit=found.commit, sha=found.by, reason=reason),
    )
