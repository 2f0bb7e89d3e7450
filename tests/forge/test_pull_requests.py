"""Pull requests of Gitea, Forgejo, and GitHub: what is asked, what is sent, and how the answers are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.forge.forges import connect_pull_requests
from homelab_hooks.forge.gitea.pull_requests import GiteaPullRequests, parse_protection, parse_repository
from homelab_hooks.forge.github.pull_requests import GitHubPullRequests
from homelab_hooks.forge.merge_outcome import MergeNext
from homelab_hooks.forge.pull_request_json import parse_pull_request
from homelab_hooks.forge.pull_requests import (
    AlreadyOpen,
    MergeRequest,
    NewPullRequest,
    NothingToMerge,
    PullRequest,
    PullRequestState,
)
from homelab_hooks.forge.required_checks import RequiredChecks
from homelab_hooks.net.message import RequestFailed
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, NotFound, Unavailable
from homelab_hooks.simulators.woodpecker.replay import load_recording
from tests.forge.fake_transport import Answer, FakeTransport, reply

RECORDINGS = Path(__file__).parent.parent / "recordings" / "forge"
SHA, OTHER = "a" * 40, "b" * 40
REPO = "acme/app"
GITEA = "/api/v1/repos/acme/app"
GITHUB = "/repos/acme/app"
MERGE = MergeRequest(7, SHA, MergeStyle.MERGE)


def gitea(answers: dict[str, Answer]) -> tuple[GiteaPullRequests, FakeTransport]:
    transport = FakeTransport(answers)
    return GiteaPullRequests(transport.connect()), transport


def github(answers: dict[str, Answer]) -> tuple[GitHubPullRequests, FakeTransport]:
    transport = FakeTransport(answers)
    return GitHubPullRequests(transport.connect("", "GitHub at https://github.com")), transport


def pull(number: int = 7, state: str = "open", *, repo: str = REPO, **more: Any) -> dict[str, Any]:
    head = {"ref": "topic", "sha": SHA, "repo": {"full_name": repo}}
    return {"number": number, "state": state, "head": head, "base": {"ref": "main", "sha": OTHER}, **more}


def recorded_bodies(name: str, ending: str) -> list[Any]:
    return [
        exchange["response"]["body"]
        for exchange in load_recording(RECORDINGS / f"{name}.json.gz")["exchanges"]
        if exchange.get("request", {}).get("method") == "GET"
        and exchange["request"]["path"].endswith(ending)
        and exchange["response"]["status"] == 200
    ]


def test_the_recorded_rules_of_a_branch_are_read() -> None:
    """Names and globs, enabled without names, approvals, who may push and merge."""
    found = {
        parse_protection(body)._replace(tip="")
        for body in recorded_bodies("01-branch-and-protection", "/branches/main")
    }
    checks = {one.required_checks for one in found}
    assert RequiredChecks(is_enabled=True, patterns=("ci/woodpecker/pr/*",)) in checks
    assert RequiredChecks() in checks
    assert {one.required_approvals for one in found} >= {0, 2}
    assert {(one.is_protected, one.can_push, one.can_merge) for one in found} >= {
        (False, True, True), (False, False, False), (True, False, True),
    }  # fmt: skip


def test_the_recorded_styles_of_a_repository_are_read() -> None:
    found = [parse_repository(body) for body in recorded_bodies("03-merge-styles", "/app03")]
    assert [one.allowed_styles for one in found] == [frozenset({MergeStyle.SQUASH})]
    archived = [parse_repository(body) for body in recorded_bodies("01-branch-and-protection", "/app01")]
    assert {(one.is_archived, one.can_push) for one in archived} >= {(True, True), (False, False)}


def test_the_recorded_states_of_pull_requests_are_read() -> None:
    """Open, closed, merged by another client, and a deleted head branch."""
    found: list[PullRequest] = []
    for number in range(1, 10):
        found += [parse_pull_request(body) for body in recorded_bodies("02c-pull-request-states", f"/pulls/{number}")]
    assert {one.state for one in found} == set(PullRequestState)
    assert all(bool(one.merge_commit) is (one.state is PullRequestState.MERGED) for one in found)
    assert {one.merged_by for one in found if one.merge_commit} == {"alice"}
    assert "refs/pull/8/head" in {one.head_branch for one in found}
    assert any(one.is_draft for one in found)


def test_a_closed_request_is_not_taken_for_an_open_one() -> None:
    """`GET pulls/BASE/HEAD` returned the closed one although another was open (recording 02c)."""
    forge, transport = gitea(
        {
            f"GET {GITEA}/pulls/main/topic": reply(200, pull(3, "closed")),
            f"GET {GITEA}/pulls?state=open&page=1&limit=50": reply(200, [pull(5, repo="eve/app"), pull(4)]),
        }
    )
    found = forge.find_open(REPO, "topic", "main", within=5.0)
    assert isinstance(found, Found)
    assert found.value.number == 4
    forge, _ = gitea({**transport.answers, f"GET {GITEA}/pulls?state=open&page=1&limit=50": reply(200, [])})
    assert isinstance(forge.find_open(REPO, "topic", "main", within=5.0), NotFound)


@pytest.mark.parametrize("answer", [pull(3, "closed"), pull(3, "closed", merged=True, merge_commit_sha=OTHER)])
def test_recorded_answers_of_a_search_are_compared(answer: dict[str, Any]) -> None:
    assert not parse_pull_request(answer).is_of(REPO, "topic", "main")
    assert parse_pull_request(pull()).is_of("Acme/App", "topic", "main")
    assert not parse_pull_request(pull(repo="eve/app")).is_of(REPO, "topic", "main")


def test_a_base_with_a_slash_is_searched_in_the_list() -> None:
    row = {**pull(), "base": {"ref": "release/1", "sha": OTHER}}
    forge, transport = gitea({f"GET {GITEA}/pulls?state=open&page=1&limit=50": reply(200, [row])})
    assert isinstance(forge.find_open(REPO, "topic", "release/1", within=5.0), Found)
    assert len(transport.requests) == 1


def test_a_request_that_exists_and_one_without_changes_are_values() -> None:
    new = NewPullRequest("topic", "main", "Add f", "Why.")
    exists = "pull request already exists for these targets [id: 108, issue_id: 1, head_repo_id: 36]"
    nothing = "Invalid PullRequest: There are no changes between the head and the base"
    for answer, expected in (
        (reply(201, pull()), PullRequest),
        (reply(409, {"message": exists}), AlreadyOpen),
        (reply(422, {"message": nothing}), NothingToMerge),
    ):
        forge, transport = gitea({f"POST {GITEA}/pulls": answer})
        found = forge.open(REPO, new, within=5.0)
        assert isinstance(found, Found)
        assert isinstance(found.value, expected)
        body = json.loads(transport.requests[0].body)
        assert body == {"head": "topic", "base": "main", "title": "Add f", "body": "Why."}
    forge, _ = gitea({f"POST {GITEA}/pulls": reply(423, {"message": "acme/app is archived"})})
    archived = forge.open(REPO, new, within=5.0)
    assert not isinstance(archived, Found)
    assert "archived" in archived.reason


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("A pull request already exists for acme:topic.", AlreadyOpen),
        ("No commits between main and topic", NothingToMerge),
    ],
)
def test_githubs_422_is_read_from_its_errors(error: str, expected: type) -> None:
    answer = reply(422, {"message": "Validation Failed", "errors": [{"resource": "PullRequest", "message": error}]})
    forge, _ = github({f"POST {GITHUB}/pulls": answer})
    found = forge.open(REPO, NewPullRequest("topic", "main", "x"), within=5.0)
    assert isinstance(found, Found)
    assert isinstance(found.value, expected)


def test_the_head_is_pinned_and_the_forges_auto_merge_is_never_used() -> None:
    forge, transport = gitea({f"POST {GITEA}/pulls/7/merge": reply(200)})
    assert forge.merge(REPO, MERGE._replace(style=MergeStyle.FAST_FORWARD), within=60.0).next is MergeNext.MERGED
    assert json.loads(transport.requests[0].body) == {"Do": "fast-forward-only", "head_commit_id": SHA}
    other, transport = github({f"PUT {GITHUB}/pulls/7/merge": reply(200, {"merged": True, "sha": OTHER})})
    outcome = other.merge(REPO, MERGE, within=60.0)
    assert (outcome.next, outcome.merge_commit) == (MergeNext.MERGED, OTHER)
    assert json.loads(transport.requests[0].body) == {"merge_method": "merge", "sha": SHA}


@pytest.mark.parametrize("answer", [RequestFailed(FailureKind.TIMEOUT, "no answer"), reply(502), reply(405)])
def test_a_merge_is_sent_once(answer: Answer) -> None:
    forge, transport = gitea({f"POST {GITEA}/pulls/7/merge": answer})
    forge.merge(REPO, MERGE, within=60.0)
    assert transport.lines == [f"POST {GITEA}/pulls/7/merge"]


def test_a_style_that_github_does_not_have_is_not_sent() -> None:
    forge, transport = github({})
    outcome = forge.merge(REPO, MERGE._replace(style=MergeStyle.FAST_FORWARD), within=60.0)
    assert (outcome.next, transport.requests) == (MergeNext.POLICY, [])


def test_a_redirect_is_not_followed_with_the_token() -> None:
    """Renamed repositories answer 301, also to POST (recording 01)."""
    moved = reply(301, None, location="https://other.example.test/x")
    paths = ("GET {0}", "GET {0}/pulls/7", "POST {0}/pulls", "POST {0}/pulls/7/merge")
    forge, transport = gitea({path.format(GITEA): moved for path in paths})
    assert isinstance(forge.read_repository(REPO, within=5.0), Denied)
    assert isinstance(forge.read(REPO, 7, within=5.0), Denied)
    assert isinstance(forge.open(REPO, NewPullRequest("topic", "main", "x"), within=5.0), Denied)
    assert forge.merge(REPO, MERGE, within=5.0).next is MergeNext.DENIED
    assert all(request.path.startswith(GITEA) for request in transport.requests)
    assert len(transport.requests) == 4


def test_a_deleted_branch_is_not_found() -> None:
    forge, _ = gitea({f"GET {GITEA}/branches/topic/x": reply(200, {"name": "topic/x", "commit": {"id": SHA}})})
    assert forge.read_branch(REPO, "topic/x", within=5.0) == Found(SHA)
    assert isinstance(forge.read_branch(REPO, "gone", within=5.0), NotFound)


def test_the_reports_are_read_to_the_last_page() -> None:
    rows = [{"id": n, "context": f"ci/{n}", "status": "success"} for n in range(50)]
    last = [{"id": 99, "context": "ci/red", "status": "failure"}]
    base = f"GET {GITEA}/commits/{SHA}/statuses"
    forge, _ = gitea(
        {
            f"{base}?page=1&limit=50&per_page=50": reply(200, rows),
            f"{base}?page=2&limit=50&per_page=50": reply(200, last),
        }
    )
    found = forge.read_reports(REPO, SHA, within=5.0)
    assert isinstance(found, Found)
    assert (len(found.value), found.value[-1].word) == (51, "failure")
    broken, _ = gitea(
        {f"{base}?page=1&limit=50&per_page=50": reply(200, rows), f"{base}?page=2&limit=50&per_page=50": reply(500)}
    )
    assert isinstance(broken.read_reports(REPO, SHA, within=5.0), Unavailable)


def test_rules_and_classic_protection_of_github_count_together() -> None:
    branch = {
        "name": "main",
        "commit": {"sha": SHA},
        "protected": True,
        "protection": {"enabled": True, "required_status_checks": {"enforcement_level": "everyone", "contexts": ["a"]}},
    }
    rules = [
        {
            "type": "pull_request",
            "parameters": {"required_approving_review_count": 2, "allowed_merge_methods": ["merge"]},
        },
        {
            "type": "required_status_checks",
            "parameters": {
                "required_status_checks": [{"context": "b"}, {"context": "a", "integration_id": 1}],
                "strict_required_status_checks_policy": True,
            },
        },
    ]
    forge, _ = github(
        {
            f"GET {GITHUB}/branches/main": reply(200, branch),
            f"GET {GITHUB}/rules/branches/main?per_page=100&page=1": reply(200, rules),
        }
    )
    found = forge.read_protection(REPO, "main", within=5.0)
    assert isinstance(found, Found)
    protection = found.value
    assert (protection.tip, protection.is_protected, protection.can_push) == (SHA, True, False)
    assert protection.required_checks == RequiredChecks(is_enabled=True, patterns=("a", "b"), has_globs=False)
    assert protection.required_approvals == 2
    assert protection.allowed_styles == frozenset({MergeStyle.MERGE})


def test_a_linear_history_allows_no_merge_commit() -> None:
    forge, _ = github(
        {
            f"GET {GITHUB}/branches/main": reply(200, {"commit": {"sha": SHA}, "protected": False}),
            f"GET {GITHUB}/rules/branches/main?per_page=100&page=1": reply(200, [{"type": "required_linear_history"}]),
        }
    )
    found = forge.read_protection(REPO, "main", within=5.0)
    assert isinstance(found, Found)
    assert found.value.allowed_styles == frozenset({MergeStyle.SQUASH, MergeStyle.REBASE})


@pytest.mark.parametrize(
    ("kind", "protection"),
    [
        *((kind, (False, None)) for kind in ("deletion", "non_fast_forward", "required_signatures", "creation")),
        *((kind, (True, False)) for kind in ("pull_request", "update", "required_status_checks", "merge_queue")),
    ],
)
def test_only_rules_that_refuse_a_push_protect_against_it(kind: str, protection: tuple[bool, bool | None]) -> None:
    forge, _ = github(
        {
            f"GET {GITHUB}/branches/main": reply(200, {"commit": {"sha": SHA}, "protected": False}),
            f"GET {GITHUB}/rules/branches/main?per_page=100&page=1": reply(200, [{"type": kind}]),
        }
    )
    found = forge.read_protection(REPO, "main", within=5.0)
    assert isinstance(found, Found)
    assert (found.value.is_protected, found.value.can_push) == protection


def test_githubs_test_merge_is_no_merge_commit() -> None:
    """Before the merge, `merge_commit_sha` is a test merge."""
    found = parse_pull_request(pull(merge_commit_sha=OTHER, mergeable=None, merged=False))
    assert (found.merge_commit, found.is_open) == ("", True)


def test_githubs_head_is_searched_with_its_owner_and_compared() -> None:
    path = f"GET {GITHUB}/pulls?state=open&head=acme%3Atopic&base=main&per_page=100"
    forge, _ = github({path: reply(200, [pull(5, repo="acme/fork"), pull(6)])})
    found = forge.find_open(REPO, "topic", "main", within=5.0)
    assert isinstance(found, Found)
    assert found.value.number == 6


@pytest.mark.parametrize("kind", list(ForgeKind))
def test_each_kind_has_all_parts_and_asks_nothing_about_the_user(kind: ForgeKind) -> None:
    transport = FakeTransport()
    forge = connect_pull_requests(kind, transport.connect())
    assert transport.requests == []
    forge.target.read_repository(REPO, within=5.0)
    forge.target.read_protection(REPO, "main", within=5.0)
    forge.target.read_branch(REPO, "topic", within=5.0)
    forge.pulls.find_open(REPO, "topic", "main", within=5.0)
    forge.pulls.open(REPO, NewPullRequest("topic", "main", "x"), within=5.0)
    forge.pulls.read(REPO, 7, within=5.0)
    forge.gate.read_reports(REPO, SHA, within=5.0)
    forge.gate.merge(REPO, MERGE, within=5.0)
    assert all("/repos/acme/app" in line for line in transport.lines)
    assert {request.headers["Authorization"] for request in transport.requests} == {"Bearer canary"}
