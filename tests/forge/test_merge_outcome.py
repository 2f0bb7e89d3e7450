"""The outcome table of a merge: every answer of the recordings, GitHub's documented ones, and no answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.forge.merge_outcome import MergeNext, MergeOutcome, read_merge_outcome
from homelab_hooks.net.certificate import CertificateFault
from homelab_hooks.net.message import HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind
from homelab_hooks.simulators.woodpecker.replay import load_recording
from tests.forge.fake_transport import reply

RECORDINGS = Path(__file__).parent.parent / "recordings" / "forge"
MERGING = ("02c", "03-", "03b", "03c", "03d", "03e", "03f", "03g", "03h", "03i", "03j")
LOCKED = "PushRejected with remote message: cannot lock ref 'refs/heads/main': is at X but expected Y"
TABLE = {
    (200, ""): MergeNext.MERGED,
    (401, "invalid username, password or token"): MergeNext.DENIED,
    (401, "token is required"): MergeNext.DENIED,
    (403, "token does not have at least one of required scope(s), required=[write:repository], token scope"): (
        MergeNext.DENIED
    ),
    (404, "GetPullRequestByIndex"): MergeNext.SETTLE,
    (404, "not found"): MergeNext.SETTLE,
    (405, "Changed protected files"): MergeNext.POLICY,
    (405, "Does not have enough approvals"): MergeNext.POLICY,
    (405, "Not all required status checks successful"): MergeNext.POLICY,
    (405, "Please try again later"): MergeNext.RETRY_SOON,
    (405, "The PR is already merged"): MergeNext.SETTLE,
    (405, "The head branch is behind the base branch"): MergeNext.TARGET_MOVED,
    (405, "There are official review requests"): MergeNext.POLICY,
    (405, "There are requested changes"): MergeNext.POLICY,
    (405, "User not allowed to merge PR"): MergeNext.DENIED,
    (405, "Work in progress PRs cannot be merged"): MergeNext.POLICY,
    (405, "STYLE is not allowed an allowed merge style for this repository"): MergeNext.POLICY,
    (405, "wont sign: nokey"): MergeNext.POLICY,
    (409, LOCKED): MergeNext.TARGET_MOVED,
    (409, "head out of date"): MergeNext.HEAD_MOVED,
    (422, "[Do]: In"): MergeNext.POLICY,
    (422, "[Do]: Required"): MergeNext.POLICY,
    (423, "acme/app03c is archived"): MergeNext.POLICY,
}
"""by status and text; an empty 500 depends on the style"""


def recorded_merges() -> list[Any]:
    """Every merge of the recordings that asks for no schedule, which is never sent."""
    found = []
    for path in sorted(RECORDINGS.glob("*.json.gz")):
        if not path.name.startswith(MERGING):
            continue
        for exchange in load_recording(path)["exchanges"]:
            request = exchange.get("request", {})
            is_merge = request.get("method") == "POST" and request["path"].endswith("/merge")
            if is_merge and "merge_when_checks_succeed" not in (request.get("body") or {}):
                found.append(exchange)
    return found


def read(exchange: Any, kind: ForgeKind = ForgeKind.GITEA) -> MergeOutcome:
    style = (exchange["request"].get("body") or {}).get("Do")
    fast_forward = MergeStyle.FAST_FORWARD if style == "fast-forward-only" else MergeStyle.MERGE
    response = exchange["response"]
    body = b"" if response["body"] is None else json.dumps(response["body"]).encode()
    return read_merge_outcome(kind, fast_forward, HttpResponse(response["status"], response["headers"], body, 0.1))


def name_row(exchange: Any) -> tuple[int, str]:
    """The status and the text, without what differs from one answer to the next."""
    response = exchange["response"]
    text = (response["body"] or {}).get("message", "")
    if "cannot lock ref" in text:
        text = LOCKED
    if "merge style" in text:
        text = "STYLE " + text.partition(" ")[2]
    return response["status"], text.partition("=read")[0].partition("=write:issue")[0]


@pytest.mark.parametrize("kind", [ForgeKind.GITEA, ForgeKind.FORGEJO])
def test_every_recorded_answer_has_a_row(kind: ForgeKind) -> None:
    exchanges = [one for one in recorded_merges() if one["response"]["status"] != 500]
    assert len(exchanges) > 100
    assert {name_row(one) for one in exchanges} == set(TABLE)
    for exchange in exchanges:
        assert read(exchange, kind).next is TABLE[name_row(exchange)], exchange["response"]


def test_an_empty_500_is_a_moved_target_for_a_fast_forward_and_unknown_otherwise() -> None:
    """A fast-forward on a diverged target (03, 03g, 03j), and the loser of two clients (03b, 03i)."""
    found = [one for one in recorded_merges() if one["response"]["status"] == 500]
    nexts = {(one["request"]["body"]["Do"], read(one).next) for one in found}
    assert nexts == {("fast-forward-only", MergeNext.TARGET_MOVED), ("merge", MergeNext.SETTLE)}


def test_the_words_of_the_forge_are_the_reason_without_control_characters() -> None:
    answer = reply(405, {"message": "Does not have\x1b[2J enough approvals\u202e"})
    outcome = read_merge_outcome(ForgeKind.GITEA, MergeStyle.MERGE, answer)
    assert (outcome.next, outcome.reason) == (MergeNext.POLICY, "Does not have enough approvals")


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (405, "Base branch was modified. Review and try the merge again.", MergeNext.RETRY_SOON),
        (405, "Merge already in progress", MergeNext.RETRY_SOON),
        (409, "Merge already in progress", MergeNext.RETRY_SOON),
        (405, "Pull Request is not mergeable", MergeNext.POLICY),
        (405, "At least 1 approving review is required by reviewers with write access.", MergeNext.POLICY),
        (405, 'Required status check "ci" is expected.', MergeNext.POLICY),
        (405, "Merge commits are not allowed on this repository.", MergeNext.POLICY),
        (405, "Pull Request is still a draft", MergeNext.POLICY),
        (409, "Head branch was modified. Review and try the merge again.", MergeNext.HEAD_MOVED),
        (422, "Validation Failed", MergeNext.POLICY),
        (401, "Bad credentials", MergeNext.DENIED),
        (403, "Resource not accessible by personal access token", MergeNext.DENIED),
        (404, "Not Found", MergeNext.SETTLE),
        (409, "something new", MergeNext.SETTLE),
        (500, "", MergeNext.SETTLE),
        (502, "", MergeNext.SETTLE),
        (202, "", MergeNext.SETTLE),
    ],
)
def test_githubs_documented_answers(status: int, text: str, expected: MergeNext) -> None:
    answer = reply(status, {"message": text})
    assert read_merge_outcome(ForgeKind.GITHUB, MergeStyle.MERGE, answer).next is expected


def test_a_merge_on_github_is_one_only_if_the_answer_says_merged() -> None:
    merged = {"sha": "a1" * 20, "merged": True, "message": "Pull Request successfully merged"}
    outcome = read_merge_outcome(ForgeKind.GITHUB, MergeStyle.MERGE, reply(200, merged))
    assert (outcome.next, outcome.merge_commit) == (MergeNext.MERGED, "a1" * 20)
    for body in ({**merged, "merged": False}, {}, None):
        outcome = read_merge_outcome(ForgeKind.GITHUB, MergeStyle.MERGE, reply(200, body))
        assert outcome.next is MergeNext.SETTLE


@pytest.mark.parametrize("kind", list(ForgeKind))
def test_no_answer_is_settled_by_asking_and_never_sent_again(kind: ForgeKind) -> None:
    """Recording 03h: the target had the merge, and the request was open."""
    for failure in (FailureKind.CONNECTION, FailureKind.TIMEOUT, FailureKind.BODY):
        outcome = read_merge_outcome(kind, MergeStyle.MERGE, RequestFailed(failure, "reset"))
        assert outcome.next is MergeNext.SETTLE
    for status in (408, 500, 502, 503, 504, 201, 204, 418):
        assert read_merge_outcome(kind, MergeStyle.MERGE, reply(status)).next is MergeNext.SETTLE


def test_a_certificate_that_does_not_verify_is_denied_because_nothing_was_sent() -> None:
    failure = RequestFailed(FailureKind.CONNECTION, "certificate", CertificateFault.UNKNOWN_CA)
    assert read_merge_outcome(ForgeKind.GITEA, MergeStyle.MERGE, failure).next is MergeNext.DENIED


def test_a_web_page_and_a_redirect_are_no_merge() -> None:
    page = HttpResponse(200, {"content-type": "text/html"}, b"<html>log in</html>", 0.1)
    assert read_merge_outcome(ForgeKind.GITEA, MergeStyle.MERGE, page).next is MergeNext.SETTLE
    moved = reply(301, None, location="https://other.example.test/")
    assert read_merge_outcome(ForgeKind.GITEA, MergeStyle.MERGE, moved).next is MergeNext.DENIED


def test_a_rate_limit_is_waited_for() -> None:
    limited = reply(403, {"message": "You have exceeded a secondary rate limit"}, retry_after="7")
    outcome = read_merge_outcome(ForgeKind.GITHUB, MergeStyle.MERGE, limited)
    assert (outcome.next, outcome.retry_after) == (MergeNext.RETRY_SOON, 7.0)


def test_forgejos_already_merged_has_no_text() -> None:
    empty = reply(405, {"message": ""})
    assert read_merge_outcome(ForgeKind.FORGEJO, MergeStyle.MERGE, empty).next is MergeNext.SETTLE


def test_the_scope_that_a_token_lacks_is_named() -> None:
    text = "token does not have at least one of required scope(s), required=[write:repository], token scope=read:user"
    outcome = read_merge_outcome(ForgeKind.GITEA, MergeStyle.MERGE, reply(403, {"message": text}))
    assert "write:repository" in outcome.hint
