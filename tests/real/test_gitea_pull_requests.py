"""`git land` through pull requests of a real Gitea: a green and a red check, a missing approval, and a moved target."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.simulators.repositories import Clone
from homelab_hooks.system.completed import Completed
from homelab_hooks.system.process_runner import ProcessRunner
from tests.real.gitea import OWNER, WRITER, Gitea, GiteaRepository
from tests.waiting import HANG_S, wait_until

pytestmark = pytest.mark.real

CHECK = "ci/test"
RULES = {
    "enable_push": True, "enable_push_whitelist": True, "push_whitelist_usernames": [OWNER],
    "enable_status_check": True, "status_check_contexts": [CHECK],
}  # fmt: skip
"""the writer may merge, and only the owner may push"""


@dataclass(slots=True)
class ProtectedLanding:
    """The writer's feature branch of one commit, on a forge whose main requires a check."""

    repository: GiteaRepository
    checkout: Clone
    scope: str = "write:repository"

    def land(self, *options: str) -> Completed:
        """`git land` with a token of the writer that has this scope and no other."""
        gitea = self.repository.gitea
        given = {"name": f"{self.repository.name}-{self.scope}", "scopes": [self.scope]}
        made = httpx.post(
            f"{gitea.url}/api/v1/users/{WRITER}/tokens", auth=(WRITER, gitea.password), json=given, timeout=HANG_S
        )
        token = made.raise_for_status().json()["sha1"]
        environ = {**gitea.environ_of(WRITER), "HOMELAB_FORGE_TOKEN": token, "HOMELAB_PROTECTED": "merge"}
        argv = ["git", "land", "--output", "plain", "--verify-cmd", "true", "--no-ci-watch", *options]
        return ProcessRunner(environ).run(argv, cwd=self.checkout.path, timeout=HANG_S)

    def push(self) -> str:
        """Push the branch, so that a check of its commit can be reported before the landing."""
        self.checkout.git("push", "--quiet", "origin", "feature")
        return self.checkout.head

    def report(self, sha: str, state: str) -> None:
        """Report the required check, as CI does."""
        self.repository.gitea.post(f"{self.repository.path}/statuses/{sha}", context=CHECK, state=state)

    def wait_for_head(self, *older: str) -> str:
        """Wait until the branch on the forge has another commit, and return it."""
        wait_until(lambda: self.repository.head("feature") not in {"", *older}, "the branch was not pushed")
        return self.repository.head("feature")


@pytest.fixture
def repository(gitea: Gitea, request: pytest.FixtureRequest) -> GiteaRepository:
    """A repository named after the test."""
    return gitea.repository(request.node.name.removeprefix("test_").replace("_", "-"))


@pytest.fixture
def mine(repository: GiteaRepository) -> ProtectedLanding:
    repository.rule(**RULES)
    checkout = repository.gitea.clone(repository.http(WRITER), WRITER, f"{repository.name}-pull")
    checkout.git("switch", "--quiet", "-c", "feature")
    checkout.commit("greeting", "hello, world\n")
    return ProtectedLanding(repository, checkout)


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_a_green_pull_request_is_merged(mine: ProtectedLanding) -> None:
    mine.report(mine.push(), "success")

    done = mine.land()

    assert done.code == ExitCode.OK, done.err
    assert " landed=yes " in done.out
    assert mine.repository.head() == mine.checkout.head
    assert mine.repository.gitea.password not in done.out + done.err


def test_a_red_check_ends_with_22(mine: ProtectedLanding) -> None:
    before = mine.repository.head()
    mine.report(mine.push(), "failure")

    done = mine.land()

    assert done.code == ExitCode.VERIFY_FAILED, done.err
    assert " landed=no " in done.out
    assert f"{CHECK} is failure" in done.err
    assert mine.repository.head() == before


def test_a_check_that_never_appears_ends_with_23(mine: ProtectedLanding) -> None:
    before = mine.repository.head()

    done = mine.land("--appear-timeout", "6s")

    assert done.code == ExitCode.PROTECTED, done.err
    assert CHECK in done.err
    assert mine.repository.head() == before


def test_a_missing_approval_ends_with_23(mine: ProtectedLanding) -> None:
    gitea, before = mine.repository.gitea, mine.repository.head()
    path = f"/api/v1{mine.repository.path}/branch_protections/main"
    gitea.api.request("PATCH", path, json={"required_approvals": 1}).raise_for_status()
    mine.report(mine.push(), "success")

    done = mine.land()

    assert done.code == ExitCode.PROTECTED, done.err
    assert "enough approvals" in done.err
    assert f"{gitea.url}/{OWNER}/{mine.repository.name}/pulls/1" in done.out + done.err
    assert mine.repository.head() == before


def test_a_target_that_moves_meanwhile_is_merged_and_checked_again(
    mine: ProtectedLanding, background: ThreadPoolExecutor
) -> None:
    repository = mine.repository
    theirs = repository.gitea.clone(repository.http(OWNER), OWNER, f"{repository.name}-theirs")
    ended: Future[Completed] = background.submit(mine.land)
    first = mine.wait_for_head()
    won = theirs.commit("theirs")
    theirs.git("push", "--quiet", "origin", "HEAD:main")
    mine.report(first, "success")
    second = mine.wait_for_head(first)
    mine.report(second, "success")

    done = ended.result()

    assert done.code == ExitCode.OK, done.err
    assert repository.head() == second == mine.checkout.head
    assert mine.checkout.git("merge-base", won, "HEAD") == won


def test_a_token_that_only_reads_is_refused_before_anything_is_pushed(mine: ProtectedLanding) -> None:
    mine.scope = "read:repository"

    done = mine.land()

    assert done.code == ExitCode.REFUSED, done.err
    assert "write:repository" in done.err
    assert mine.repository.head("feature") == ""
