"""The simulated forge answers as a real one did, and its events reach a simulated Woodpecker."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from homelab_hooks.simulators.forge.gitea_api import answer
from homelab_hooks.simulators.forge.message import ForgeRequest
from homelab_hooks.simulators.forge.server import deliver_to_woodpecker
from homelab_hooks.simulators.forge.store import (
    ALL_SCOPES,
    ZERO_SHA,
    ForgeStore,
    ForgeUser,
    RepoRight,
    SimulatedForgeRepo,
    SimulatedWebhook,
)
from homelab_hooks.simulators.woodpecker import timelines
from homelab_hooks.simulators.woodpecker.replay import load_recording
from homelab_hooks.simulators.woodpecker.server import WoodpeckerSimulator
from homelab_hooks.simulators.woodpecker.store import SimulatedRepo

RECORDINGS = Path(__file__).parent.parent / "recordings" / "forge"
BASE = "https://git.example.test"
RIGHTS = {"alice": RepoRight.ADMIN, "bob": RepoRight.WRITE, "carol": RepoRight.READ}
FIRST = "4c69bcd30aa614cefb2b9aceb57852bc5feb2c4d"
SECOND = "a0c92d1e6cbeb9a19d8d2dc07ec1e19eda2bf6aa"


def make_store(repo: SimulatedForgeRepo) -> ForgeStore:
    users = [
        ForgeUser(login, tokens={f"<{login.upper()}_TOKEN>": ALL_SCOPES}) for login in ("alice", "bob", "carol", "dave")
    ]
    scoped = {
        "<ALICE_TOKEN_WRITE_REPO2>": frozenset({"write:repository"}),
        "<ALICE_TOKEN_READ_REPO2>": frozenset({"read:repository"}),
    }
    users[0] = ForgeUser("alice", "secret", {**users[0].tokens, **scoped})
    return ForgeStore(users, [repo])


def exchanges(name: str) -> list[Any]:
    found: list[Any] = load_recording(RECORDINGS / f"{name}.json.gz")["exchanges"]
    return found


def send(store: ForgeStore, request: Any) -> tuple[int, Any]:
    headers = {name.lower(): value for name, value in request["headers"].items()}
    body = json.dumps(request["body"]).encode() if request.get("body") else b""
    found = answer(store, ForgeRequest(request["method"], request["path"], headers, body), BASE)
    is_json = found.content_type.startswith("application/json") and found.body
    return found.status, json.loads(found.body) if is_json else found.body.decode() or None


def summary(body: Any) -> Any:
    """What is compared of a response: a webhook without its times and the events that a real server adds."""
    if isinstance(body, list):
        return [summary(row) for row in body]
    if isinstance(body, dict) and "config" in body:
        kept = ("id", "branch_filter", "config", "active")
        return {**{name: body[name] for name in kept}, "push": "push" in body["events"]}
    return body


def replay(store: ForgeStore, repo: SimulatedForgeRepo) -> Iterator[tuple[Any, Any, Any]]:
    """Repeat the recording; yield each request or delivery, what was recorded, and what is simulated."""
    read = 0
    for exchange in exchanges("05-webhook-redelivery"):
        kind, request = exchange.get("kind"), exchange.get("request")
        if kind == "git" and exchange.get("note") == "the real push of two commits":
            store.push(repo, "main", SECOND, "bob")
        elif kind == "webhook":
            body = request["body"]
            if body["ref"] == "refs/tags/v1" and body["before"] == "0" * 40:
                continue  # the push of the tag itself
            sent, read = store.sent[read], read + 1
            recorded = tuple(body[name] for name in ("ref", "before", "after"))
            yield "webhook", (*recorded, body["sender"]["login"]), (sent.ref, sent.before, sent.after, sent.sender)
        elif kind is None and request["path"].startswith("/api/v1/repos/acme/app05"):
            status, body = send(store, request)
            response = exchange["response"]
            yield request["path"], (response["status"], summary(response["body"])), (status, summary(body))


def test_the_recording_of_test_deliveries_is_answered_again() -> None:
    """Who may, what is sent for each ref, and that the answer is 204 where nothing is sent."""
    topic = next(
        exchange["request"]["body"]["after"]
        for exchange in exchanges("05-webhook-redelivery")
        if exchange.get("kind") == "webhook" and exchange["request"]["body"]["ref"] == "topic"
    )
    repo = SimulatedForgeRepo("acme/app05", RIGHTS, {"main": FIRST, "topic": topic}, {"v1": FIRST})
    compared = list(replay(make_store(repo), repo))
    assert len(compared) > 50
    for subject, recorded, simulated in compared:
        assert simulated == recorded, subject


def test_a_test_delivery_makes_woodpecker_build_what_it_built(woodpecker: WoodpeckerSimulator) -> None:
    """Recording 05b: also the wrong commit for the full name of another branch."""
    found = exchanges("05b-redelivery-to-woodpecker")
    commits = sorted(set(re.findall(r"\b[0-9a-f]{40}\b", json.dumps(found))))
    hook = SimulatedWebhook(24, "https://ci.example.test/api/hook?access_token=SECRET")
    repo = SimulatedForgeRepo("acme/app04w", RIGHTS, {"main": "1" * 40}, hooks=[hook])
    store = make_store(repo)
    deliver = deliver_to_woodpecker(woodpecker, timelines.make_green())
    woodpecker.store.repositories[:] = [SimulatedRepo(id=8, full_name="acme/app04w")]
    compared = 0
    for exchange, after in zip(found, [*found[1:], {}], strict=True):
        if lost := re.match(r"webhook of (\w+) on (\w+) is lost", exchange.get("what", "")):
            repo.older_commits.add(repo.branches.get(lost[2], ZERO_SHA))
            repo.branches[lost[2]] = next((sha for sha in commits if sha.startswith(lost[1])), "2" * 40)
        elif exchange.get("what") == "default branch is now side":
            repo.default_branch = "side"
        elif exchange.get("request", {}).get("path", "").startswith("/api/v1/repos/acme/app04w/hooks/24/tests"):
            recorded = [row for row in after["pipelines"] if row["commit"] in commits]
            if not recorded or exchange["note"].startswith("path filter"):
                continue  # a skip marker, and commits that the recording does not name
            before = len(store.sent)
            assert send(store, exchange["request"]) == (204, None)
            for delivery in store.sent[before:]:
                deliver(delivery)
            row = woodpecker.store.rows[-1]
            assert (row.commit, row.branch, row.ref, row.author) == (
                recorded[-1]["commit"], recorded[-1]["branch"], recorded[-1]["ref"], "alice",
            )  # fmt: skip
            compared += 1
    assert compared == 8
