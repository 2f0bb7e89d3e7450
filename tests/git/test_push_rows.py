"""Each outcome of a push against git's own receive-pack, over a path, http and ssh: what it is, and what is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from homelab_hooks.git.push_result import PushResult, PushStatus
from homelab_hooks.git.repository import Repository
from homelab_hooks.git.runner import DirectRunner
from homelab_hooks.simulators.git_http import GitFault, GitServer, GitService
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories

pytestmark = pytest.mark.slow  # many processes of git each; test_push_reading has the same words without them

LOCAL_SSH = 'for last; do :; done; exec sh -c "$last"'
# Once only: on the server the other push meets the same hook.
OTHER = (
    'cd {0}; test -e once || {{ touch once; env -i PATH="$PATH" HOME="$HOME" git -C bob push --quiet origin main; }}'
)
TICKETS = "echo tickets please >&2; exit 1"
GITEA = "printf '\\nerror:\\nerror: Not allowed to push to protected branch main\\nerror:\\n' >&2; exit 1"
GITHUB = "echo 'error: GH006: Protected branch update failed for refs/heads/main.' >&2; exit 1"
GITLAB = "echo 'GitLab: You are not allowed to push code to protected branches on this project.' >&2; exit 1"


@dataclass
class Bench:
    """Ann, on a new commit, and the way her pushes take."""

    workshop: ScratchRepositories
    ann: Clone
    bob: Clone
    environ: dict[str, str]
    sha: str

    def push(self, to: str = "main") -> PushResult:
        return Repository(DirectRunner(self.environ, self.ann.path)).transfer.push_commit(
            self.sha, to=to, remote="origin"
        )

    def hook(self, name: str, script: str) -> None:
        self.workshop.write_hook(name, script.format(self.workshop.folder))

    def moves(self) -> None:
        """Bob pushes first."""
        self.bob.git("push", "--quiet", "origin", "main")


@pytest.fixture(
    params=["path", pytest.param("http", marks=pytest.mark.slow), pytest.param("ssh", marks=pytest.mark.slow)]
)
def bench(
    request: pytest.FixtureRequest, workshop: ScratchRepositories, seal: dict[str, str], server: GitServer
) -> Bench:
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    bob.commit("b")
    environ = dict(seal)
    if request.param == "http":
        ann.git("remote", "set-url", "origin", f"{server.url}/acme/app.git")
    if request.param == "ssh":
        ann.git("remote", "set-url", "origin", f"ssh://git@git.example.test{workshop.bare_path}")
        environ["GIT_SSH_COMMAND"] = str(workshop.write_hook("ssh", LOCAL_SSH, where=workshop.folder / "bin"))
    return Bench(workshop, ann, bob, environ, ann.commit("a"))


Prepare = Callable[[Bench], None]


def _nothing(_: Bench) -> None:
    pass


def _there_already(bench: Bench) -> None:
    bench.ann.git("push", "--quiet", str(bench.workshop.bare_path), "HEAD:main")


def _other_history(bench: Bench) -> None:
    """The target was moved back: what is there is known here, and not contained."""
    bench.moves()
    bench.ann.git("fetch", "--quiet", str(bench.workshop.bare_path))


def _held_lock(bench: Bench) -> None:
    (bench.workshop.bare_path / "refs/heads/main.lock").touch()


def _checked_out(bench: Bench) -> None:
    bench.workshop.origin.git("config", "core.bare", "false")


def _too_large(bench: Bench) -> None:
    bench.workshop.origin.git("config", "receive.maxInputSize", "10")


def _hidden(bench: Bench) -> None:
    bench.workshop.origin.git("config", "receive.hideRefs", "refs/heads/main")


def _frozen(bench: Bench) -> None:
    """The folder that refs are in cannot be written to: a file stands in its place."""
    bench.workshop.origin.git("pack-refs", "--all")
    folder = bench.workshop.bare_path / "refs/heads"
    folder.rmdir()
    folder.write_text("")


def _gone(bench: Bench) -> None:
    bench.workshop.bare_path.rename(bench.workshop.bare_path.with_name("away.git"))


def _own(script: str) -> Prepare:
    def prepare(bench: Bench) -> None:
        bench.workshop.write_hook("pre-push", script.format(bench.workshop.folder), where=bench.ann.path / ".git/hooks")

    return prepare


def _server(name: str, script: str) -> Prepare:
    return lambda bench: bench.hook(name, script)


ROWS: list[tuple[str, Prepare, PushStatus, str]] = [
    ("fast forward", _nothing, PushStatus.ACCEPTED, ""),
    ("up to date", _there_already, PushStatus.ACCEPTED, ""),
    ("moved, unknown here", Bench.moves, PushStatus.LOST_RACE, ""),
    ("moved, known here", _other_history, PushStatus.LOST_RACE, ""),
    ("moved after the advertisement", _own(OTHER), PushStatus.LOST_RACE, ""),
    ("moved within the server's own hook", _server("update", OTHER), PushStatus.LOST_RACE, ""),
    ("a lock that another update holds", _held_lock, PushStatus.REF_LOCKED, ""),
    ("refused by pre-receive", _server("pre-receive", TICKETS), PushStatus.REFUSED, "tickets please"),
    ("refused by update", _server("update", TICKETS), PushStatus.REFUSED, "tickets please"),
    ("refused without a word", _server("pre-receive", "exit 1"), PushStatus.REFUSED, "declined"),
    ("protected, as Gitea says it", _server("pre-receive", GITEA), PushStatus.PROTECTED, "protected branch main"),
    ("protected, as GitHub says it", _server("pre-receive", GITHUB), PushStatus.PROTECTED, "GH006"),
    ("protected, as GitLab says it", _server("pre-receive", GITLAB), PushStatus.PROTECTED, "not allowed to push code"),
    ("checked out on the server", _checked_out, PushStatus.REFUSED, "checked out"),
    ("too large", _too_large, PushStatus.REFUSED, "maximum allowed size"),
    ("a hidden ref", _hidden, PushStatus.REFUSED, "hidden ref"),
    ("refs that cannot be written", _frozen, PushStatus.REFUSED, ""),
    ("no such repository", _gone, PushStatus.REFUSED, "not"),
    ("refused by our own hook", _own("echo no; exit 1"), PushStatus.LOCAL_HOOK, "no"),
    ("our own hook ends with 128", _own("echo fatal: no >&2; exit 128"), PushStatus.LOCAL_HOOK, "no"),
    ("the server dies after it has it", _server("post-receive", "kill -9 $PPID"), PushStatus.ACCEPTED, ""),
    (
        "a post-receive hook that fails",
        _server("post-receive", "echo error: late >&2; exit 1"),
        PushStatus.ACCEPTED,
        "",
    ),
    ("the server dies before it has it", _server("pre-receive", "kill -9 $PPID"), PushStatus.UNKNOWN, ""),
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_push_is_reported_with_its_result(bench: Bench, row: tuple[str, Prepare, PushStatus, str]) -> None:
    """What is called landed is there, what is called anything else but unknown is not."""
    _, prepare, kind, why = row
    prepare(bench)
    outcome = bench.push()
    assert (outcome.status.name, why in outcome.reason) == (kind.name, True), outcome
    there = bench.workshop.server_commit() == bench.sha
    assert there == (kind is PushStatus.ACCEPTED) or kind is PushStatus.UNKNOWN
    assert not [line for line in outcome.output if "push.pid" in line]
    assert not (bench.ann.path / ".git/homelab/push.pid").exists()


def test_a_new_branch_is_made(bench: Bench) -> None:
    assert bench.push(to="new/branch").status is PushStatus.ACCEPTED
    assert bench.workshop.server_commit("new/branch") == bench.sha


def test_a_branch_where_a_folder_of_branches_is_cannot_be(bench: Bench) -> None:
    """It has the ref line of a lost race, but trying again would not help."""
    bench.ann.git("push", "--quiet", str(bench.workshop.bare_path), "HEAD:refs/heads/a/b")
    outcome = bench.push(to="a")
    assert (outcome.status, "exists; cannot create" in outcome.reason) == (PushStatus.REFUSED, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("says", "kind"),
    [
        ("git@git.example.test: Permission denied (publickey).", PushStatus.DENIED),
        ("Host key verification failed.", PushStatus.DENIED),
        ("ssh: connect to host git.example.test port 22: Connection refused", PushStatus.UNREACHABLE),
        ("ssh: Could not resolve hostname git.example.test: Name or service not known", PushStatus.UNREACHABLE),
        ("ssh: connect to host git.example.test port 22: Connection timed out", PushStatus.UNREACHABLE),
        ("kex_exchange_identification: Connection closed by remote host", PushStatus.UNREACHABLE),
    ],
)
def test_an_ssh_that_does_not_get_there_says_why(
    workshop: ScratchRepositories, seal: dict[str, str], says: str, kind: PushStatus
) -> None:
    ann = workshop.clone("ann", branch="topic")
    ann.git("remote", "set-url", "origin", "git@git.example.test:acme/app.git")
    ssh = workshop.write_hook("ssh", f"echo '{says}' >&2; exit 255", where=workshop.folder / "bin")
    git = Repository(DirectRunner({**seal, "GIT_SSH_COMMAND": str(ssh)}, ann.path))
    outcome = git.transfer.push_commit(ann.commit("a"), to="main", remote="origin")
    assert (outcome.status, outcome.reason in says) == (kind, True)


@pytest.mark.slow
def test_no_listener_or_no_name_is_no_connection(
    workshop: ScratchRepositories, seal: dict[str, str], tmp_path: Path
) -> None:
    ann = workshop.clone("ann", branch="topic")
    with GitServer(tmp_path, seal) as gone:
        url = gone.url
    sha = ann.commit("a")
    for address in (url, "http://no-such-host.invalid"):
        ann.git("remote", "set-url", "origin", f"{address}/acme/app.git")
        outcome = Repository(DirectRunner(seal, ann.path)).transfer.push_commit(sha, to="main", remote="origin")
        assert outcome.status is PushStatus.UNREACHABLE, outcome


@pytest.mark.slow
def test_a_redirect_is_not_followed_with_a_push(
    workshop: ScratchRepositories, server: GitServer, seal: dict[str, str]
) -> None:
    """Git follows it only for the first question."""
    ann = workshop.clone("ann", at=f"{server.url}/acme/app.git", branch="topic")
    sha = ann.commit("a")
    server.plan.faults[GitService.PUSH] = GitFault.REDIRECT
    server.plan.redirect_to = server.url
    outcome = Repository(DirectRunner(seal, ann.path)).transfer.push_commit(sha, to="main", remote="origin")
    assert outcome.status in {PushStatus.UNKNOWN, PushStatus.REFUSED, PushStatus.UNREACHABLE}
    assert workshop.server_commit() != sha
