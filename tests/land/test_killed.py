"""SIGKILL at each point of a landing: always the right word about the target, never a lost commit or a half state."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homelab_hooks.demo.workshop import Checkout, Workshop
from homelab_hooks.exits import Exit
from homelab_hooks.land import land
from homelab_hooks.proc import Processes
from homelab_hooks.verdict import Verdict

pytestmark = pytest.mark.slow

Then = Callable[..., Verdict]
DRIVER = Path(__file__).with_name("landing_that_dies.py")
DIE = "kill -9 -$(cat {group})"

BETWEEN = [
    "preflight:done", "fetch:started", "fetch:done", "merge:started", "merge:done", "verify:started",
    "verify:done", "push:started", "push:done", "confirm:started", "confirm:done", "landed", "to take the watching",
]  # fmt: skip
WITHIN = {
    "pre-merge-commit": "ann",
    "commit-msg": "ann",
    "pre-push": "ann",
    "pre-receive": "server",
    "update": "server",
    "post-receive": "server",
}


@pytest.fixture
def killed(workshop: Workshop) -> Callable[..., None]:
    """Run a landing in a process group of its own that is to die."""

    def run(clone: Checkout, *, verify: str = "true", point: str = "never") -> None:
        processes = Processes(workshop.environ)
        done = processes.run([sys.executable, str(DRIVER), str(clone.path), verify, point], cwd=clone.path)
        assert done.code == -signal.SIGKILL, done.err

    return run


@pytest.fixture
def ann(workshop: Workshop) -> Checkout:
    """Has a commit on `topic`; the target has moved."""
    clone, bob = workshop.clone("ann", topic="topic"), workshop.clone("bob")
    clone.commit("a")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "main")
    return clone


def settled(workshop: Workshop, ann: Checkout, start: str, verdict: Verdict) -> None:
    """The word about the target is true, and nothing is half done."""
    there = ann.git("ls-remote", "origin", "refs/heads/main").split()[0]
    theirs = Checkout(workshop.folder / "bob", workshop.environ).head
    assert verdict.exit is Exit.OK
    assert verdict.landed == (there != theirs)
    assert ann.git("merge-base", start, "topic") == start
    if verdict.landed:
        assert (there, ann.head) == (verdict.sha, verdict.sha)
    else:
        assert ann.head == start


@pytest.mark.parametrize("case", [(point, then) for point in BETWEEN for then in (land.proceed, land.abort)])
def test_killed_between_two_effects(
    workshop: Workshop, ann: Checkout, killed: Any, parts: Any, case: tuple[str, Then]
) -> None:  # fmt: skip
    point, then = case
    start = ann.head
    killed(ann, point=point)
    if land.pending(parts(ann).git) is None:
        assert point == "preflight:done"
        return
    settled(workshop, ann, start, then(parts(ann)))


@pytest.mark.parametrize("case", [(hook, then) for hook in WITHIN for then in (land.proceed, land.abort)])
def test_killed_within_an_effect_with_git_and_a_server_on_the_same_machine(
    workshop: Workshop, ann: Checkout, killed: Any, parts: Any, case: tuple[str, Then]
) -> None:  # fmt: skip
    hook, then = case
    start = ann.head
    where = ann.path / ".git/hooks" if WITHIN[hook] == "ann" else workshop.bare / "hooks"
    path = workshop.hook(hook, DIE.format(group=workshop.folder / "group"), where=where)
    killed(ann)
    path.unlink()
    settled(workshop, ann, start, then(parts(ann)))


@pytest.mark.parametrize("then", [land.proceed, land.abort])
def test_killed_while_verifying(workshop: Workshop, ann: Checkout, killed: Any, parts: Any, then: Then) -> None:
    """The verification has a process group of its own: it is ended by itself here."""
    start = ann.head
    killed(ann, verify=f"test -e ../once || {{ touch ../once; {DIE.format(group=workshop.folder / 'group')}; }}")
    settled(workshop, ann, start, then(parts(ann)))


def test_killed_and_then_landed_again_says_how_to_go_on(
    ann: Checkout, killed: Any, git_land: Callable[..., Verdict], parts: Any
) -> None:
    killed(ann, point="push:started")
    verdict = git_land(ann)
    assert (verdict.exit, verdict.landed) == (Exit.REFUSED, False)
    assert "--continue" in verdict.hint
    assert land.proceed(parts(ann)).landed
