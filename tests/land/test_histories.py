"""Random small histories: whatever two people did, a landing tells the truth and harms nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import event, given, settings, strategies as st

from homelab_hooks.config.schema import Strategy
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.git.environment import user_command_env
from homelab_hooks.git.gitpython import GitPythonRunner
from homelab_hooks.git.repository import Repository
from homelab_hooks.land import run as land_run
from homelab_hooks.land.request import LandingDependencies, LandRequest, VerifyCommand
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories, make_hermetic_env
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.verdict import Verdict
from tests.inherited import inherited_by_git
from tests.support.clock import FakeClock

pytestmark = pytest.mark.slow

Change = tuple[str, str, int]
Step = tuple[str, Change | str]
NAMES = ["README", "x", "y", "deep/z"]
CHANGES = st.tuples(st.sampled_from(["write", "write", "remove", "move"]), st.sampled_from(NAMES), st.integers(0, 3))
STEPS = st.lists(
    st.one_of(st.tuples(st.just("ann"), CHANGES), st.tuples(st.just("bob"), CHANGES), st.just(("ann", "merge"))),
    max_size=6,
)
RACES = st.lists(CHANGES, max_size=2)
RECORD = "git rev-parse HEAD^{tree} >>../verified; git diff --quiet HEAD || exit 9; "


def changed(clone: Clone, change: Change) -> None:
    """Commit one change; one that cannot be made makes an empty commit."""
    kind, name, number = change
    path = clone.path / name
    if kind == "write" or not path.exists():
        clone.write(name, f"{number}\n" * (number + 1))
        clone.git("add", "--", name)
    elif kind == "remove":
        clone.git("rm", "--quiet", "--", name)
    else:
        clone.git("mv", "--force", "--", name, f"{name}-{number}.moved")
    clone.git("commit", "--quiet", "--allow-empty", "-m", f"{kind} {name}")


def pushed(bob: Clone, change: Change) -> None:
    """Bob takes what there is, changes something and pushes it."""
    bob.git("fetch", "--quiet")
    bob.git("reset", "--quiet", "--hard", "origin/main")
    changed(bob, change)
    bob.git("push", "--quiet", "origin", "HEAD:refs/heads/main")


def played(ann: Clone, bob: Clone, steps: list[Step]) -> None:
    """What happened before the landing."""
    for who, what in steps:
        if not isinstance(what, str):
            (changed if who == "ann" else pushed)(ann if who == "ann" else bob, what)
            continue
        ann.git("fetch", "--quiet")
        try:
            ann.git("merge", "--quiet", "--no-edit", "origin/main")
        except RuntimeError:
            ann.git("merge", "--abort")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, first_workshop: Path) -> Callable[[], ScratchRepositories]:
    """A workshop of its own for each history."""

    def make() -> ScratchRepositories:
        folder = tmp_path_factory.mktemp("history")
        shutil.copytree(first_workshop / "srv", folder / "workshop" / "srv")
        return ScratchRepositories(folder / "workshop", make_hermetic_env(os.environ, folder / "home"))

    return make


# hypothesis collects the garbage of earlier tests of the same process: it is shown, but no fault of this test.
@pytest.mark.filterwarnings("default::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=30, derandomize=True)
@given(steps=STEPS, races=RACES, strategy=st.sampled_from(list(Strategy)), good=st.sampled_from([True, True, False]))
def test_whatever_happened_before_and_meanwhile_a_landing_is_true_and_harmless(
    fresh: Callable[[], ScratchRepositories], steps: list[Step], races: list[Change], *,
    strategy: Strategy, good: bool,
) -> None:  # fmt: skip
    workshop = fresh()
    ann, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    played(ann, bob, steps)
    ann.write("untracked", "mine\n")
    start, target, meanwhile = ann.head, workshop.server_commit(), list(races)

    def hook() -> None:
        if meanwhile:
            pushed(bob, meanwhile.pop())

    verdict, parts = landed(workshop, ann, strategy, hook, "true" if good else "false")

    event(f"{strategy}: {verdict.label or verdict.exit.verdict}")
    there = workshop.server_commit()
    assert workshop.origin.git("merge-base", target, there) == target, "only ever fast-forwarded"
    held(workshop, ann, verdict)
    if not verdict.landed and land_run.pending_landing(parts.git) is not None:
        assert land_run.abort_landing(parts).exit is ExitCode.OK
    if not verdict.landed:
        assert ann.head == start or verdict.exit is ExitCode.OK
    assert ann.git("status", "--porcelain") == "?? untracked"
    assert ann.git("branch", "--show-current") == "topic"
    assert workshop.server_commit() == there
    assert sorted(path.name for path in (ann.path / ".git/homelab").glob("*")) in ([], ["land.lock"])


def landed(
    workshop: ScratchRepositories, ann: Clone, strategy: Strategy, hook: Callable[[], None], ends: str
) -> tuple[Verdict, LandingDependencies]:
    """Land, with another's pushes while it is verified."""
    git = Repository(GitPythonRunner(workshop.environ, ann.path, inherited=inherited_by_git(), interactive=False))
    commands = ProcessRunner(user_command_env(workshop.environ))

    def tell(happened: object) -> None:
        if getattr(happened, "source", "") == "verify":
            hook()

    parts = LandingDependencies(
        git=git, commands=commands, hooks=commands, clock=FakeClock(), tell=tell, jitter=lambda: 0.5
    )
    return land_run.land_branch(
        LandRequest(verify=VerifyCommand(RECORD + ends, "told"), strategy=strategy), parts
    ), parts


def held(workshop: ScratchRepositories, ann: Clone, verdict: Verdict) -> None:
    """What is said of the target is true, and what was landed is what was verified."""
    assert verdict.landed in {True, False}
    record = workshop.folder / "verified"
    verified = record.read_text().split() if record.exists() else []
    if verdict.landed:
        assert workshop.origin.git("merge-base", verdict.sha, "main") == verdict.sha
        assert workshop.origin.git("rev-parse", f"{verdict.sha}^{{tree}}") in verified
        assert ann.head == verdict.sha
        assert verdict.exit is ExitCode.OK
    elif verdict.label != "nothing":
        assert verdict.exit in {ExitCode.REFUSED, ExitCode.CONFLICT, ExitCode.VERIFY_FAILED, ExitCode.PUSH_FAILED}
