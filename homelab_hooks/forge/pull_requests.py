"""The interface of a forge's pull requests: values, and a protocol for each group of requests.

A forge answers about the target branch (`TargetReader`), about pull requests (`PullRequests`), and about the commit
that is to be merged (`MergeGate`). Every method takes `within`, the seconds that the answer may take, and returns a
value: a `Poll`, or for the merge a `MergeOutcome`. None raises, none repeats a request, and none asks who the token
belongs to, because `GET /user` needs another scope (recording 01-branch-and-protection).

What an answer cannot show is not in it. Gitea hides signed commits, protected files, and the rule for outdated
branches from a writer, so `BranchProtection` is a reason to try, never a promise; the refusal of the merge has the
rest.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple, Protocol

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.forge.merge_outcome import MergeOutcome
from homelab_hooks.forge.required_checks import RequiredChecks
from homelab_hooks.polling.outcome import Poll
from homelab_hooks.text.commit_report import CommitReport

MERGE_TIMEOUT_S = 60.0
"""seconds for a merge request: merges took up to 7 s, and a client that hangs up leaves the target merged, the request
open, and CI without a webhook (recording 03h-merge-policy-and-lost-answer)"""


class RepositoryState(NamedTuple):
    """What a reader of a repository sees."""

    full_name: str
    is_archived: bool = False
    has_pull_requests: bool = True
    allowed_styles: frozenset[MergeStyle] | None = None
    """None: the forge does not show them to this token"""
    can_push: bool | None = None
    """the token's owner has write access; None: not shown, as without a token"""


class BranchProtection(NamedTuple):
    """The rules of the target branch, as someone with write access sees them.

    Gitea's `user_can_push` ignores the scope of the token and an archived repository (recording 01): try and see.
    """

    tip: str
    is_protected: bool = False
    can_push: bool | None = None
    """direct pushes are allowed; None: the forge does not show it"""
    can_merge: bool | None = None
    """the token's owner may merge; None: the forge does not show it"""
    required_checks: RequiredChecks = RequiredChecks()
    required_approvals: int = 0
    allowed_styles: frozenset[MergeStyle] | None = None
    """None: the rules of the branch do not restrict them"""
    has_merge_queue: bool = False
    """GitHub merges through a queue, which does not take a pinned head"""


class PullRequestState(Enum):
    """The state of a pull request."""

    OPEN = auto()
    CLOSED = auto()
    """closed without a merge"""
    MERGED = auto()


class PullRequest(NamedTuple):
    """A pull request at one moment.

    The forge's `mergeable` is not read: one answer decides nothing, because Gitea shows a stale true, then false while
    it checks, then true (recording 02c).
    """

    number: int
    state: PullRequestState
    head_sha: str
    head_branch: str
    """refs/pull/N/head on Gitea once the branch was deleted (recording 02c-pull-request-states)"""
    head_repo: str
    """OWNER/NAME; empty if the fork was deleted"""
    base_branch: str
    url: str = ""
    title: str = ""
    is_draft: bool = False
    merge_commit: str = ""
    """the commit on the target; empty unless merged, because GitHub shows a test merge before"""
    merged_by: str = ""
    closed_by: str = ""
    """the login; empty if open, or if the forge does not show it: Gitea does not"""

    @property
    def is_open(self) -> bool:
        """Return whether it can be merged at all."""
        return self.state is PullRequestState.OPEN

    def is_of(self, repo: str, head: str, base: str) -> bool:
        """Return whether this is an open request of a branch of the repository itself into `base`.

        The branch of a fork may have the same name, and forges also return closed requests (recording 02c).
        """
        same_repo = self.head_repo.lower() == repo.lower()
        return self.is_open and same_repo and (self.head_branch, self.base_branch) == (head, base)


class NewPullRequest(NamedTuple):
    """A pull request to open: both branches are in the repository."""

    head: str
    base: str
    title: str
    body: str = ""


class AlreadyOpen(NamedTuple):
    """The forge has an open pull request of these branches: find it."""

    reason: str


class NothingToMerge(NamedTuple):
    """GitHub and Gitea see no commits between the branches; Gitea opens the request where the head is older (02)."""

    reason: str


OpenResult = PullRequest | AlreadyOpen | NothingToMerge


class MergeRequest(NamedTuple):
    """A merge that is sent once. The forge refuses it if the head is not `head_sha`, and writes the message itself."""

    number: int
    head_sha: str
    style: MergeStyle


class TargetReader(Protocol):
    """Reads the repository and its branches."""

    def read_repository(self, repo: str, *, within: float) -> Poll[RepositoryState]:
        """Return the state of a repository, OWNER/NAME."""

    def read_protection(self, repo: str, branch: str, *, within: float) -> Poll[BranchProtection]:
        """Return the rules of a branch; NotFound if it does not exist."""

    def read_branch(self, repo: str, branch: str, *, within: float) -> Poll[str]:
        """Return the commit of a branch; NotFound if it does not exist, as after the forge deleted it."""


class PullRequests(Protocol):
    """Finds, opens, and reads pull requests."""

    def find_open(self, repo: str, head: str, base: str, *, within: float) -> Poll[PullRequest]:
        """Return the open pull request of a branch of this repository into `base`; NotFound if there is none."""

    def open(self, repo: str, new: NewPullRequest, *, within: float) -> Poll[OpenResult]:
        """Open a pull request. The request is sent once: after a lost answer, find it."""

    def read(self, repo: str, number: int, *, within: float) -> Poll[PullRequest]:
        """Return a pull request by its number, in whatever state."""


class MergeGate(Protocol):
    """Reads what the forge knows about a commit, and merges it."""

    def read_reports(self, repo: str, sha: str, *, within: float) -> Poll[tuple[CommitReport, ...]]:
        """Return the newest status or check of each context of a commit, from every page; empty: none yet."""

    def merge(self, repo: str, request: MergeRequest, *, within: float) -> MergeOutcome:
        """Send a merge request once, with the head pinned, and return what to do next."""


class PullRequestForge(NamedTuple):
    """The pull requests of one forge; all requests go through one connection."""

    kind: ForgeKind
    name: str
    """the forge in messages, such as "Forgejo at https://git.example.test\""""
    target: TargetReader
    pulls: PullRequests
    gate: MergeGate
