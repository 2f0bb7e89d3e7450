"""Decides how a landed commit is taken back: against which parent, or why it is not.

`git revert` takes back a commit relative to one of its parents, the mainline. For a merge that `git land` made, the
mainline is not the first parent: git land merges the target into the topic branch, so the target is the second one, and
`git revert -m 1` would take back the work of everyone else. The evidence, the strongest first:

    landing   the target's commit before the push, as the landing or the reflog of the tracking ref recorded it. It may
              be several commits back: then the whole landing is taken back, in one commit.
    reflog    a past commit of the target that does not contain the merge: the mainline contains it, the others do not.
    message   git's own words: `Merge remote-tracking branch 'origin/main' into topic` merged the target in.
    none      the first parent, as a forge or `git merge` on the target makes it.

A commit counts as reverted if a later commit of the target says so in git's words and is not reverted itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from homelab_hooks.errors import CommandError
from homelab_hooks.events import RevertResult
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.state import LandingState
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.text.sanitize import strip_control_chars
from homelab_hooks.verdict import Verdict

_REVERTS = re.compile(r"This reverts commit ([0-9a-f]{7,64})\b")
_MERGE_OF = re.compile(r"Merge (?:remote-tracking )?branch '(?P<merged>[^']+)'(?: of \S+)?(?: into (?P<into>\S+))?")


class RevertFacts(NamedTuple):
    """What the repository says about a commit that is to be reverted."""

    commit: str
    """empty if the name is not a commit"""
    name: str
    """as the user gave it"""
    upstream: str
    """the target as messages name it: origin/main"""
    target: str
    reverts: Mapping[str, tuple[str, ...]]
    """the later commits of the target that revert something, each with what its message names"""
    on_target: bool = True
    parents: tuple[str, ...] = ()
    message: str = ""
    landed_on: str = ""
    """the target's commit before the push of this commit; empty if no record of the push is there"""
    mainlines: tuple[str, ...] = ()
    """the parents of a merge that contain a past commit of the target without the merge; none if none is known"""
    same_tree: str = ""
    """a commit of the target with the same files, if this one is not on the target: it may be its squash"""
    is_shallow: bool = False


class RevertPlan(NamedTuple):
    """What is taken back: everything that `commit` has and `parent` has not."""

    commit: str
    parent: str
    is_certain: bool = True
    """false if nothing showed which parent of a merge was the target"""

    def mainline(self, parents: Sequence[str]) -> int:
        """Return the number for `git revert -m`; 0 if the commit has one parent, or `parent` is further back."""
        return parents.index(self.parent) + 1 if len(parents) > 1 and self.parent in parents else 0


class AlreadyReverted(NamedTuple):
    """The target does not have the commit's changes any more."""

    commit: str
    by: str
    """the commit that reverted it"""


def plan_revert(facts: RevertFacts) -> RevertPlan | AlreadyReverted | CommandError:
    """Return how the commit is reverted, or why it is not.

    >>> merge = RevertFacts(commit="m", name="m", upstream="origin/main", target="main", parents=("topic", "old"),
    ...                     message="Merge remote-tracking branch 'origin/main' into x", reverts={})
    >>> plan_revert(merge)
    RevertPlan(commit='m', parent='old', is_certain=True)
    """
    if problem := _refusal(facts):
        return problem
    if by := find_live_revert(facts.commit, facts.reverts):
        return AlreadyReverted(facts.commit, by)
    if facts.landed_on:
        return RevertPlan(facts.commit, facts.landed_on)
    if len(facts.parents) == 1:
        return RevertPlan(facts.commit, facts.parents[0])
    if len(facts.mainlines) == 1:
        return RevertPlan(facts.commit, facts.mainlines[0])
    position = _merged_target(facts)
    return RevertPlan(facts.commit, facts.parents[position or 0], is_certain=position is not None)


def _refusal(facts: RevertFacts) -> CommandError | None:
    shown = strip_control_chars(facts.name)
    if not facts.commit:
        hint = "pass a commit of the target branch, such as the SHA that git land printed"
        return CommandError(f"{shown} is not a commit of this repository", hint=hint)
    if not facts.on_target:
        hint = f"pass a commit of {facts.upstream}; to see them, run git log {facts.upstream}"
        if facts.same_tree:
            hint = (
                f"{short_sha(facts.same_tree)} on {facts.upstream} has the same files; if it is the squash of {shown}, "
                f"run git land --revert {short_sha(facts.same_tree)}"
            )
        if facts.is_shallow:
            hint = "this is a shallow clone: run git fetch --unshallow, then run the same command again"
        return CommandError(f"{shown} is not on {facts.upstream}", hint=hint, exit=ExitCode.REFUSED)
    if not facts.parents:
        what = f"{shown} is the first commit of {facts.upstream}, or a shallow clone ends there"
        return CommandError(what, hint="remove its files in a commit of your own", exit=ExitCode.REFUSED)
    return None


def _merged_target(facts: RevertFacts) -> int | None:
    """Return which parent of a merge was the target by the merge's message; None if it does not say."""
    subject = facts.message.partition("\n")[0]
    if subject.startswith("Merge pull request ") or (subject.startswith("Merge ") and " (#" in subject):
        return 0
    found = _MERGE_OF.match(subject)
    if not found:
        return None
    merged, into = found["merged"], found["into"] or facts.target
    merged_target = merged == facts.target or merged.endswith(f"/{facts.target}")
    if merged_target and into != facts.target:
        return 1
    return None if merged_target else 0


def named_reverts(message: str) -> tuple[str, ...]:
    r"""Return the commits that a message says it reverts, in git's words.

    >>> named_reverts('Revert "x"\n\nThis reverts commit 0123456789abcdef, reversing\nchanges made to abc.\n')
    ('0123456789abcdef',)
    """
    return tuple(_REVERTS.findall(message))


def find_live_revert(commit: str, reverts: Mapping[str, Iterable[str]]) -> str:
    """Return a commit that reverts this one and is not reverted itself; empty if there is none.

    >>> find_live_revert("aaaaaaa1", {"r": ["aaaaaaa"]}), find_live_revert("aaaaaaa1", {"r": ["aaaaaaa"], "s": ["r"]})
    ('r', '')
    """
    left = {sha: tuple(names) for sha, names in reverts.items()}
    for sha, names in reverts.items():
        if any(commit.startswith(name) for name in names):
            del left[sha]  # a message that names itself, or two that name each other, ends here
            if not find_live_revert(sha, left):
                return sha
    return ""


class LeftWorktree(NamedTuple):
    """The worktree of an earlier revert of the same commit, whose process has ended."""

    state: LandingState | None
    """its landing; None if none is unfinished"""
    is_complete: bool
    """its files were checked out"""
    is_contained: bool
    """the target contains its commit"""
    has_unsaved_files: bool


def may_discard(left: LeftWorktree) -> bool:
    """Return whether nothing in the worktree of an earlier revert is worth keeping: it had not begun, or has landed.

    >>> may_discard(LeftWorktree(None, is_complete=True, is_contained=False, has_unsaved_files=False))
    False
    """
    if not left.is_complete:
        return True
    if left.state is not None and left.state.pushed_commit:
        return left.is_contained
    has_begun = left.state is not None and not left.state.is_unmodified
    return left.is_contained and not left.has_unsaved_files and not has_begun


def keeps_worktree(verdict: Verdict, *, is_pending: bool) -> bool:
    """Return whether the worktree stays for the user: the revert is not on the target, and something was made.

    Args:
        is_pending: the worktree has an unfinished landing.
    """
    if verdict.landed:
        return False
    return is_pending or verdict.exit is ExitCode.PROTECTED


def calls_for_revert(verdict: Verdict) -> bool:
    """Return whether `--on-failure revert` reverts the landing: only a rollout that failed (9) says the commit is bad.

    Every other end leaves open what is wrong: CI's own trouble, a newer pipeline, a server out of reach, the time.

    >>> calls_for_revert(Verdict(ExitCode.ROLLOUT_FAILED, landed=True)), calls_for_revert(Verdict(ExitCode.TIMEOUT))
    (True, False)
    """
    return verdict.landed is True and verdict.exit is ExitCode.ROLLOUT_FAILED


def add_outcome(failed: Verdict, revert: Verdict) -> Verdict:
    """Return the verdict of a landing whose rollout failed, with how its revert ended; the exit code stays.

    After Ctrl-C during the revert, the exit code is that of the interruption.
    """
    by = revert.sha if revert.landed else revert.revert.sha if revert.revert else ""
    result = RevertResult(commit=failed.sha, sha=by, exit=revert.exit, reason=revert.reason)
    done = f"reverted by {short_sha(by)}" if by else f"not reverted: {revert.reason}"
    again = f"to revert it later, run git land --revert {short_sha(failed.sha)}"
    is_cut = revert.exit in {ExitCode.INTERRUPTED, ExitCode.TERMINATED}
    return failed._replace(
        exit=revert.exit if is_cut else failed.exit,
        label="" if is_cut else failed.label,
        reason=f"{failed.reason}; {done}" if failed.reason else done,
        hint=failed.hint if by else again if revert.exit is ExitCode.REFUSED else revert.hint or again,
        revert=result,
    )


def describe_plan(plan: RevertPlan, *, subject: str, count: int, upstream: str) -> str:
    """Return what is taken back, in one line.

    Args:
        subject: the first line of the commit's message.
        count: the number of commits that are taken back.
    """
    shown = f'{short_sha(plan.commit)} "{strip_control_chars(subject)}"'
    more = f", {count} commits since {short_sha(plan.parent)}" if count > 1 else ""
    return f"{shown} on {upstream}{more}"
