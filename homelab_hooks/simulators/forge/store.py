"""The data of the simulated forge: users with tokens, repositories with branches, and webhooks."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from homelab_hooks.simulators.forge.bare import BareRepository
from homelab_hooks.simulators.forge.pulls import MergeCut, SimulatedProtection, SimulatedPull
from homelab_hooks.simulators.forge.runs import ForgeReports

ALL_SCOPES = frozenset({"read:repository", "write:repository"})
ZERO_SHA = "0000000000000000000000000000000000000000"


class RepoRight(IntEnum):
    """What a user may do with a repository."""

    NONE = 0
    READ = 1
    WRITE = 2
    ADMIN = 3


@dataclass(frozen=True)
class ForgeUser:
    """A user with a password, and with tokens and the scopes of each."""

    login: str
    password: str = ""
    tokens: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass
class SimulatedWebhook:
    """A webhook."""

    id: int
    url: str
    events: list[str] = field(default_factory=lambda: ["push"])
    active: bool = True
    branch_filter: str = "*"


@dataclass
class SimulatedForgeRepo:
    """A repository; `rights` by login, `tags` and `branches` with their commits."""

    full_name: str
    rights: Mapping[str, RepoRight]
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    default_branch: str = "main"
    private: bool = False
    hooks: list[SimulatedWebhook] = field(default_factory=list)
    older_commits: set[str] = field(default_factory=set)
    """commits that are the tip of no branch"""
    reports: ForgeReports = field(default_factory=ForgeReports)
    """Actions runs and commit statuses"""
    git: BareRepository | None = None
    """the repository itself; without it, `branches` are only names, and nothing can be merged"""
    protections: dict[str, SimulatedProtection] = field(default_factory=dict)
    pulls: list[SimulatedPull] = field(default_factory=list)
    styles: frozenset[str] = frozenset({"merge", "rebase", "rebase-merge", "squash", "fast-forward-only"})
    archived: bool = False
    deletes_merged_branches: bool = False
    check_seconds: float = 0.0
    """how long the forge checks whether a pull request can be merged, after head or target moved"""
    merge_cuts: list[MergeCut] = field(default_factory=list)
    """the next merges whose answers are lost, in order"""
    before_merge: Callable[[], object] | None = None
    """called once, between the checks of a merge and the update of the target: another client may push"""

    def read_git(self) -> None:
        """Take the branches from the repository, which pushes move without the API."""
        if self.git:
            self.older_commits |= set(self.branches.values())
            self.branches = self.git.branches()

    def protect(self, branch: str, rules: SimulatedProtection) -> None:
        """Protect a branch; direct pushes to it are refused unless the rules allow them."""
        self.protections[branch] = rules
        if self.git and not rules.can_push:
            self.git.refuse_pushes(branch)


@dataclass(frozen=True)
class HookDelivery:
    """A push event that was sent to a webhook."""

    url: str
    repo: str
    ref: str
    before: str
    after: str
    sender: str
    commit_count: int = 1


@dataclass
class ForgeStore:
    """Everything that the forge knows. `sent` are the deliveries, the oldest first."""

    users: list[ForgeUser]
    repositories: list[SimulatedForgeRepo]
    version: str = "1.26.0"
    is_github: bool = False
    """whether it answers as GitHub does, below /api/v3"""
    sent: list[HookDelivery] = field(default_factory=list)
    now: Callable[[], float] = float
    """the clock of the timelines of runs and statuses"""

    def repository(self, full_name: str) -> SimulatedForgeRepo | None:
        """Return a repository by its name, whatever the case."""
        return next((repo for repo in self.repositories if repo.full_name.lower() == full_name.lower()), None)

    def send_test(self, repo: SimulatedForgeRepo, hook: SimulatedWebhook, ref: str, sender: str) -> HookDelivery | None:
        """Send a test delivery, unless the webhook does not send such events; return what was sent.

        The commit is that of a branch's or tag's short name or of a SHA, and otherwise the tip of the default branch,
        also for the full name of another branch (recording 05-webhook-redelivery).
        """
        known = {**repo.tags, **repo.branches}
        commits = {*known.values(), *repo.older_commits}
        tip = repo.branches[repo.default_branch]
        sha = ref if ref in commits else known.get(ref, tip)
        delivery = HookDelivery(hook.url, repo.full_name, ref or f"refs/heads/{repo.default_branch}", sha, sha, sender)
        return self._send(hook, delivery)

    def push(self, repo: SimulatedForgeRepo, branch: str, sha: str, sender: str) -> list[HookDelivery]:
        """Move a branch, and send the event of the push to each webhook."""
        before = repo.branches.get(branch, ZERO_SHA)
        repo.older_commits.add(before)
        repo.branches[branch] = sha
        deliveries = [
            HookDelivery(hook.url, repo.full_name, f"refs/heads/{branch}", before, sha, sender) for hook in repo.hooks
        ]
        sent = [self._send(hook, delivery) for hook, delivery in zip(repo.hooks, deliveries, strict=True)]
        return [delivery for delivery in sent if delivery]

    def _send(self, hook: SimulatedWebhook, delivery: HookDelivery) -> HookDelivery | None:
        branch = delivery.ref.removeprefix("refs/heads/")
        is_included = not hook.branch_filter or fnmatch.fnmatchcase(branch, hook.branch_filter)
        if not (hook.active and "push" in hook.events and is_included):
            return None
        self.sent.append(delivery)
        return delivery
