"""Merges of the simulated forge: what is known about a pull request, and the update of its target."""

from __future__ import annotations

from typing import Any, NamedTuple

from homelab_hooks.simulators.forge.bare import BareRepository
from homelab_hooks.simulators.forge.pulls import (
    MergeFacts,
    MergeRefusal,
    SimulatedPull,
    find_refusal,
    newest_states,
)
from homelab_hooks.simulators.forge.store import ForgeStore, RepoRight, SimulatedForgeRepo

_FAILED = MergeRefusal(500, "")
"""a fast-forward of a diverged target, and the loser of two clients (recordings 03, 03g, 03i, 03j)"""


def find_pull(repo: SimulatedForgeRepo, number: str) -> SimulatedPull | None:
    """Return a pull request by its number."""
    return next((pull for pull in repo.pulls if str(pull.number) == number), None)


def refresh_pull(forge: ForgeStore, repo: SimulatedForgeRepo, pull: SimulatedPull) -> None:
    """Follow the branches: a moved head or target is checked again, and a deleted head closes the request."""
    if not pull.is_open:
        return
    pull.base_sha = repo.branches.get(pull.base, pull.base_sha)
    if pull.head not in repo.branches:
        pull.is_open = False
        return
    tips = repo.branches[pull.head], pull.base_sha
    if tips[0] != pull.head_sha:
        pull.reviews.clear()  # approvals of an older head are stale (recording 03f)
    pull.head_sha = tips[0]
    if tips != pull.checked:
        pull.checked, pull.checking_until = tips, forge.now() + repo.check_seconds


def is_ready(
    forge: ForgeStore, repo: SimulatedForgeRepo, pull: SimulatedPull, *, counts_contained: bool = True
) -> bool:
    """Return whether the forge is done checking, and head and target merge.

    Args:
        forge: the clock.
        repo: the repository.
        pull: the pull request, refreshed.
        counts_contained: a head that the target contains is not ready: its merge is put off for ever, although it is
            shown as mergeable (recording 02c).
    """
    if repo.git is None or forge.now() < pull.checking_until:
        return False
    if counts_contained and repo.git.is_ancestor(pull.head_sha, pull.base_sha):
        return False
    return not repo.git.conflicts(pull.base_sha, pull.head_sha)


class MergeOrder(NamedTuple):
    """A merge that is asked for."""

    options: dict[str, Any]
    """the body of the request"""
    login: str
    is_cut: bool = False
    """the client hung up: the target is moved, and nothing else happens (recording 03h)"""


def merge_pull(
    forge: ForgeStore, repo: SimulatedForgeRepo, pull: SimulatedPull, order: MergeOrder
) -> MergeRefusal | None:
    """Merge a pull request, and send the webhooks of its target; return why it was refused."""
    options, login = order.options, order.login
    if repo.archived:
        return MergeRefusal(423, f"{repo.full_name} is archived")
    refresh_pull(forge, repo, pull)
    refusal = find_refusal(_collect_facts(forge, repo, pull, options, login))
    if refusal or repo.git is None:
        return refusal or _FAILED
    style, expected = options["Do"], pull.base_sha
    message = str(options.get("MergeTitleField") or f"Merge pull request '{pull.title}' (#{pull.number})")
    merged = _make_commit(repo.git, style, expected, pull.head_sha, message)
    if repo.before_merge:
        act, repo.before_merge = repo.before_merge, None
        act()
    if not merged:
        return _put_off(forge, repo, pull, _FAILED)
    if not repo.git.move(pull.base, merged, expected):
        return _put_off(forge, repo, pull, _explain_lock(repo, pull.base, expected))
    if not order.is_cut:
        _finish(forge, repo, pull, merged, login)
    return None


def _collect_facts(
    forge: ForgeStore, repo: SimulatedForgeRepo, pull: SimulatedPull, options: dict[str, Any], login: str
) -> MergeFacts:
    rules = repo.protections.get(pull.base)
    users = rules.merge_users if rules else None
    may_write = repo.rights.get(login, RepoRight.NONE) >= RepoRight.WRITE
    return MergeFacts(
        is_merged=bool(pull.merge_commit),
        is_open=pull.is_open,
        may_merge=may_write and (users is None or login in users),
        is_draft=pull.is_draft,
        is_ready=is_ready(forge, repo, pull),
        protection=rules,
        states=newest_states(repo.reports.statuses, pull.head_sha, forge.now()),
        approvals=sum(event == "APPROVED" for event in pull.reviews.values()),
        is_rejected="REQUEST_CHANGES" in pull.reviews.values(),
        is_outdated=repo.git is not None and not repo.git.is_ancestor(pull.base_sha, pull.head_sha),
        style=str(options.get("Do", "")),
        allowed=repo.styles,
        head_sha=pull.head_sha,
        pinned=str(options.get("head_commit_id", "")),
    )


def _make_commit(git: BareRepository, style: str, base: str, head: str, message: str) -> str:
    """Return the commit that the target gets; empty if that is not possible."""
    match style:
        case "merge":
            return git.make_merge(base, head, message)
        case "squash":
            return git.make_squash(base, head, message)
        case "rebase":
            return git.make_rebase(base, head)
        case "rebase-merge":
            rebased = git.make_rebase(base, head)
            return git.make_merge(base, rebased, message) if rebased else ""
        case _:
            return head if git.is_ancestor(base, head) else ""


def _put_off(forge: ForgeStore, repo: SimulatedForgeRepo, pull: SimulatedPull, refusal: MergeRefusal) -> MergeRefusal:
    """Return a refusal of git, after which the forge checks the request again (recording 03g)."""
    pull.checking_until = forge.now() + repo.check_seconds
    return refusal


def _explain_lock(repo: SimulatedForgeRepo, branch: str, expected: str) -> MergeRefusal:
    repo.read_git()
    now = repo.branches.get(branch, "")
    text = f"cannot lock ref 'refs/heads/{branch}': is at {now} but expected {expected}"
    return MergeRefusal(409, f"PushRejected with remote message: {text}")


def _finish(forge: ForgeStore, repo: SimulatedForgeRepo, pull: SimulatedPull, merged: str, login: str) -> None:
    """Close the request, delete its branch if the repository does so, and send the push event of the target."""
    pull.is_open, pull.merge_commit, pull.merged_by = False, merged, login
    if repo.deletes_merged_branches and repo.git:
        repo.git.delete(pull.head)
    forge.push(repo, pull.base, merged, login)
