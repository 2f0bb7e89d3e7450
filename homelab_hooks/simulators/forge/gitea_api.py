"""The endpoints of Gitea's API that are simulated, as recordings 01-branch-and-protection and 05-webhook-redelivery."""

from __future__ import annotations

import base64
import json
import re
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from homelab_hooks.simulators.forge import runs
from homelab_hooks.simulators.forge.message import (
    NOT_FOUND_PAGE,
    Caller,
    ForgeAnswer,
    ForgeRequest,
    RouteHandler,
    make_json,
    make_message,
    make_not_found,
)
from homelab_hooks.simulators.forge.pulls_api import PULL_ROUTES, encode_branch, encode_repository
from homelab_hooks.simulators.forge.store import ForgeStore, RepoRight, SimulatedForgeRepo, SimulatedWebhook


def answer(forge: ForgeStore, request: ForgeRequest, base_url: str) -> ForgeAnswer:
    """Return the response to a request."""
    caller = find_caller(forge, request.headers.get("authorization", ""))
    if caller is None:
        return make_message(HTTPStatus.UNAUTHORIZED, "invalid username, password or token", base_url)
    path = unquote(urlsplit(request.path).path)
    if path == "/api/v1/version" and request.method == "GET":
        return make_json({"version": forge.version})
    for method, pattern, right, handler in ROUTES:
        match = pattern.fullmatch(path)
        if not (match and method == request.method):
            continue
        repo = forge.repository(match["repo"])
        refused = _refuse(caller, repo, right, method, base_url)
        if refused or repo is None:
            return refused or make_not_found(base_url)
        repo.read_git()
        return handler(forge, repo, request, match["rest"] or "", caller) or make_not_found(base_url)
    return ForgeAnswer(HTTPStatus.NOT_FOUND, NOT_FOUND_PAGE, "text/plain; charset=utf-8")


def find_caller(forge: ForgeStore, authorization: str) -> Caller | None:
    """Return who sent a request; None for credentials that are not known. A password may be a token."""
    if not authorization:
        return Caller()
    kind, _, value = authorization.partition(" ")
    user, password = "", value
    if kind.lower() == "basic":
        user, _, password = base64.b64decode(value).decode().partition(":")
    for known in forge.users:
        if password in known.tokens:
            return Caller(known, known.tokens[password])
        if user == known.login and password == known.password and password:
            return Caller(known)
    return None


def _refuse(
    caller: Caller, repo: SimulatedForgeRepo | None, right: RepoRight, method: str, base_url: str
) -> ForgeAnswer | None:
    own = repo.rights.get(caller.login, RepoRight.NONE) if repo else RepoRight.NONE
    is_visible = repo is not None and (not repo.private or own >= RepoRight.READ)
    scope = "read:repository" if method == "GET" else "write:repository"
    if not is_visible:
        return make_not_found(base_url)
    if caller.user is None:
        needs_token = right > RepoRight.READ
        return make_message(HTTPStatus.UNAUTHORIZED, "token is required", base_url) if needs_token else None
    if scope not in caller.scopes and not (scope.startswith("read") and "write:repository" in caller.scopes):
        own_scopes = ",".join(sorted(caller.scopes))
        text = f"token does not have at least one of required scope(s), required=[{scope}], token scope={own_scopes}"
        return make_message(HTTPStatus.FORBIDDEN, text, base_url)
    if right is RepoRight.ADMIN and own < RepoRight.ADMIN:
        text = "user should be an owner or a collaborator with admin write of a repository"
        return make_message(HTTPStatus.FORBIDDEN, text, base_url)
    return None


def _get_repository(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del forge, request, rest
    return make_json(encode_repository(repo, caller))


def _get_branch(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del forge, request
    return make_json(encode_branch(repo, rest, caller)) if rest in repo.branches else None


def _list_hooks(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del forge, rest, caller
    limit, page = int(request.query.get("limit", "30")), int(request.query.get("page", "1"))
    rows = [encode_hook(hook) for hook in repo.hooks[(page - 1) * limit : page * limit]]
    return make_json(rows, ("X-Total-Count", str(len(repo.hooks))))


def _get_hook(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del forge, request, caller
    hook = _find_hook(repo, rest)
    return make_json(encode_hook(hook)) if hook else None


def _create_hook(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del rest, caller
    options = json.loads(request.body)
    number = 1 + max((hook.id for one in forge.repositories for hook in one.hooks), default=22)
    hook = SimulatedWebhook(number, options["config"]["url"], options["events"], options["active"])
    hook.branch_filter = options.get("branch_filter", "")
    repo.hooks.append(hook)
    return make_json(encode_hook(hook))._replace(status=HTTPStatus.CREATED)


def _change_hook(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    """Change a webhook. A change without a branch filter removes the filter (recording 05-webhook-redelivery)."""
    del forge, caller
    hook = _find_hook(repo, rest)
    if hook is None:
        return None
    options = json.loads(request.body)
    hook.active, hook.events = options.get("active", hook.active), options.get("events", hook.events)
    hook.branch_filter = options.get("branch_filter", "")
    return make_json(encode_hook(hook))


def _test_hook(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    """Send a test delivery: 204, also where nothing is sent."""
    hook = _find_hook(repo, rest.removesuffix("/tests"))
    if hook is None:
        return None
    forge.send_test(repo, hook, request.query.get("ref", ""), caller.login)
    return ForgeAnswer(HTTPStatus.NO_CONTENT)


def _list_runs(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del rest, caller
    page = runs.list_runs(repo.reports, request.query, forge.now(), "https://git.example.test")
    return make_json({"workflow_runs": page.rows, "total_count": page.total}, ("X-Total-Count", str(page.total)))


def _list_jobs(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del caller
    page = runs.list_jobs(repo.reports, rest, request.query, forge.now())
    if page is None:
        return None
    return make_json({"jobs": page.rows, "total_count": page.total}, ("X-Total-Count", str(page.total)))


def _get_job_log(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    del request, caller
    log = runs.find_log(repo.reports, rest, forge.now())
    return ForgeAnswer(HTTPStatus.OK, log.encode(), "text/plain; charset=utf-8") if log is not None else None


def _list_statuses(
    forge: ForgeStore, repo: SimulatedForgeRepo, request: ForgeRequest, rest: str, caller: Caller
) -> ForgeAnswer | None:
    """Return the statuses of a commit; a commit that is not in the repository is a 404 (recording 04)."""
    del caller
    known = {*repo.branches.values(), *repo.older_commits, *(one.sha for one in repo.reports.statuses)}
    if rest not in known:
        return None
    page = runs.list_statuses(repo.reports, rest, request.query, forge.now())
    return make_json(page.rows, ("X-Total-Count", str(page.total)))


def _find_hook(repo: SimulatedForgeRepo, number: str) -> SimulatedWebhook | None:
    return next((hook for hook in repo.hooks if str(hook.id) == number), None)


def encode_hook(hook: SimulatedWebhook) -> dict[str, Any]:
    """Return a webhook as JSON; its URL is complete, with the receiver's token."""
    return {
        "id": hook.id,
        "name": "",
        "type": "gitea",
        "branch_filter": hook.branch_filter,
        "config": {"content_type": "json", "url": hook.url},
        "events": hook.events,
        "authorization_header": "",
        "active": hook.active,
    }


_REPO = r"/api/v1/repos/(?P<repo>[^/]+/[^/]+)"
ROUTES: tuple[tuple[str, re.Pattern[str], RepoRight, RouteHandler], ...] = tuple(
    (method, re.compile(_REPO + pattern), right, handler)
    for method, pattern, right, handler in (
        ("GET", "(?P<rest>)", RepoRight.READ, _get_repository),
        ("GET", "/branches/(?P<rest>.+)", RepoRight.READ, _get_branch),
        ("GET", "/hooks(?P<rest>)", RepoRight.ADMIN, _list_hooks),
        ("POST", "/hooks(?P<rest>)", RepoRight.ADMIN, _create_hook),
        ("GET", "/hooks/(?P<rest>[0-9]+)", RepoRight.ADMIN, _get_hook),
        ("PATCH", "/hooks/(?P<rest>[0-9]+)", RepoRight.ADMIN, _change_hook),
        ("POST", "/hooks/(?P<rest>[0-9]+/tests)", RepoRight.ADMIN, _test_hook),
        # Actions need a token although a reader may see them (recording 07-actions-no-runner); statuses do not.
        ("GET", "/actions/runs(?P<rest>)", RepoRight.WRITE, _list_runs),
        ("GET", "/actions/runs/(?P<rest>[0-9]+)/jobs", RepoRight.WRITE, _list_jobs),
        ("GET", "/actions/jobs/(?P<rest>[0-9]+)/logs", RepoRight.WRITE, _get_job_log),
        ("GET", "/commits/(?P<rest>[0-9a-f]{40})/statuses", RepoRight.READ, _list_statuses),
        *PULL_ROUTES,
    )
)
