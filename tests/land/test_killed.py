"""SIGKILL at each point of a landing: always the right word about the target, never a lost commit or a half state.

`pytest -s tests/land/test_killed.py` prints the matrix.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.config.schema import Strategy
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.system.clock import SystemClock
from homelab_hooks.system.process_runner import ProcessRunner
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow

Then = Callable[..., Verdict]
DRIVER = Path(__file__).with_name("landing_that_dies.py")
ALL_DIE = "kill -9 -$(cat {0}/group)"
ONLY_WE_DIE = "kill -9 $(cat {0}/leader)"

BETWEEN = [
    "preflight:done", "fetch:started", "fetch:done", "merge:started", "merge:done", "verify:started",
    "verify:done", "push:started", "push:done", "confirm:started", "confirm:done", "landed", "to resume",
]  # fmt: skip
WITHIN = {
    "pre-merge-commit": "ann",
    "commit-msg": "ann",
    "post-merge": "ann",
    "pre-push": "ann",
    "pre-receive": "server",
    "update": "server",
    "post-receive": "server",
}
THEN: list[Then] = [land_run.continue_landing, land_run.abort_landing]
BOTH = pytest.mark.parametrize("then", THEN)


class KillMatrix:
    """What became of each landing that was killed."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, str]] = {}

    def add(self, point: str, then: Then, found: str) -> None:
        """One square."""
        self.rows.setdefault(point, {})[then.__name__] = found

    def __str__(self) -> str:
        ends = {"proceed": "--continue", "abort": "--abort"}
        lines = [f"| killed at | {' | '.join(ends.values())} |", "|---|---|---|"]
        for point, found in self.rows.items():
            lines.append(f"| {point} | {' | '.join(found.get(name, '') for name in ends)} |")
        return "\n".join(lines)


@pytest.fixture(scope="session")
def matrix() -> Iterator[KillMatrix]:
    made = KillMatrix()
    yield made
    print(f"\n{made}")  # noqa: T201 - the table is for a run with -s


@pytest.fixture
def killed(workshop: ScratchRepositories) -> Callable[..., None]:
    """Run a landing in a process group of its own that is to die."""

    def run(clone: Clone, *, verify: str = "true", strategy: str = "merge", point: str = "never") -> None:
        argv = [sys.executable, str(DRIVER), str(clone.path), verify, strategy, point]
        done = ProcessRunner(workshop.environ).run(argv, cwd=clone.path)
        assert done.code == -signal.SIGKILL, done.err

    return run


@pytest.fixture
def ann(workshop: ScratchRepositories) -> Clone:
    """Has a commit on `topic`; the target has moved, with a changed file and new ones before and after it."""
    clone, bob = workshop.clone("ann", branch="topic"), workshop.clone("bob")
    clone.commit("a")
    bob.commit("b")
    bob.commit("README", "theirs\n")
    bob.commit("z")
    bob.git("push", "--quiet", "origin", "main")
    return clone


def settled(workshop: ScratchRepositories, ann: Clone, start: str, verdict: Verdict) -> str:
    """The word about the target is true, and nothing is half done; how it stands."""
    there = ann.git("ls-remote", "origin", "refs/heads/main").split()[0]
    theirs = Clone(workshop.folder / "bob", workshop.environ).head
    assert verdict.exit is ExitCode.OK, verdict.reason
    assert verdict.landed == (there != theirs)
    assert ann.git("show", "topic:a") == "a"
    if verdict.landed:
        assert (there, ann.head) == (verdict.sha, verdict.sha)
    else:
        assert ann.head == start
    assert ann.git("status", "--porcelain") == ""
    return "landed" if verdict.landed else "not landed, branch and files as before"


@pytest.mark.parametrize("case", [(point, then) for point in BETWEEN for then in THEN])
def test_killed_between_two_effects(
    workshop: ScratchRepositories, ann: Clone, *, killed: Any, parts: Any, case: tuple[str, Then], matrix: KillMatrix
) -> None:  # fmt: skip
    point, then = case
    start = ann.head
    killed(ann, point=point)
    if land_run.pending_landing(parts(ann).git) is None:
        assert point == "preflight:done"
        matrix.add(point, then, "nothing had begun")
        return
    matrix.add(point, then, settled(workshop, ann, start, then(parts(ann))))


@pytest.mark.parametrize("case", [(hook, then) for hook in WITHIN for then in THEN])
def test_killed_within_an_effect_with_git_and_a_server_on_the_same_machine(
    workshop: ScratchRepositories, ann: Clone, *, killed: Any, parts: Any, case: tuple[str, Then], matrix: KillMatrix
) -> None:  # fmt: skip
    hook, then = case
    start = ann.head
    where = ann.path / ".git/hooks" if WITHIN[hook] == "ann" else workshop.bare_path / "hooks"
    path = workshop.write_hook(hook, ALL_DIE.format(workshop.folder), where=where)
    killed(ann)
    path.unlink()
    matrix.add(f"within {hook}", then, settled(workshop, ann, start, then(parts(ann))))


@pytest.mark.parametrize("hook", ["post-checkout", "post-rewrite"])
@BOTH
def test_killed_within_a_rebase(
    workshop: ScratchRepositories, ann: Clone, *, killed: Any, parts: Any, then: Then, matrix: KillMatrix, hook: str
) -> None:  # fmt: skip
    """Before the first commit is applied, and after the branch has moved: git's files of the rebase are still there."""
    start = ann.head
    script = ALL_DIE.format(workshop.folder)
    path = workshop.write_hook(hook, script, where=ann.path / ".git/hooks")
    killed(ann, strategy=Strategy.REBASE)
    path.unlink()
    matrix.add(f"within {hook}", then, settled(workshop, ann, start, then(parts(ann))))


@pytest.mark.parametrize(
    ("strategy", "hook"), [(Strategy.MERGE, "pre-merge-commit"), (Strategy.REBASE, "post-checkout")]
)
@BOTH
def test_a_merge_that_outlives_its_landing_is_waited_for(
    workshop: ScratchRepositories, ann: Clone, *, killed: Any, parts: Any, then: Then, matrix: KillMatrix,
    strategy: Strategy, hook: str,
) -> None:  # fmt: skip
    """Only our own process is killed; git continues, and would move the branch after it was reset."""
    start = ann.head
    wait = "while ! test -e {0}/go; do sleep 0.02; done"
    script = f"mkdir {{0}}/once 2>/dev/null || exit 0; {ONLY_WE_DIE}; {wait}"
    workshop.write_hook(hook, script.format(workshop.folder), where=ann.path / ".git/hooks")
    killed(ann, strategy=strategy)

    try:
        stuck = then(parts(ann))
        assert (stuck.exit, stuck.landed) == (ExitCode.REFUSED, False)
        assert "is still running (pid " in stuck.reason
    finally:
        (workshop.folder / "go").touch()
    found = settled(workshop, ann, start, then(parts(ann, clock=SystemClock())))
    matrix.add(f"within {hook}, which continues alone", then, f"waits for it, then {found}")


@BOTH
def test_killed_while_verifying(
    workshop: ScratchRepositories, ann: Clone, *, killed: Any, parts: Any, then: Then, matrix: KillMatrix
) -> None:  # fmt: skip
    """The verification has a process group of its own: it is ended by itself here."""
    start = ann.head
    killed(ann, verify=f"test -e ../once || {{ touch ../once; {ALL_DIE.format(workshop.folder)}; }}")
    matrix.add("within the verification", then, settled(workshop, ann, start, then(parts(ann))))


@pytest.mark.parametrize("strategy", [Strategy.MERGE, Strategy.REBASE])
@pytest.mark.parametrize("name", ["README", "z"])
@BOTH
def test_killed_while_git_writes_the_work_tree(
    workshop: ScratchRepositories, ann: Clone, *, killed: Any, parts: Any, then: Then, matrix: KillMatrix, name: str,
    strategy: Strategy,
) -> None:  # fmt: skip
    """Git leaves its lock and some of the target's files; the user need not remove them by hand."""
    start = ann.head
    ann.write(".git/info/attributes", f"{name} filter=deadly\n")
    ann.git("config", "filter.deadly.smudge", f"{ALL_DIE.format(workshop.folder)}; cat")
    killed(ann, strategy=strategy)
    ann.git("config", "--unset", "filter.deadly.smudge")

    lock = ann.path / ".git/index.lock"
    for verdict in (land_run.continue_landing(parts(ann)), land_run.abort_landing(parts(ann))):
        assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
        assert str(lock) in verdict.reason
        assert "remove the lock file" in verdict.hint
    lock.unlink()
    found = settled(workshop, ann, start, then(parts(ann)))
    matrix.add(f"within {strategy}, writing {name}", then, f"names the lock that git left; without it {found}")


@BOTH
def test_a_push_that_outlives_its_landing_is_waited_for(
    workshop: ScratchRepositories, ann: Clone, *, killed: Any, parts: Any, then: Then, matrix: KillMatrix
) -> None:  # fmt: skip
    """Only our own process is killed; git continues, and the commit arrives after the server was queried."""
    start = ann.head
    wait = "while ! test -e {0}/go; do sleep 0.02; done"
    script = f"test -e {{0}}/go || {{{{ {ONLY_WE_DIE}; {wait}; }}}}"
    workshop.write_hook("pre-push", script.format(workshop.folder), where=ann.path / ".git/hooks")
    killed(ann)
    before = workshop.server_commit()

    stuck = then(parts(ann))
    assert (stuck.exit, stuck.landed, workshop.server_commit()) == (ExitCode.UNREACHABLE, None, before)
    assert "is still running (pid " in stuck.reason

    (workshop.folder / "go").touch()
    verdict = then(parts(ann, clock=SystemClock()))
    assert verdict.landed, "the push that outlived us has landed it"
    found = settled(workshop, ann, start, verdict)
    matrix.add("within the push, which continues alone", then, f"waits for it, then {found}")


@BOTH
def test_a_server_that_works_on_after_its_client_was_killed_is_asked_twice(
    workshop: ScratchRepositories, ann: Clone, *, killed: Any, parts: Any, then: Then, matrix: KillMatrix, clock: Any
) -> None:  # fmt: skip
    """The first answer is no, the second yes: only then is anything said."""
    start = ann.head
    killed(ann, point="verify:done")
    candidate = ann.head
    state = land_run.pending_landing(parts(ann).git)
    assert state is not None
    ann.git("update-ref", "refs/keep/candidate", candidate)
    killed_in_push(ann, candidate)
    clock.while_asleep = lambda: ann.git("push", "--quiet", "origin", f"{candidate}:refs/heads/main")
    verdict = then(parts(ann))
    assert verdict.landed
    ann.git("update-ref", "-d", "refs/keep/candidate")
    matrix.add(
        "within the push, the server is slow", then, f"asks twice, then {settled(workshop, ann, start, verdict)}"
    )


def killed_in_push(ann: Clone, candidate: str) -> None:
    """Make the state of a landing what it is while a push runs."""
    path = ann.path / ".git/homelab/land.json"
    text = path.read_text().replace('"pushed_commit": ""', f'"pushed_commit": "{candidate}"')
    path.write_text(text.replace('"push_unconfirmed": false', '"push_unconfirmed": true'))


def test_killed_and_then_landed_again_says_how_to_resume(
    ann: Clone, killed: Any, git_land: Callable[..., Verdict], parts: Any
) -> None:
    killed(ann, point="push:started")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (ExitCode.REFUSED, False)
    assert "--continue" in verdict.hint
    assert land_run.continue_landing(parts(ann)).landed
