"""Pull requests of Gitea and Forgejo.

From recordings 01 to 03j of Gitea 1.26; Forgejo has the same endpoints in its source. The rules of a branch are read
from the branch itself: `branch_protections` is for administrators (recording 01-branch-and-protection). The forge's
auto-merge (`merge_when_checks_succeed`) and `force_merge` are never sent: the first ignores the pinned head, and the
second the rules (recordings 03e, 03g, 03j).
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.forge.connection import ForgeConnection, read_json
from homelab_hooks.forge.merge_outcome import MergeOutcome, read_merge_outcome
from homelab_hooks.forge.pull_request_json import (
    parse_branch_tip,
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
from homelab_hooks.forge.required_checks import RequiredChecks
from homelab_hooks.forge.webhook_json import quote_repo
from homelab_hooks.net.message import HttpResponse
from homelab_hooks.polling.outcome import Found, NotFound, Poll
from homelab_hooks.polling.pages import read_pages
from homelab_hooks.text.commit_report import CommitReport
from homelab_hooks.text.json_fields import UnexpectedShape, read_display_text, read_number, read_object

PAGE_SIZE = 50
"""pull requests of one page, the most that Gitea returns"""
MAX_PAGES = 20
"""pages of open pull requests that are searched"""
STYLE_WORDS = {
    MergeStyle.FAST_FORWARD: "fast-forward-only",
    MergeStyle.MERGE: "merge",
    MergeStyle.SQUASH: "squash",
    MergeStyle.REBASE: "rebase",
}
"""the values of `Do`"""
STYLE_FLAGS = {
    "allow_merge_commits": MergeStyle.MERGE,
    "allow_fast_forward_only_merge": MergeStyle.FAST_FORWARD,
    "allow_squash_merge": MergeStyle.SQUASH,
    "allow_rebase": MergeStyle.REBASE,
}


@dataclass(frozen=True, slots=True)
class GiteaPullRequests:
    """Reads, opens, and merges pull requests."""

    connection: ForgeConnection
    kind: ForgeKind = ForgeKind.GITEA

    def read_repository(self, repo: str, *, within: float) -> Poll[RepositoryState]:
        """Return the state of a repository."""
        path = f"/repos/{quote_repo(repo)}"
        return self.connection.get(path, parse_repository, f"the repository {repo}", within=within)

    def read_protection(self, repo: str, branch: str, *, within: float) -> Poll[BranchProtection]:
        """Return the rules of a branch, as everybody who may read the repository sees them."""
        response = self.connection.send("GET", self._branch_path(repo, branch), within=within)
        if _is_missing(response):
            return NotFound(f"there is no branch {branch}")
        return self.connection.read(response, parse_protection, f"the branch {branch} of {repo}")

    def read_branch(self, repo: str, branch: str, *, within: float) -> Poll[str]:
        """Return the commit of a branch."""
        response = self.connection.send("GET", self._branch_path(repo, branch), within=within)
        if _is_missing(response):
            return NotFound(f"there is no branch {branch}")
        return self.connection.read(response, parse_branch_tip, f"the branch {branch} of {repo}")

    def find_open(self, repo: str, head: str, base: str, *, within: float) -> Poll[PullRequest]:
        """Return the open pull request of a branch.

        `GET pulls/BASE/HEAD` also returns closed and merged ones (recording 02c), and the list ignores `head` (02); so
        the list of open ones is searched if the first answer is another request. A base with a slash would be read as
        a part of the head, so only the list is asked then.
        """
        subject = f"the pull requests of {repo}"
        if "/" not in base:
            path = f"/repos/{quote_repo(repo)}/pulls/{quote_branch(base)}/{quote_branch(head)}"
            response = self.connection.send("GET", path, within=within)
            if _is_missing(response):
                return NotFound(f"there is no pull request of {head} into {base}")
            poll = self.connection.read(response, parse_pull_request, subject)
            if not isinstance(poll, Found) or poll.value.is_of(repo, head, base):
                return poll
        listed = read_pages(
            lambda page: self.connection.get(
                f"/repos/{quote_repo(repo)}/pulls?state=open&page={page}&limit={PAGE_SIZE}",
                parse_pull_requests,
                subject,
                within=within,
            ),
            page_size=PAGE_SIZE,
            max_pages=MAX_PAGES,
            subject=f"the list of {subject.removeprefix('the ')}",
        )
        if not isinstance(listed, Found):
            return listed
        matching = (one for one in listed.value if one.is_of(repo, head, base))
        found = next(matching, None)
        return Found(found) if found else NotFound(f"there is no open pull request of {head} into {base}")

    def open(self, repo: str, new: NewPullRequest, *, within: float) -> Poll[OpenResult]:
        """Open a pull request. Gitea also opens one without anything to merge (recording 02)."""
        fields = {"head": new.head, "base": new.base, "title": new.title, "body": new.body}
        path = f"/repos/{quote_repo(repo)}/pulls"
        response = self.connection.send("POST", path, within=within, json_body=fields)
        if isinstance(response, HttpResponse):
            match response.status, read_message(response):
                case HTTPStatus.CONFLICT, text:
                    return Found(AlreadyOpen(text))
                case HTTPStatus.UNPROCESSABLE_ENTITY, text if "no changes between the head and the base" in text:
                    return Found(NothingToMerge(text))
        return self.connection.read(response, _parse_opened, f"the pull requests of {repo}")

    def read(self, repo: str, number: int, *, within: float) -> Poll[PullRequest]:
        """Return a pull request."""
        path = f"/repos/{quote_repo(repo)}/pulls/{number}"
        return self.connection.get(path, parse_pull_request, f"the pull request #{number} of {repo}", within=within)

    def read_reports(self, repo: str, sha: str, *, within: float) -> Poll[tuple[CommitReport, ...]]:
        """Return the newest status of each context of a commit."""
        return CommitReportReader(self.connection).read_reports(repo, sha, within=within)

    def merge(self, repo: str, request: MergeRequest, *, within: float) -> MergeOutcome:
        """Send a merge request once. Without `head_commit_id`, Gitea merges whatever the head is."""
        fields = {"Do": STYLE_WORDS[request.style], "head_commit_id": request.head_sha}
        path = f"/repos/{quote_repo(repo)}/pulls/{request.number}/merge"
        response = self.connection.send("POST", path, within=within, json_body=fields)
        return read_merge_outcome(self.kind, request.style, response)

    def _branch_path(self, repo: str, branch: str) -> str:
        return f"/repos/{quote_repo(repo)}/branches/{quote_branch(branch)}"


def _is_missing(response: object) -> bool:
    """Return whether a branch or a pull request does not exist; a repository that cannot be seen answers the same.

    The repository is read before, so that a missing one is reported as such.
    """
    return isinstance(response, HttpResponse) and response.status == HTTPStatus.NOT_FOUND


def read_message(response: HttpResponse) -> str:
    """Return the text of a refusal without control characters; empty if there is none."""
    raw = read_json(response)
    return read_display_text(raw, "message") if isinstance(raw, dict) and isinstance(raw.get("message"), str) else ""


def _parse_opened(raw: object) -> OpenResult:
    return parse_pull_request(raw)


def parse_repository(raw: object) -> RepositoryState:
    """Read a repository. Raises UnexpectedShape."""
    json = read_object(raw)
    rights = json.get("permissions")
    return RepositoryState(
        full_name=read_display_text(json, "full_name"),
        is_archived=json.get("archived") is True,
        has_pull_requests=json.get("has_pull_requests") is not False,
        allowed_styles=read_allowed_styles(json, STYLE_FLAGS),
        can_push=read_flag(read_object(rights), "push") if rights else None,
    )


def parse_protection(raw: object) -> BranchProtection:
    """Read the rules of a branch: `status_check_contexts` is [] without a rule, null without checks (recording 01)."""
    json = read_object(raw)
    contexts = json.get("status_check_contexts") or []
    if not (isinstance(contexts, list) and all(isinstance(name, str) for name in contexts)):
        raise UnexpectedShape("status_check_contexts is not a list of names")
    is_protected = json.get("protected") is True
    is_enabled = json.get("enable_status_check") is True
    return BranchProtection(
        tip=parse_branch_tip(raw),
        is_protected=is_protected,
        can_push=read_flag(json, "user_can_push"),
        can_merge=read_flag(json, "user_can_merge"),
        required_checks=RequiredChecks(is_enabled, tuple(contexts)) if is_enabled else RequiredChecks(),
        required_approvals=read_number(json, "required_approvals"),
    )
