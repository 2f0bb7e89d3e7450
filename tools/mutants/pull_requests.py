"""Defences of pull requests: what is merged, what counts as green, and what is never sent twice."""

from __future__ import annotations

from tools.mutants.mutant import Change, Defence

GITEA = "forge/gitea/pull_requests.py"
GITHUB = "forge/github/pull_requests.py"
PULLS = "tests/forge/test_pull_requests.py"
OUTCOME = "tests/forge/test_merge_outcome.py"
CHECKS = "tests/forge/test_required_checks.py"

PULL_REQUESTS = (
    Defence(
        "merge-pinned-gitea",
        "Gitea merges only the head that was checked",
        (Change(GITEA, ', "head_commit_id": request.head_sha}', "}"),),
        (f"{PULLS}::test_the_head_is_pinned_and_the_forges_auto_merge_is_never_used",),
    ),
    Defence(
        "merge-pinned-github",
        "GitHub merges only the head that was checked",
        (Change(GITHUB, ', "sha": request.head_sha}', "}"),),
        (f"{PULLS}::test_the_head_is_pinned_and_the_forges_auto_merge_is_never_used",),
    ),
    Defence(
        "merge-no-answer",
        "a merge without an answer is settled by asking, and not sent again",
        (
            Change(
                "forge/merge_outcome.py",
                "return MergeOutcome(MergeNext.SETTLE, reason, retry_after=failure.retry_after)",
                "return MergeOutcome(MergeNext.RETRY_SOON, reason, retry_after=failure.retry_after)",
            ),
        ),
        (f"{OUTCOME}::test_no_answer_is_settled_by_asking_and_never_sent_again",),
    ),
    Defence(
        "merge-settled-by-target",
        "a merge is landed only if the target has it, whatever the forge says of the request",
        (
            Change(
                "forge/merge_settlement.py",
                "if facts.target_contains_head or facts.has_same_tree:",
                "if facts.target_contains_head or facts.has_same_tree or is_merged:",
            ),
        ),
        ("tests/forge/test_merge_settlement.py::test_the_target_decides",),
    ),
    Defence(
        "merge-sent-once",
        "a merge request is sent once",
        (
            Change(
                GITEA,
                "return read_merge_outcome(self.kind, request.style, response)",
                'self.connection.send("POST", path, within=within, json_body=body)\n'
                "        return read_merge_outcome(self.kind, request.style, response)",
            ),
        ),
        (f"{PULLS}::test_a_merge_is_sent_once",),
    ),
    Defence(
        "merge-redirect",
        "a redirect of a merge is a refusal",
        (
            Change(
                "forge/merge_outcome.py", "if answer.status in REDIRECT_STATUSES:", "if answer.status in range(0):"
            ),
        ),
        (f"{OUTCOME}::test_a_web_page_and_a_redirect_are_no_merge",),
    ),
    Defence(
        "merge-github-merged",
        "GitHub's 200 is a merge only if it says so",
        (
            Change("forge/merge_outcome.py", 'case {"merged": True}:', "case {}:"),
        ),
        (f"{OUTCOME}::test_a_merge_on_github_is_one_only_if_the_answer_says_merged",),
    ),
    Defence(
        "checks-none-yet",
        "an empty list of statuses is never green",
        (
            Change(
                "forge/required_checks.py", "if missing or not counted else ChecksState.GREEN", "if missing else "
                "ChecksState.GREEN"
            ),
        ),
        (f"{CHECKS}::test_the_state_of_the_required_checks",),
    ),
    Defence(
        "checks-warning",
        "a state that is not known is not green",
        (Change("forge/required_checks.py", '"success", "skipped"', '"success", "warning", "skipped"'),),
        (f"{CHECKS}::test_the_state_of_the_required_checks",),
    ),
    Defence(
        "pull-request-closed",
        "a closed pull request is not taken for an open one",
        (Change("forge/pull_requests.py", "return self.is_open and same_repo and", "return same_repo and"),),
        (f"{PULLS}::test_a_closed_request_is_not_taken_for_an_open_one",),
    ),
    Defence(
        "pull-request-fork",
        "the pull request of a fork's branch with the same name is not taken",
        (Change("forge/pull_requests.py", "return self.is_open and same_repo and", "return self.is_open and"),),
        (f"{PULLS}::test_a_closed_request_is_not_taken_for_an_open_one",),
    ),
    Defence(
        "pull-request-test-merge",
        "GitHub's test merge is not the commit of a merge",
        (Change("forge/pull_request_json.py", 'if merged and json.get("merge', 'if json.get("merge'),),
        (f"{PULLS}::test_githubs_test_merge_is_no_merge_commit",),
    ),
)  # fmt: skip
