"""The simulated forge merges pull requests as the recorded Gitea did, with real git, read by the product's client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.config.address import parse_server_url
from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.forge.connection import Authorization, ForgeConnection
from homelab_hooks.forge.forges import connect_pull_requests
from homelab_hooks.forge.merge_outcome import MergeNext
from homelab_hooks.forge.pull_requests import AlreadyOpen, MergeRequest, NewPullRequest, PullRequestState
from homelab_hooks.forge.required_checks import ChecksState, RequiredChecks, judge_required_checks
from homelab_hooks.net.http import HttpClient
from homelab_hooks.polling.outcome import Found, NotFound
from homelab_hooks.simulators.forge.pulls import (
    CutPoint,
    MergeCut,
    MergeFacts,
    SimulatedProtection,
    are_checks_green,
    find_refusal,
)
from homelab_hooks.simulators.forge.server import ForgeSimulator
from homelab_hooks.simulators.repositories import ScratchRepositories
from homelab_hooks.simulators.woodpecker.replay import load_recording
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.text.commit_report import CommitReport
from tests.forge.simulated_pulls import REPO, PullWorld, make_pull_world

RECORDINGS = Path(__file__).parent.parent / "recordings" / "forge"
RULED = SimulatedProtection(contexts=("ci/build", "lint-*"))


@pytest.fixture
def world(workshop: ScratchRepositories) -> PullWorld:
    return make_pull_world(workshop)


def exchanges(name: str) -> list[Any]:
    found: list[Any] = load_recording(RECORDINGS / f"{name}.json.gz")["exchanges"]
    return found


def recorded_refusals() -> set[tuple[int, str]]:
    return {
        (one["response"]["status"], one["response"]["body"]["message"])
        for path in RECORDINGS.glob("0[23]*.json.gz")
        for one in exchanges(path.name.removesuffix(".json.gz"))
        if one.get("request", {}).get("path", "").endswith("/merge") and (one.get("response", {}).get("body") or {})
    }


@pytest.mark.parametrize(
    "facts",
    [
        MergeFacts(style=""),
        MergeFacts(style="octopus"),
        MergeFacts(is_merged=True, is_open=False),
        MergeFacts(is_open=False),
        MergeFacts(may_merge=False),
        MergeFacts(is_draft=True, is_ready=False),
        MergeFacts(is_ready=False, pinned="0" * 40),
        MergeFacts(protection=SimulatedProtection(contexts=("ci",))),
        MergeFacts(protection=SimulatedProtection(approvals=1)),
        MergeFacts(protection=SimulatedProtection(blocks_on_rejection=True), is_rejected=True),
        MergeFacts(protection=SimulatedProtection(blocks_outdated=True), is_outdated=True),
        MergeFacts(protection=SimulatedProtection(needs_signature=True)),
        MergeFacts(style="rebase", allowed=frozenset({"squash"})),
        MergeFacts(head_sha="a" * 40, pinned="0" * 40),
    ],
)
def test_every_refusal_is_a_recorded_one(facts: MergeFacts) -> None:
    refusal = find_refusal(facts)
    assert refusal in recorded_refusals()


@pytest.mark.parametrize(
    ("name", "contexts"),
    [("03d-merge-required-checks", ("ci/build", "lint-*")), ("03e-merge-required-checks-2", ("ci/build", "lint-*"))],
)
def test_the_recorded_required_checks_are_judged_as_they_were(name: str, contexts: tuple[str, ...]) -> None:
    """Replays the posted statuses: simulator and product agree with each merge that was accepted or refused."""
    states: dict[str, dict[str, str]] = {}
    rule, compared = contexts, 0
    for one in exchanges(name):
        request, body = one.get("request", {}), one.get("request", {}).get("body") or {}
        path = request.get("path", "")
        if "list empty" in one.get("what", ""):
            rule = ()
        if "/statuses/" in path and request["method"] == "POST":
            states.setdefault(path.rpartition("/")[2], {})[body["context"]] = body["state"]
        text = ((one.get("response") or {}).get("body") or {}).get("message", "")
        is_merge = path.endswith("/merge") and "head_commit_id" in body and "merge_when_checks_succeed" not in body
        if not is_merge or text not in ("", "Not all required status checks successful"):
            continue
        green = not text
        found = states.get(body["head_commit_id"], {})
        assert are_checks_green(rule, found) is green, one["note"]
        rows = [make_report(number, *row) for number, row in enumerate(found.items())]
        judged = judge_required_checks(RequiredChecks(is_enabled=True, patterns=rule), rows).state
        assert (judged is ChecksState.GREEN) is green, one["note"]
        compared += 1
    assert compared >= 6


def make_report(number: int, context: str, word: str) -> CommitReport:
    return CommitReport(number, context, word)


def test_the_found_requests_are_as_recorded(world: PullWorld) -> None:
    """Recordings 02 and 02c: a second one is a conflict; a closed one is returned too; the list ignores `head`."""
    forge, first = world.connect(), world.open()
    again = forge.pulls.open(REPO, NewPullRequest("topic", "main", "again"), within=5.0)
    assert isinstance(again, Found)
    assert isinstance(again.value, AlreadyOpen)
    world.repo.pulls[0].is_open = False
    assert world.read().state is PullRequestState.CLOSED
    assert isinstance(forge.pulls.find_open(REPO, "topic", "main", within=5.0), NotFound)
    second = world.open("second")
    found = forge.pulls.find_open(REPO, "topic", "main", within=5.0)
    assert isinstance(found, Found)
    assert (first.number, found.value.number) == (1, second.number)


@pytest.mark.parametrize("style", list(MergeStyle))
def test_each_style_puts_on_the_target_what_was_recorded(world: PullWorld, style: MergeStyle) -> None:
    """Recording 03: a merge has two parents, the head second; fast-forward and rebase are the head; squash is new."""
    before = world.target
    world.open()
    assert world.merge(style).next is MergeNext.MERGED
    parents = world.clone_parents(world.target)
    expected = {
        MergeStyle.MERGE: [before, world.head],
        MergeStyle.SQUASH: [before],
        MergeStyle.FAST_FORWARD: world.clone_parents(world.head),
        MergeStyle.REBASE: world.clone_parents(world.head),
    }
    assert parents == expected[style]
    assert (world.target == world.head) is (style in {MergeStyle.FAST_FORWARD, MergeStyle.REBASE})
    found = world.read()
    assert (found.state, found.merge_commit, found.merged_by) == (PullRequestState.MERGED, world.target, "bob")
    assert [(sent.ref, sent.before, sent.after) for sent in world.store.sent] == [
        ("refs/heads/main", before, world.target)
    ]


def test_a_moved_head_is_refused_by_the_pin(world: PullWorld) -> None:
    world.open()
    old = world.head
    world.push("topic", "b")
    assert world.merge(head=old).next is MergeNext.HEAD_MOVED
    assert world.merge().next is MergeNext.MERGED


def test_a_target_that_moves_during_the_merge_cannot_be_locked(world: PullWorld) -> None:
    """Recording 03b: 409 cannot lock ref."""
    world.open()
    world.repo.before_merge = world.move_target
    outcome = world.merge()
    assert (outcome.next, "cannot lock ref" in outcome.reason) == (MergeNext.TARGET_MOVED, True)
    assert world.merge().next is MergeNext.MERGED


def test_a_fast_forward_of_a_diverged_target_is_an_empty_500(world: PullWorld) -> None:
    world.open()
    world.move_target()
    assert world.merge(MergeStyle.FAST_FORWARD).next is MergeNext.TARGET_MOVED


def test_a_rebase_of_a_diverged_target_makes_new_commits(world: PullWorld) -> None:
    world.open()
    moved = world.move_target()
    assert world.merge(MergeStyle.REBASE).next is MergeNext.MERGED
    assert world.clone_parents(world.target) == [moved]


def test_a_merge_is_put_off_while_the_forge_checks_a_push(world: PullWorld) -> None:
    """Recordings 02c and 03g."""
    world.repo.check_seconds = 3.0
    world.open()
    world.push("topic", "b")
    assert world.merge().next is MergeNext.RETRY_SOON
    world.now[0] = 4.0
    assert world.merge().next is MergeNext.MERGED


def test_a_conflict_is_put_off_for_ever(world: PullWorld) -> None:
    world.open()
    world.move_target("a", "other text\n")
    world.now[0] = 60.0
    assert world.merge().next is MergeNext.RETRY_SOON


def test_a_request_that_was_merged_by_hand_stays_open(world: PullWorld) -> None:
    """Recording 02c: "Please try again later", for ever."""
    world.open()
    world.push("main", "b")
    world.clone.git("push", "--quiet", "origin", "topic")
    assert (world.read().is_open, world.merge().next) == (True, MergeNext.RETRY_SOON)


def test_required_checks_and_approvals_are_enforced(world: PullWorld) -> None:
    world.repo.protect("main", SimulatedProtection(contexts=("ci/build", "lint-*"), approvals=1))
    world.open()
    protection = world.connect().target.read_protection(REPO, "main", within=5.0)
    assert isinstance(protection, Found)
    assert protection.value.required_checks.patterns == ("ci/build", "lint-*")
    rules = protection.value
    assert (rules.can_push, rules.can_merge, rules.required_approvals) == (False, True, 1)
    assert world.merge().reason == "Not all required status checks successful"
    world.report("ci/build", "success")
    world.report("lint-a", "skipped")
    assert world.merge().reason == "Does not have enough approvals"
    world.repo.pulls[0].reviews["alice"] = "APPROVED"
    assert world.merge(login="carol").next is MergeNext.DENIED
    assert world.merge().next is MergeNext.MERGED


@pytest.mark.parametrize(
    ("point", "is_landed", "state"),
    [
        (CutPoint.BEFORE, False, PullRequestState.OPEN),
        (CutPoint.DURING, True, PullRequestState.OPEN),
        (CutPoint.AFTER, True, PullRequestState.MERGED),
    ],
)
def test_a_lost_answer_leaves_what_was_recorded(
    world: PullWorld, point: CutPoint, state: PullRequestState, *, is_landed: bool
) -> None:
    """Recording 03h: during the merge, the target has it, the request is open, and CI was not notified."""
    world.open()
    world.repo.merge_cuts.append(MergeCut(point))
    assert world.merge().next is MergeNext.SETTLE
    assert world.git.is_ancestor(world.head, world.target) is is_landed
    assert world.read().state is state
    assert bool(world.store.sent) is (point is CutPoint.AFTER)
    again = {CutPoint.BEFORE: MergeNext.MERGED, CutPoint.DURING: MergeNext.RETRY_SOON, CutPoint.AFTER: MergeNext.SETTLE}
    assert world.merge().next is again[point]


def test_a_deleted_head_closes_the_request(world: PullWorld) -> None:
    world.open()
    world.clone.git("push", "--quiet", "origin", ":topic")
    found = world.read()
    assert (found.state, found.head_branch) == (PullRequestState.CLOSED, "refs/pull/1/head")


def test_the_forge_deletes_a_merged_branch_where_it_is_set_so(world: PullWorld) -> None:
    world.repo.deletes_merged_branches = True
    world.open()
    world.merge()
    assert isinstance(world.connect().target.read_branch(REPO, "topic", within=5.0), NotFound)


def test_a_protected_branch_refuses_direct_pushes_with_the_recorded_text(world: PullWorld) -> None:
    world.repo.protect("main", RULED)
    recorded = next(
        one["git"]["stderr"]
        for one in exchanges("01-branch-and-protection")
        if one.get("kind") == "git" and "Not allowed to push" in one["git"]["stderr"]
    )
    with pytest.raises(RuntimeError) as refused:
        world.clone.git("push", "--porcelain", "origin", "HEAD:refs/heads/main")
    lines = [line.rstrip() for line in recorded.splitlines() if line.startswith("remote:")]
    shown = [line.rstrip() for line in str(refused.value).splitlines() if line.startswith("remote:")]
    assert shown == lines
    assert "[remote rejected] (pre-receive hook declined)" in str(refused.value)


@pytest.mark.parametrize("sent_bytes", [0, 12, 60])
def test_an_answer_over_a_socket_is_cut_at_a_byte(world: PullWorld, sent_bytes: int) -> None:
    world.open()
    world.repo.merge_cuts.append(MergeCut(CutPoint.DURING, sent_bytes))
    with ForgeSimulator(world.store) as server:
        client = HttpClient(parse_server_url(server.url), clock=SystemClock())
        connection = ForgeConnection(client, "/api/v1", "Gitea", Authorization.from_token("bob-token", "GITEA_TOKEN"))
        forge = connect_pull_requests(ForgeKind.GITEA, connection)
        request = MergeRequest(1, world.head, MergeStyle.MERGE)
        assert forge.gate.merge(REPO, request, within=60.0).next is MergeNext.SETTLE
        assert [one.method for one in server.requests] == ["POST"]
    assert world.git.is_ancestor(world.head, world.target)
