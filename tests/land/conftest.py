"""Fixtures for landings: recorded events, a fake clock, and one call that lands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from homelab_hooks.events import Event, Log, Progress, StageChanged
from homelab_hooks.git.environment import user_command_env
from homelab_hooks.git.gitpython import GitPythonRunner
from homelab_hooks.git.repository import Repository
from homelab_hooks.land import run as land_run
from homelab_hooks.land.request import LandingDependencies, LandRequest, VerifyCommand
from homelab_hooks.simulators.git_http import GitServer
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.verdict import Verdict
from tests.inherited import inherited_by_git
from tests.support.clock import FakeClock


@dataclass
class RecordedEvents:
    """Records every event of a landing."""

    events: list[Event] = field(default_factory=list)
    interrupt_at: int = -1
    """raise KeyboardInterrupt instead of recording the event with this number"""

    def __call__(self, event: Event) -> None:
        if len(self.events) == self.interrupt_at:
            self.interrupt_at = -1
            raise KeyboardInterrupt
        self.events.append(event)

    def lines(self, source: str) -> list[str]:
        """The log lines of one source."""
        return [event.text for event in self.events if isinstance(event, Log) and event.source == source]

    def stages(self) -> list[tuple[str, str]]:
        """Each stage with how it ended."""
        ends = [event for event in self.events if isinstance(event, StageChanged)]
        return [(event.stage.value, event.progress.value) for event in ends if event.progress is not Progress.STARTED]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def events() -> RecordedEvents:
    return RecordedEvents()


@pytest.fixture
def parts(seal: dict[str, str], clock: FakeClock, events: RecordedEvents) -> Callable[..., LandingDependencies]:
    """What a landing in a clone works with; further arguments replace parts of it."""

    def build(clone: Clone, **others: Any) -> LandingDependencies:
        git = Repository(GitPythonRunner(seal, clone.path, inherited=inherited_by_git(), interactive=False))
        commands = ProcessRunner(user_command_env(seal))
        usual: dict[str, Any] = {"git": git, "commands": commands, "hooks": commands, "clock": clock, "tell": events}
        return LandingDependencies(**{**usual, "jitter": lambda: 0.5, **others})

    return build


@pytest.fixture
def git_land(parts: Callable[..., LandingDependencies]) -> Callable[..., Verdict]:
    """`git land` in a clone: keywords of Request, `verify` as a string or `how` as it is, and parts."""

    def call(clone: Clone, **given: Any) -> Verdict:
        others = {
            name: given.pop(name)
            for name in ("check_ci", "commands", "find_skip_marker", "follow_up", "queue", "tell")
            if name in given
        }
        verify = given.pop("how", None) or VerifyCommand(given.pop("verify", "true"), "told")
        return land_run.land_branch(LandRequest(verify=verify, **given), parts(clone, **others))

    return call


@pytest.fixture
def server(workshop: ScratchRepositories, seal: dict[str, str]) -> Iterator[GitServer]:
    """The workshop's repository over http."""
    with GitServer(workshop.folder / "srv", seal) as running:
        yield running


@pytest.fixture(autouse=True)
def check_repositories_afterwards(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test: the target was only fast-forwarded, no working tree is dirty, and no temporary file remains."""
    if "workshop" not in request.fixturenames:
        yield
        return
    workshop: ScratchRepositories = request.getfixturevalue("workshop")
    first = workshop.server_commit()
    yield
    last = workshop.server_commit()
    assert workshop.origin.git("merge-base", first, last) == first
    for path in sorted(workshop.folder.glob("*/.git")):
        clone = Clone(path.parent, workshop.environ)
        assert clone.git("status", "--porcelain", "--untracked-files=no") == ""
        assert not list(path.rglob("*.lock.*"))
        assert not list(path.rglob("index.lock"))
        assert [
            left.name
            for left in path.rglob("homelab/*")
            if left.name not in {"land.lock", "trusted", "receipts"}
            and left.relative_to(path).parts[0] not in {"refs", "logs"}  # homelab/revert-SHA is also a branch
        ] == []
        assert [entry for entry in clone.git("worktree", "list").splitlines() if "prunable" in entry] == []
        refs = clone.git("for-each-ref", "--format=%(refname)").splitlines()
        assert [ref for ref in refs if not ref.startswith(("refs/heads/", "refs/remotes/", "refs/tags/"))] == []
