"""The endpoints of Gitea's pull requests that are simulated, as recordings 01, 02, 02c, and 03 to 03j answer."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from homelab_hooks.simulators.forge.merging import MergeOrder, find_pull, is_ready, merge_pull, refresh_pull
from homelab_hooks.simulators.forge.message import (
    Caller,
    ForgeAnswer,
    ForgeRequest,
    RouteHandler,
    make_json,
    make_message,
)
from homelab_hooks.simulators.forge.pulls import CutPoint, MergeCut, SimulatedPull
from homelab_hooks.simulators.forge.runs import SimulatedStatus
from homelab_hooks.simulators.forge.store import ForgeStore, RepoRight, SimulatedForgeRepo

BASE = "https://git.example.test"
_STYLE_FLAGS = {
    "allow_merge_commits": "merge",
    "allow_rebase": "rebase",
    "allow_rebase_explicit": "rebase-merge",
    "allow_squash_merge": "squash",
    "allow_fast_forward_only_merge": "fast-forward-only",
}


def encode_repository(repo: SimulatedForgeRepo, caller: Caller) -> dict[str, Any]:
    """Return a repository as JSON."""
    own = repo.rights.get(caller.login, RepoRight.NONE)
    rights = {"admin": own >= RepoRight.ADMIN, "push": own >= RepoRight.WRITE, "pull": True}
    return {
        "full_name": repo.full_name,
        "default_branch": repo.default_branch,
        "private": repo.private,
        "archived": repo.archived,
        "permissions": rights,
        "has_pull_requests": True,
        "default_delete_branch_after_merge": repo.deletes_merged_branches,
        **{flag: word in repo.styles for flag, word in _STYLE_FLAGS.items()},
    }


def encode_branch(repo: SimulatedForgeRepo, name: str, caller: Caller) -> dict[str, Any]:
    """Return a branch with its rules, which everybody who may read sees (recording 01)."""
    rules = repo.protections.get(name)
    may_write = repo.rights.get(caller.login, RepoRight.NONE) >= RepoRight.WRITE
    users = rules.merge_users if rules else None
    contexts = rules.contexts if rules else ()
    return {
        "name": name,
        "commit": {"id": repo.branches[name]},
        "protected": rules is not None,
        "required_approvals": rules.approvals if rules else 0,
        "enable_status_check": rules is not None and contexts is not None,
        "status_check_contexts": None if contexts is None else list(contexts),
        "user_can_push": may_write and (rules is None or rules.can_push),
        "user_can_merge": may_write and (users is None or caller.login in users),
        "effective_branch_protection_name": "",
    }


def encode_pull(forge: ForgeStore, repo: SimulatedForgeRepo, pull: SimulatedPull) -> dict[str, Any]:
    """Return a pull request as JSON; the ref of a deleted head branch is refs/pull/N/head (recording 02c)."""
    refresh_pull(forge, repo, pull)
    own = {"full_name": repo.full_name}
    head = pull.head if pull.head in repo.branches else f"refs/pull/{pull.number}/head"
    is_merged = bool(pull.merge_commit)
    return {
        "number": pull.number,
        "title": pull.title,
        "body": pull.body,
        "state": "open" if pull.is_open else "closed",
        "draft": pull.is_draft,
        "html_url": f"{BASE}/{repo.full_name}/pulls/{pull.number}",
        "user": {"login": pull.author},
        "mergeable": not pull.is_draft and is_ready(forge, repo, pull, counts_contained=False),
        "merged": is_merged,
        "merge_commit_sha": pull.merge_commit or None,
        "merged_by": {"login": pull.merged_by} if is_merged else None,
        "head": {"label": pull.head, "ref": head, "sha": pull.head_sha, "repo": own},
        "base": {"label": pull.base, "ref": pull.base, "sha": pull.base_sha, "repo": own},
    }


def _create(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    """Open a pull request; also one without anything to merge (recording 02)."""
    del rest
    options = json.loads(request.body)
    head, base, title = (str(options.get(key, "")) for key in ("head", "base", "title"))
    if repo.archived:
        return make_message(HTTPStatus.LOCKED, f"{repo.full_name} is archived", BASE)
    if not title:
        return make_message(HTTPStatus.UNPROCESSABLE_ENTITY, "[Title]: Required", BASE)
    if head not in repo.branches or base not in repo.branches:
        return None
    if head == base:
        text = "Invalid PullRequest: There are no changes between the head and the base"
        return make_message(HTTPStatus.UNPROCESSABLE_ENTITY, text, BASE)
    if other := next((one for one in repo.pulls if one.is_open and (one.head, one.base) == (head, base)), None):
        text = (
            f"pull request already exists for these targets [id: {100 + other.number}, issue_id: {other.number}, "
            f"head_repo_id: 36, base_repo_id: 36, head_branch: {head}, base_branch: {base}]"
        )
        return make_message(HTTPStatus.CONFLICT, text, BASE)
    tips = repo.branches[head], repo.branches[base]
    pull = SimulatedPull(len(repo.pulls) + 1, title, str(options.get("body", "")), head, base, caller.login, *tips)
    pull.checked = tips
    repo.pulls.append(pull)
    return make_json(encode_pull(forge, repo, pull))._replace(status=HTTPStatus.CREATED)


def _list(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    """Return a page, the newest first; `head` and `base` are ignored (recording 02)."""
    del rest, caller
    query = request.query
    state, limit, page = query.get("state", "open"), min(int(query.get("limit", "30")), 50), int(query.get("page", "1"))
    rows = [encode_pull(forge, repo, pull) for pull in reversed(repo.pulls)]
    kept = [row for row in rows if state in ("all", row["state"])]
    return make_json(kept[(page - 1) * limit : page * limit], ("X-Total-Count", str(len(kept))))


def _read(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del request, caller
    pull = find_pull(repo, rest)
    return make_json(encode_pull(forge, repo, pull)) if pull else None


def _find(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    """Return the first pull request of BASE/HEAD, in whatever state (recording 02c)."""
    del request, caller
    base, _, head = rest.partition("/")
    pull = next((one for one in repo.pulls if (one.base, one.head) == (base, head.rpartition(":")[2])), None)
    return make_json(encode_pull(forge, repo, pull)) if pull else None


def _change(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del caller
    pull, options = find_pull(repo, rest), json.loads(request.body)
    if pull is None:
        return None
    pull.title = options.get("title", pull.title)
    pull.is_open = options.get("state", "open" if pull.is_open else "closed") == "open"
    return make_json(encode_pull(forge, repo, pull))._replace(status=HTTPStatus.CREATED)


def _review(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    """Add a review; only those of users with write access count (recording 03f)."""
    del forge
    pull, event = find_pull(repo, rest), json.loads(request.body)["event"]
    if pull is None:
        return None
    if pull.author == caller.login:
        return make_message(HTTPStatus.UNPROCESSABLE_ENTITY, "approve your own pull is not allowed", BASE)
    is_official = repo.rights.get(caller.login, RepoRight.NONE) >= RepoRight.WRITE
    if is_official:
        pull.reviews[caller.login] = event
    return make_json({"state": event, "official": is_official, "user": {"login": caller.login}})


def _post_status(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del caller
    options = json.loads(request.body)
    number = 1 + max((one.id for one in repo.reports.statuses), default=0)
    status = SimulatedStatus(number, rest, options["context"], options["state"], forge.now())
    repo.reports.statuses.append(status)
    return make_json({"id": number, "status": status.state, "context": status.context})._replace(
        status=HTTPStatus.CREATED
    )


def _merge(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    """Merge; 200 has no body. The answer is cut off where `merge_cuts` says so."""
    pull = find_pull(repo, rest)
    if pull is None:
        return make_message(HTTPStatus.NOT_FOUND, "GetPullRequestByIndex", BASE)
    cut: MergeCut | None = repo.merge_cuts.pop(0) if repo.merge_cuts else None
    point = cut.point if cut else None
    refusal = None
    if point is not CutPoint.BEFORE:
        options = json.loads(request.body or b"{}")
        refusal = merge_pull(forge, repo, pull, MergeOrder(options, caller.login, is_cut=point is CutPoint.DURING))
    found = make_message(refusal.status, refusal.text, BASE) if refusal else ForgeAnswer(HTTPStatus.OK)
    return found._replace(sent_bytes=cut.sent_bytes) if cut else found


PULL_ROUTES: tuple[tuple[str, str, RepoRight, RouteHandler], ...] = (
    ("GET", "/pulls(?P<rest>)", RepoRight.READ, _list),
    ("POST", "/pulls(?P<rest>)", RepoRight.WRITE, _create),
    ("GET", "/pulls/(?P<rest>[0-9]+)", RepoRight.READ, _read),
    ("PATCH", "/pulls/(?P<rest>[0-9]+)", RepoRight.WRITE, _change),
    ("POST", "/pulls/(?P<rest>[0-9]+)/merge", RepoRight.WRITE, _merge),
    ("POST", "/pulls/(?P<rest>[0-9]+)/reviews", RepoRight.WRITE, _review),
    ("GET", "/pulls/(?P<rest>[^/]+/.+)", RepoRight.READ, _find),
    ("POST", "/statuses/(?P<rest>[0-9a-f]{40})", RepoRight.WRITE, _post_status),
)
"""WRITE: a token is needed; who may do what is in the answers themselves"""
