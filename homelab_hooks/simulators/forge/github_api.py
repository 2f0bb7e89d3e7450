"""The endpoints of GitHub's API for pull requests that are simulated, below /api/v3 as on an Enterprise Server.

From GitHub's public REST documentation ("Pulls", "Branches", "Rules", "Check runs"), not from recordings. The texts of
refusals are those of public reports. What CI reports is a check run, as GitHub Actions makes them. Refusals are decided
by the same rules as those of the simulated Gitea.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from homelab_hooks.simulators.forge.gitea_api import find_caller
from homelab_hooks.simulators.forge.merging import MergeOrder, find_pull, merge_pull, refresh_pull
from homelab_hooks.simulators.forge.message import Caller, ForgeAnswer, ForgeRequest, make_json
from homelab_hooks.simulators.forge.pulls import CutPoint, MergeCut, MergeRefusal, SimulatedPull
from homelab_hooks.simulators.forge.store import ForgeStore, RepoRight, SimulatedForgeRepo

BASE = "https://github.example.test"
TEST_MERGE = "7e57" * 10
"""`merge_commit_sha` of an open pull request: a merge that GitHub tries, and that is on no branch"""
_STYLES = {"allow_merge_commit": "merge", "allow_squash_merge": "squash", "allow_rebase_merge": "rebase"}
_TEXTS = (
    (405, "please try again later", 405, "Pull Request is not mergeable"),
    (405, "the pr is already merged", 405, "Pull Request is not mergeable"),
    (404, "not found", 405, "Pull Request is not mergeable"),
    (405, "work in progress .*", 405, "Pull Request is still a draft"),
    (405, "not all required status checks .*", 405, "Required status check is failing."),
    (405, "does not have enough approvals", 405, "At least 1 approving review is required."),
    (405, ".* is not allowed an allowed merge style .*", 405, "Merge commits are not allowed on this repository."),
    (409, "head out of date", 409, "Head branch was modified. Review and try the merge again."),
    (409, "pushrejected .*", 405, "Base branch was modified. Review and try the merge again."),
)  # fmt: skip
"""each of Gitea's refusals as GitHub words it"""
Route = Callable[[ForgeStore, SimulatedForgeRepo, ForgeRequest, str, Caller], ForgeAnswer | None]


def answer(forge: ForgeStore, request: ForgeRequest, base_url: str) -> ForgeAnswer:
    """Return the response to a request."""
    del base_url
    caller = find_caller(forge, request.headers.get("authorization", ""))
    path = unquote(urlsplit(request.path).path)
    if path == "/api/v3/meta":
        return make_json({"verifiable_password_authentication": True, "installed_version": "3.14.0"})
    if caller is None:
        return _refuse(HTTPStatus.UNAUTHORIZED, "Bad credentials")
    for method, pattern, handler in _ROUTES:
        match = pattern.fullmatch(path)
        if not (match and method == request.method):
            continue
        repo = forge.repository(match["repo"])
        own = repo.rights.get(caller.login, RepoRight.NONE) if repo else RepoRight.NONE
        if repo is None or (repo.private and own < RepoRight.READ) or (method != "GET" and own < RepoRight.WRITE):
            break
        repo.read_git()
        return handler(forge, repo, request, match["rest"] or "", caller) or _refuse(HTTPStatus.NOT_FOUND, "Not Found")
    return _refuse(HTTPStatus.NOT_FOUND, "Not Found")


def _refuse(status: int, text: str, *errors: str) -> ForgeAnswer:
    body = {"message": text, "documentation_url": "https://docs.github.com/rest"}
    return ForgeAnswer(
        status, json.dumps(body | ({"errors": [{"message": one} for one in errors]} if errors else {})).encode()
    )


def _get_repository(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del forge, request, rest
    own = repo.rights.get(caller.login, RepoRight.NONE)
    rights = {"admin": own >= RepoRight.ADMIN, "push": own >= RepoRight.WRITE, "pull": True}
    flags = {flag: word in repo.styles for flag, word in _STYLES.items()}
    shown = {"full_name": repo.full_name, "archived": repo.archived, "permissions": rights}
    return make_json(shown | (flags if own >= RepoRight.WRITE else {}))


def _get_branch(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    """Return a branch; rulesets show in `protected` only."""
    del forge, request, caller
    if rest not in repo.branches:
        return None
    return make_json({"name": rest, "commit": {"sha": repo.branches[rest]}, "protected": rest in repo.protections})


def _list_rules(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    """Return the rules of the rulesets that apply to a branch."""
    del forge, caller
    rules = repo.protections.get(rest)
    if rules is None or request.query.get("page", "1") != "1":
        return make_json([])
    found: list[dict[str, Any]] = [
        {"type": "pull_request", "parameters": {"required_approving_review_count": rules.approvals}}
    ]
    if rules.contexts is not None:
        checks = [{"context": name} for name in rules.contexts]
        strict = {"strict_required_status_checks_policy": rules.blocks_outdated}
        found.append({"type": "required_status_checks", "parameters": strict | {"required_status_checks": checks}})
    return make_json(found)


def encode_pull(forge: ForgeStore, repo: SimulatedForgeRepo, pull: SimulatedPull) -> dict[str, Any]:
    """Return a pull request as JSON."""
    refresh_pull(forge, repo, pull)
    own = {"full_name": repo.full_name}
    return {
        "number": pull.number,
        "title": pull.title,
        "state": "open" if pull.is_open else "closed",
        "draft": pull.is_draft,
        "html_url": f"{BASE}/{repo.full_name}/pull/{pull.number}",
        "mergeable": None,
        "merged": bool(pull.merge_commit),
        "merged_at": "2026-11-30T09:01:47Z" if pull.merge_commit else None,
        "merge_commit_sha": pull.merge_commit or TEST_MERGE,
        "merged_by": {"login": pull.merged_by} if pull.merge_commit else None,
        "head": {"label": f"acme:{pull.head}", "ref": pull.head, "sha": pull.head_sha, "repo": own},
        "base": {"label": f"acme:{pull.base}", "ref": pull.base, "sha": pull.base_sha, "repo": own},
    }


def _list_pulls(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    """Return those of a head (OWNER:BRANCH) and a base."""
    del rest, caller
    query = request.query
    rows = [encode_pull(forge, repo, pull) for pull in reversed(repo.pulls)]
    return make_json([
        row
        for row in rows
        if query.get("state", "open") in {"all", row["state"]}
        and query.get("head", "").rpartition(":")[2] in {"", row["head"]["ref"]}
        and query.get("base", row["base"]["ref"]) == row["base"]["ref"]
    ])  # fmt: skip


def _create(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del rest
    options = json.loads(request.body)
    head, base, title = (str(options.get(key, "")) for key in ("head", "base", "title"))
    if any(one.is_open and (one.head, one.base) == (head, base) for one in repo.pulls):
        text = f"A pull request already exists for acme:{head}."
        return _refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "Validation Failed", text)
    if not title or head not in repo.branches or base not in repo.branches:
        return _refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "Validation Failed", "a field is missing or invalid")
    tips = repo.branches[head], repo.branches[base]
    if repo.git and repo.git.is_ancestor(*tips):
        return _refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "Validation Failed", f"No commits between {base} and {head}")
    pull = SimulatedPull(len(repo.pulls) + 1, title, str(options.get("body", "")), head, base, caller.login, *tips)
    pull.checked = tips
    repo.pulls.append(pull)
    return make_json(encode_pull(forge, repo, pull))._replace(status=HTTPStatus.CREATED)


def _read(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del request, caller
    pull = find_pull(repo, rest)
    return make_json(encode_pull(forge, repo, pull)) if pull else None


def _list_statuses(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del forge, repo, request, rest, caller
    return make_json([])


def _list_checks(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    """Return what CI has reported about a commit as check runs."""
    del caller
    known = [one for one in repo.reports.statuses if one.sha == rest and one.at <= forge.now()]
    rows = [
        {
            "id": one.id,
            "name": one.context,
            "status": "in_progress" if one.state == "pending" else "completed",
            "conclusion": None if one.state == "pending" else one.state,
            "app": {"slug": "github-actions"},
        }
        for one in sorted(known, key=lambda one: -one.id)
    ]
    return make_json({"total_count": len(rows), "check_runs": rows if request.query.get("page", "1") == "1" else []})


def _merge(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    """Merge; the answer names the commit, and is cut off where `merge_cuts` says so."""
    pull = find_pull(repo, rest)
    if pull is None:
        return None
    cut: MergeCut | None = repo.merge_cuts.pop(0) if repo.merge_cuts else None
    point = cut.point if cut else None
    refusal = None
    if point is not CutPoint.BEFORE:
        given = json.loads(request.body or b"{}")
        options = {"Do": given.get("merge_method", "merge"), "head_commit_id": given.get("sha", "")}
        order = MergeOrder(options, caller.login, is_cut=point is CutPoint.DURING)
        refusal = _check_head(forge, repo, pull, options["head_commit_id"]) or merge_pull(forge, repo, pull, order)
    text = "Pull Request successfully merged"
    done = make_json({"sha": pull.merge_commit or TEST_MERGE, "merged": True, "message": text})
    found = _word_refusal(refusal) if refusal else done
    return found._replace(sent_bytes=cut.sent_bytes) if cut else found


def _check_head(forge: ForgeStore, repo: SimulatedForgeRepo, pull: SimulatedPull, pinned: str) -> MergeRefusal | None:
    """Return the refusal of a head that has moved, which comes before all others."""
    refresh_pull(forge, repo, pull)
    return MergeRefusal(HTTPStatus.CONFLICT, "head out of date") if pinned not in {"", pull.head_sha} else None


def _word_refusal(refusal: MergeRefusal) -> ForgeAnswer:
    for status, pattern, other, text in _TEXTS:
        if status == refusal.status and re.fullmatch(pattern, refusal.text, re.IGNORECASE):
            return _refuse(other, text)
    return _refuse(refusal.status or HTTPStatus.INTERNAL_SERVER_ERROR, refusal.text)


_REPO = r"/api/v3/repos/(?P<repo>[^/]+/[^/]+)"
_ROUTES: tuple[tuple[str, re.Pattern[str], Route], ...] = tuple(
    (method, re.compile(_REPO + pattern), handler)
    for method, pattern, handler in (
        ("GET", "(?P<rest>)", _get_repository),
        ("GET", "/branches/(?P<rest>.+)", _get_branch),
        ("GET", "/rules/branches/(?P<rest>.+)", _list_rules),
        ("GET", "/pulls(?P<rest>)", _list_pulls),
        ("POST", "/pulls(?P<rest>)", _create),
        ("GET", "/pulls/(?P<rest>[0-9]+)", _read),
        ("PUT", "/pulls/(?P<rest>[0-9]+)/merge", _merge),
        ("GET", "/commits/(?P<rest>[0-9a-f]{40})/statuses", _list_statuses),
        ("GET", "/commits/(?P<rest>[0-9a-f]{40})/check-runs", _list_checks),
    )
)
