"""A simulated forge with a real bare repository, and the product's pull requests on it without sockets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from homelab_hooks.config.pull_requests import MergeStyle
from homelab_hooks.config.remote_forge import ForgeKind
from homelab_hooks.forge.connection import Authorization, ForgeConnection, ForgeTransport
from homelab_hooks.forge.forges import connect_pull_requests
from homelab_hooks.forge.merge_outcome import MergeOutcome
from homelab_hooks.forge.pull_requests import MergeRequest, NewPullRequest, PullRequest, PullRequestForge
from homelab_hooks.net.message import HttpRequest, HttpResponse, RequestFailed
from homelab_hooks.polling.outcome import FailureKind, Found
from homelab_hooks.simulators.forge.bare import BareRepository
from homelab_hooks.simulators.forge.message import ForgeRequest
from homelab_hooks.simulators.forge.runs import SimulatedStatus
from homelab_hooks.simulators.forge.server import answer
from homelab_hooks.simulators.forge.store import (
    ALL_SCOPES,
    ForgeStore,
    ForgeUser,
    RepoRight,
    SimulatedForgeRepo,
    SimulatedWebhook,
)
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories

REPO = "acme/app"
RIGHTS = {"alice": RepoRight.ADMIN, "bob": RepoRight.WRITE, "carol": RepoRight.READ}


@dataclass
class PullWorld:
    """A forge of which bob's topic branch is to be merged; `now` is its clock."""

    store: ForgeStore
    repo: SimulatedForgeRepo
    clone: Clone
    workshop: ScratchRepositories
    now: list[float] = field(default_factory=lambda: [0.0])
    requests: list[HttpRequest] = field(default_factory=list)
    is_down: bool = False
    transport: ForgeTransport | None = None
    """how the forge is reached; None: without a socket"""
    before_send: dict[str, Callable[[], object]] = field(default_factory=dict)
    """what happens once, before a request whose path ends like this"""
    replies: dict[str, HttpResponse] = field(default_factory=dict)
    """what is answered, without an effect, to requests whose path ends like this"""

    def send(self, request: HttpRequest, *, timeout: float, max_bytes: int) -> HttpResponse | RequestFailed:
        del timeout, max_bytes
        self.requests.append(request)
        if self.is_down:
            return RequestFailed(FailureKind.CONNECTION, "connection refused")
        if end := next((end for end in self.replies if request.path.endswith(end)), None):
            return self.replies[end]
        if act := next((self.before_send.pop(end) for end in [*self.before_send] if request.path.endswith(end)), None):
            act()
        headers = {name.lower(): value for name, value in request.headers.items()}
        found = answer(self.store, ForgeRequest(request.method, request.path, headers, request.body), "")
        if found.sent_bytes is not None:
            return RequestFailed(FailureKind.CONNECTION, "the server closed the connection")
        return HttpResponse(found.status, {"content-type": found.content_type}, found.body, 0.1)

    def connect(self, login: str = "bob") -> PullRequestForge:
        credential = Authorization.from_token(f"{login}-token", "HOMELAB_FORGE_TOKEN")
        kind, path = (ForgeKind.GITHUB, "/api/v3") if self.store.is_github else (ForgeKind.GITEA, "/api/v1")
        return connect_pull_requests(kind, ForgeConnection(self.transport or self, path, kind.name, credential))

    def push(self, branch: str, name: str, text: str = "") -> str:
        """Commit a file and push it to a branch, past its protection; return the commit."""
        sha = self.clone.commit(name, text)
        hook = self.git.path / "hooks" / "pre-receive"
        hook.unlink(missing_ok=True)
        self.clone.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return sha

    def move_target(self, name: str = "other", text: str = "") -> str:
        """Commit to main, as another client; the clone's branch stays as it is."""
        self.clone.git("switch", "--quiet", "--detach", "origin/main")
        sha = self.push("main", name, text)
        self.clone.git("switch", "--quiet", "topic")
        return sha

    def move_behind(self, branch: str, name: str) -> None:
        """Commit to a branch on the forge, as another client; the clone does not know it."""
        tip = self.git.branches()[branch]
        clone = self.workshop.clone(f"other-{name}")
        clone.git("switch", "--quiet", "--detach", tip)
        sha = clone.commit(name)
        clone.git("push", "--quiet", "origin", f"HEAD:refs/heads/incoming-{name}")
        assert self.git.move(branch, sha, tip)
        self.git.delete(f"incoming-{name}")

    def clone_parents(self, sha: str) -> list[str]:
        """The parents of a commit on the forge."""
        self.clone.git("fetch", "--quiet", "origin")
        return self.clone.git("rev-parse", f"{sha}^@").split()

    @property
    def git(self) -> BareRepository:
        assert self.repo.git is not None
        return self.repo.git

    @property
    def head(self) -> str:
        return self.clone.head

    @property
    def target(self) -> str:
        return self.git.branches()["main"]

    def open(self, title: str = "Add a") -> PullRequest:
        found = self.connect().pulls.open(REPO, NewPullRequest("topic", "main", title), within=5.0)
        assert isinstance(found, Found)
        match found.value:
            case PullRequest() as opened:
                return opened
            case other:
                raise AssertionError(other)

    def read(self, number: int = 1) -> PullRequest:
        found = self.connect().pulls.read(REPO, number, within=5.0)
        assert isinstance(found, Found)
        shown: PullRequest = found.value
        return shown

    def merge(self, style: MergeStyle = MergeStyle.MERGE, *, login: str = "bob", head: str = "") -> MergeOutcome:
        request = MergeRequest(1, head or self.head, style)
        return self.connect(login).gate.merge(REPO, request, within=60.0)

    def report(self, context: str, state: str, sha: str = "") -> None:
        statuses = self.repo.reports.statuses
        statuses.append(SimulatedStatus(len(statuses) + 1, sha or self.head, context, state))


def make_pull_world(workshop: ScratchRepositories) -> PullWorld:
    """A forge with alice, bob, and carol, and bob's branch `topic` pushed."""
    clone = workshop.clone("bob", branch="topic")
    clone.commit("a")
    clone.git("push", "--quiet", "origin", "topic")
    hook = SimulatedWebhook(23, "https://ci.example.test/api/hook")
    git = BareRepository(workshop.bare_path, workshop.environ)
    repo = SimulatedForgeRepo(REPO, RIGHTS, hooks=[hook], git=git)
    now = [0.0]
    users = [ForgeUser(login, tokens={f"{login}-token": ALL_SCOPES}) for login in RIGHTS]
    store = ForgeStore(users, [repo], now=lambda: now[0])
    return PullWorld(store, repo, clone, workshop, now)
