"""Each answer to a merge that was recorded from a real Gitea is given by the simulated forge in the same situation.

Recordings 03, 03b, 03c, and 03f to 03j. What is not simulated is listed. The product reads all of them in
`tests/forge/test_merge_outcome.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.simulators.forge.message import ForgeRequest
from homelab_hooks.simulators.forge.pulls import SimulatedProtection
from homelab_hooks.simulators.forge.server import answer
from homelab_hooks.simulators.forge.store import ForgeUser
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.simulators.woodpecker.replay import load_recording
from tests.forge.simulated_pulls import REPO, PullWorld, make_pull_world

pytestmark = pytest.mark.slow  # many processes of git

RECORDINGS = Path(__file__).parent.parent / "recordings" / "forge"
NAMES = (
    "03-merge-styles", "03b-merge-head-pin", "03c-merge-rights", "03f-merge-approvals-outdated",
    "03g-mergeable-over-time", "03h-merge-policy-and-lost-answer", "03i-two-clients-at-once",
    "03j-administrators-and-force",
)  # fmt: skip


class MergeReply(NamedTuple):
    """What a merge of a style is answered, without what differs from run to run."""

    style: str
    status: int
    text: str = ""


def normalize(style: object, status: int, body: object) -> MergeReply:
    """Name the style only where it matters: a fast-forward of a diverged target is answered otherwise than a merge."""
    text = body.get("message", "") if isinstance(body, dict) else ""
    for pattern, other in (
        (r"[0-9a-f]{40}", "SHA"),
        (r"^[\w-]+ is not allowed an", "STYLE is not allowed an"),
        (r"^[\w/]+ is archived", "REPO is archived"),
        (r", token scope=.*", ""),
        (r"^GetPullRequestByIndex.*", "GetPullRequestByIndex"),
    ):
        text = re.sub(pattern, other, text, flags=re.DOTALL)
    return MergeReply("fast-forward" if status == 500 and style == "fast-forward-only" else "", status, text)


def recorded_replies() -> set[MergeReply]:
    found = set()
    for name in NAMES:
        for one in load_recording(RECORDINGS / f"{name}.json.gz")["exchanges"]:
            request, response = one.get("request") or {}, one.get("response") or {}
            if request.get("method") == "POST" and request.get("path", "").endswith("/merge") and response:
                found.add(normalize((request.get("body") or {}).get("Do"), response["status"], response.get("body")))
    return found


@dataclass
class MergeCase:
    """A merge of bob's pull request, and what is changed before it is sent."""

    prepare: Callable[[PullWorld], object] = lambda _: None
    options: dict[str, Any] = field(default_factory=dict)
    token: str = "bob-token"
    number: int = 1

    def send(self, world: PullWorld) -> MergeReply:
        world.open()
        self.prepare(world)
        options = {"Do": "merge", "head_commit_id": world.head, **self.options}
        path = f"/api/v1/repos/{REPO}/pulls/{self.number}/merge"
        headers = {"authorization": f"token {self.token}"} if self.token else {}
        found = answer(world.store, ForgeRequest("POST", path, headers, json.dumps(options).encode()), "")
        return normalize(options["Do"], found.status, json.loads(found.body or b"null"))


def ruled(**rules: Any) -> Callable[[PullWorld], None]:
    return lambda world: world.repo.protect("main", SimulatedProtection(**rules))


def moved_and_checking(world: PullWorld) -> None:
    world.repo.check_seconds = 3.0
    world.move_target()


def rejected(world: PullWorld) -> None:
    world.repo.protect("main", SimulatedProtection(blocks_on_rejection=True))
    world.repo.pulls[0].reviews["alice"] = "REQUEST_CHANGES"


def outdated(world: PullWorld) -> None:
    world.move_target()
    ruled(blocks_outdated=True)(world)


def limit_scope(world: PullWorld) -> None:
    world.store.users[1] = ForgeUser("bob", tokens={"bob-token": frozenset({"read:repository"})})


CASES = {
    "all is well": MergeCase(),
    "the target moved a moment ago": MergeCase(moved_and_checking),
    "a fast-forward of a diverged target": MergeCase(lambda world: world.move_target(), {"Do": "fast-forward-only"}),
    "no style": MergeCase(options={"Do": ""}),
    "an unknown style": MergeCase(options={"Do": "octopus"}),
    "a style that is not allowed": MergeCase(lambda world: setattr(world.repo, "styles", frozenset({"squash"}))),
    "no such pull request": MergeCase(number=9),
    "another head": MergeCase(options={"head_commit_id": "0" * 40}),
    "a target that moves meanwhile": MergeCase(lambda world: setattr(world.repo, "before_merge", world.move_target)),
    "a reader": MergeCase(token="carol-token"),
    "no credentials": MergeCase(token=""),
    "a wrong token": MergeCase(token="wrong"),
    "a token that only reads": MergeCase(limit_scope),
    "signed commits": MergeCase(ruled(needs_signature=True)),
    "an archived repository": MergeCase(lambda world: setattr(world.repo, "archived", True)),
    "a closed request": MergeCase(lambda world: setattr(world.repo.pulls[0], "is_open", False)),
    "approvals missing": MergeCase(ruled(approvals=1)),
    "rejected": MergeCase(rejected),
    "behind the target": MergeCase(outdated),
    "a required check missing": MergeCase(ruled(contexts=("ci/test",))),
}
NOT_SIMULATED = {
    MergeReply("", 201),  # a merge that Gitea schedules, which is never asked for
    MergeReply("", 405, "Changed protected files"),
    MergeReply("", 405, "There are official review requests"),
    MergeReply("", 500),  # the loser of two merge commits at once; here it gets 409
}


@pytest.mark.parametrize("name", CASES)
def test_a_situation_is_answered_as_it_was_recorded(name: str, workshop: ScratchRepositories) -> None:
    assert CASES[name].send(make_pull_world(workshop)) in recorded_replies()


def test_every_recorded_answer_has_a_situation(workshop: ScratchRepositories) -> None:
    found = set()
    for number, case in enumerate(CASES.values()):
        folder = workshop.folder / str(number)
        found.add(case.send(make_pull_world(ScratchRepositories(folder, workshop.environ))))
    assert recorded_replies() - found == NOT_SIMULATED


@pytest.mark.parametrize("style", list(MergeStyle))
def test_two_clients_at_once_move_the_target_once(world: PullWorld, style: MergeStyle) -> None:
    """Recording 03i: whatever the second one is answered, there is one merge on the target."""
    world.open()
    before = world.target
    first = world.merge(style)
    after = world.target
    world.merge(style, login="alice")
    assert (first.next.name, world.target) == ("MERGED", after)
    assert after != before


@pytest.fixture
def world(workshop: ScratchRepositories) -> PullWorld:
    return make_pull_world(workshop)
