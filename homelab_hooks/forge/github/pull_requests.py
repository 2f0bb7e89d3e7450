"""Pull requests of GitHub and GitHub Enterprise Server.

From GitHub's public REST documentation, not seen on a real server: "Pulls" (docs.github.com/en/rest/pulls/pulls),
"Branches", "Repositories", and "Get rules for a branch" (docs.github.com/en/rest/repos/rules), which needs read access
only and has the rules of rulesets. The classic protection of a branch is for administrators; what is visible of it is
`protected` and the required checks of the branch. Both count together. A pull request that is to be merged needs the
permissions "Contents" and "Pull requests" (write), and reading checks needs "Checks" and "Commit statuses" (read).
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.forge.connection import ForgeConnection, read_json
from homelab_hooks.forge.github.protection import BranchRow, BranchRules, combine_protection, parse_branch, parse_rules
from homelab_hooks.forge.merge_outcome import STYLE_HINT, MergeNext, MergeOutcome, read_merge_outcome
from homelab_hooks.forge.pull_request_json import (
    parse_pull_request,
    parse_pull_requests,
    quote_branch,
    read_allowed_styles,
    read_flag,
)
from homelab_hooks.forge.pull_requests import (
    AlreadyOpen,
    BranchProtection,
    MergeRequest,
    NewPullRequest,
    NothingToMerge,
    OpenResult,
    PullRequest,
    RepositoryState,
)
from homelab_hooks.forge.reports import CommitReportReader
from homelab_hooks.forge.webhook_json import quote_repo
from homelab_hooks.net.message import HttpResponse
from homelab_hooks.polling.outcome import Found, NotFound, Poll
from homelab_hooks.polling.pages import read_pages
from homelab_hooks.text.commit_report import CommitReport
from homelab_hooks.text.json_fields import read_display_text, read_object
from homelab_hooks.text.sanitize import strip_control_chars

PAGE_SIZE = 100
"""rows of one page, the most that GitHub returns"""
MAX_RULE_PAGES = 5
"""pages of the rules of a branch"""
STYLE_WORDS = {MergeStyle.MERGE: "merge", MergeStyle.SQUASH: "squash", MergeStyle.REBASE: "rebase"}
"""the values of `merge_method`; GitHub has no fast-forward: `rebase` makes new commits"""
STYLE_FLAGS = {
    "allow_merge_commit": MergeStyle.MERGE,
    "allow_squash_merge": MergeStyle.SQUASH,
    "allow_rebase_merge": MergeStyle.REBASE,
}


@dataclass(frozen=True, slots=True)
class GitHubPullRequests:
    """Reads, opens, and merges pull requests."""

    connection: ForgeConnection

    def read_repository(self, repo: str, *, within: float) -> Poll[RepositoryState]:
        """Return the state of a repository; its merge styles are shown to those who may push."""
        return self.connection.get(_repo_path(repo), parse_repository, f"the repository {repo}", within=within)

    def read_protection(self, repo: str, branch: str, *, within: float) -> Poll[BranchProtection]:
        """Return the rules of a branch, those of rulesets and what is visible of the classic protection."""
        found = self._read_branch_row(repo, branch, within)
        if not isinstance(found, Found):
            return found
        base = f"{_repo_path(repo)}/rules/branches/{quote_branch(branch)}"
        rules = read_pages(
            lambda page: self.connection.get(
                f"{base}?per_page={PAGE_SIZE}&page={page}", parse_rules, f"the rules of {branch}", within=within
            ),
            page_size=PAGE_SIZE,
            max_pages=MAX_RULE_PAGES,
            subject=f"the list of the rules of {branch}",
        )
        if not isinstance(rules, Found):
            return rules
        return Found(combine_protection(found.value, BranchRules.of(rules.value)))

    def read_branch(self, repo: str, branch: str, *, within: float) -> Poll[str]:
        """Return the commit of a branch."""
        found = self._read_branch_row(repo, branch, within)
        return Found(found.value.tip) if isinstance(found, Found) else found

    def find_open(self, repo: str, head: str, base: str, *, within: float) -> Poll[PullRequest]:
        """Return the open pull request of a branch; `head` is OWNER:BRANCH, and forks of the owner match too."""
        owner = repo.partition("/")[0]
        query = urlencode({"state": "open", "head": f"{owner}:{head}", "base": base, "per_page": PAGE_SIZE})
        path = f"{_repo_path(repo)}/pulls?{query}"
        listed = self.connection.get(path, parse_pull_requests, f"the pull requests of {repo}", within=within)
        if not isinstance(listed, Found):
            return listed
        found = next((one for one in listed.value if one.is_of(repo, head, base)), None)
        return Found(found) if found else NotFound(f"there is no open pull request of {head} into {base}")

    def open(self, repo: str, new: NewPullRequest, *, within: float) -> Poll[OpenResult]:
        """Open a pull request; 422 is one that exists, or no commits between the branches."""
        fields = {"head": new.head, "base": new.base, "title": new.title, "body": new.body}
        response = self.connection.send("POST", f"{_repo_path(repo)}/pulls", within=within, json_body=fields)
        if isinstance(response, HttpResponse) and response.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            text = " ".join(_read_errors(response))
            if "pull request already exists" in text.lower():
                return Found(AlreadyOpen(text))
            if "no commits between" in text.lower():
                return Found(NothingToMerge(text))
        return self.connection.read(response, _parse_opened, f"the pull requests of {repo}")

    def read(self, repo: str, number: int, *, within: float) -> Poll[PullRequest]:
        """Return a pull request."""
        path = f"{_repo_path(repo)}/pulls/{number}"
        return self.connection.get(path, parse_pull_request, f"the pull request #{number} of {repo}", within=within)

    def read_reports(self, repo: str, sha: str, *, within: float) -> Poll[tuple[CommitReport, ...]]:
        """Return the newest status or check of each context of a commit."""
        return CommitReportReader(self.connection, has_checks=True).read_reports(repo, sha, within=within)

    def merge(self, repo: str, request: MergeRequest, *, within: float) -> MergeOutcome:
        """Send a merge request once. Without `sha`, GitHub merges whatever the head is."""
        if request.style not in STYLE_WORDS:
            return MergeOutcome(MergeNext.POLICY, f"GitHub has no merge style {request.style}", STYLE_HINT)
        fields = {"merge_method": STYLE_WORDS[request.style], "sha": request.head_sha}
        path = f"{_repo_path(repo)}/pulls/{request.number}/merge"
        response = self.connection.send("PUT", path, within=within, json_body=fields)
        return read_merge_outcome(ForgeKind.GITHUB, request.style, response)

    def _read_branch_row(self, repo: str, branch: str, within: float) -> Poll[BranchRow]:
        path = f"{_repo_path(repo)}/branches/{quote_branch(branch)}"
        response = self.connection.send("GET", path, within=within)
        if isinstance(response, HttpResponse) and response.status == HTTPStatus.NOT_FOUND:
            return NotFound(f"there is no branch {branch}")
        return self.connection.read(response, parse_branch, f"the branch {branch} of {repo}")


def _repo_path(repo: str) -> str:
    return f"/repos/{quote_repo(repo)}"


def _read_errors(response: HttpResponse) -> list[str]:
    """Return the texts of a 422: its message, and those of its list of errors."""
    raw = read_json(response)
    body = raw if isinstance(raw, dict) else {}
    errors = body.get("errors")
    rows = [body, *(errors if isinstance(errors, list) else [])]
    texts = [row.get("message") for row in rows if isinstance(row, dict)]
    return [strip_control_chars(text) for text in texts if isinstance(text, str)]


def _parse_opened(raw: object) -> OpenResult:
    return parse_pull_request(raw)


def parse_repository(raw: object) -> RepositoryState:
    """Read a repository. Raises UnexpectedShape."""
    json = read_object(raw)
    rights = json.get("permissions")
    return RepositoryState(
        full_name=read_display_text(json, "full_name"),
        is_archived=json.get("archived") is True,
        allowed_styles=read_allowed_styles(json, STYLE_FLAGS),
        can_push=read_flag(read_object(rights), "push") if rights else None,
    )
