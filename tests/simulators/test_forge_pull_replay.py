"""The simulated forge answers the recorded requests about rules and pull requests as the real one did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from homelab_hooks.simulators.forge.gitea_api import answer
from homelab_hooks.simulators.forge.message import ForgeRequest
from homelab_hooks.simulators.forge.pulls import SimulatedProtection
from homelab_hooks.simulators.forge.store import ALL_SCOPES, ForgeStore, ForgeUser, RepoRight, SimulatedForgeRepo
from homelab_hooks.simulators.woodpecker.replay import load_recording

RECORDINGS = Path(__file__).parent.parent / "recordings" / "forge"
RIGHTS = {"alice": RepoRight.ADMIN, "bob": RepoRight.WRITE, "carol": RepoRight.READ}
RULE_FIELDS = (
    "protected", "required_approvals", "enable_status_check", "status_check_contexts", "user_can_push",
    "user_can_merge",
)  # fmt: skip
PULL_FIELDS = ("number", "title", "state", "draft", "merged")


def make_store(repo: SimulatedForgeRepo) -> ForgeStore:
    users = [
        ForgeUser(login, tokens={f"<{login.upper()}_TOKEN>": ALL_SCOPES}) for login in ("alice", "bob", "carol", "dave")
    ]
    return ForgeStore(users, [repo])


def requests(name: str, repo: str) -> Iterator[Any]:
    for one in load_recording(RECORDINGS / f"{name}.json.gz")["exchanges"]:
        request = one.get("request")
        if request and "response" in one and f"/repos/{repo}" in request["path"] and ":" not in one.get("as", ":"):
            yield one


def send(store: ForgeStore, request: Any) -> tuple[int, Any]:
    headers = {name.lower(): value for name, value in request["headers"].items()}
    body = json.dumps(request["body"]).encode() if request.get("body") else b""
    found = answer(store, ForgeRequest(request["method"], request["path"], headers, body), "https://git.example.test")
    return found.status, json.loads(found.body) if found.body else None


def read_rules(body: Any) -> SimulatedProtection:
    """The rules of an administrator's request, without the whitelists of pushes."""
    contexts = tuple(body["status_check_contexts"]) if body.get("enable_status_check") else None
    users = frozenset(body["merge_whitelist_usernames"]) if body.get("enable_merge_whitelist") else None
    return SimulatedProtection(body.get("enable_push", False), users, contexts, body.get("required_approvals", 0))


def test_the_recorded_rules_are_shown_as_they_were() -> None:
    """Recording 01: twelve rules as alice, bob, and carol saw them; rules about who may push are left out."""
    repo = SimulatedForgeRepo("acme/app01", RIGHTS, {"main": "a" * 40})
    store, compared, is_simulated = make_store(repo), 0, True
    for one in requests("01-branch-and-protection", "acme/app01"):
        request, response = one["request"], one["response"]
        if request["method"] == "POST" and request["path"].endswith("/branch_protections"):
            is_simulated = not request["body"].get("enable_push_whitelist")
            repo.protections = {"main": read_rules(request["body"])}
        elif request["method"] == "DELETE":
            repo.protections = {}
        elif request["path"].endswith("/branches/main") and one["as"] in RIGHTS and is_simulated:
            status, body = send(store, request)
            recorded = [response["body"][name] for name in RULE_FIELDS]
            assert (status, [body[name] for name in RULE_FIELDS]) == (response["status"], recorded), one["note"]
            compared += 1
    assert compared >= 30


def summarize(body: Any) -> Any:
    if isinstance(body, list):
        return [summarize(row) for row in body]
    if isinstance(body, dict) and "number" in body:
        return {name: body[name] for name in PULL_FIELDS} | {"head": body["head"]["ref"], "base": body["base"]["ref"]}
    message = body.get("message", "") if isinstance(body, dict) else ""
    return message.partition(" [id:")[0]  # the forge's own numbers


def test_the_recorded_requests_are_opened_and_found_as_they_were() -> None:
    """Recording 02: twice, without a difference, unknown branches, no title; then found by base and head."""
    names = ("main", "feature", "topic/with/slash", "same", "f3")
    repo = SimulatedForgeRepo("acme/app02", RIGHTS, {name: f"{number}" * 40 for number, name in enumerate(names)})
    store, compared = make_store(repo), 0
    for one in requests("02-pull-request-create", "acme/app02/pulls"):
        request, response = one["request"], one["response"]
        ending = request["path"].rpartition("/")[2]
        if ending in {"commits", "merge", "requested_reviewers", "reviews"} or len(str(request.get("body"))) > 400:
            continue
        if "head is a sha" in str(one.get("note")):
            continue
        assert (*send_summary(store, request),) == (response["status"], summarize(response["body"])), one["note"]
        compared += 1
    assert compared >= 20


def send_summary(store: ForgeStore, request: Any) -> tuple[int, Any]:
    status, body = send(store, request)
    return status, summarize(body)
