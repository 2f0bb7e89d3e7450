"""Another developer pushes at each point of a landing: it lands what was verified, or says truthfully that it did not.

`pytest -s tests/land/test_races.py` prints the matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from homelab_hooks.config.schema import Strategy
from homelab_hooks.events import Event, StageChanged
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.land.request import LandRequest, VerifyCommand
from homelab_hooks.simulators.git_http import GitServer
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict

FAST = {"verify:started", "pre-push"}
TOLD = [
    "fetch:started", "fetch:done", "merge:started", "merge:done", "verify:started", "verify:done", "push:started",
    "push:done", "confirm:started", "confirm:done",
]  # fmt: skip
HOOKS = {
    "pre-merge-commit": "ann", "commit-msg": "ann", "pre-push": "ann", "pre-receive": "server", "update": "server",
    "post-receive": "server",
}  # fmt: skip
WAYS = [Strategy.MERGE, Strategy.REBASE]
VERIFY = "git rev-parse HEAD^{tree} >>../verified"
# What git sets for a hook would lead the other push astray.
PUSH = 'env -i PATH="$PATH" HOME="$HOME" git -C {0}/bob push --quiet origin main'


@pytest.fixture(scope="module")
def matrix() -> Iterator[dict[str, str]]:
    """How each race ended, by the point at which the other push came."""
    rows: dict[str, str] = {}
    yield rows
    print("\n| another push at | landed after |\n|---|---|")  # noqa: T201 - for a run with -s
    print("\n".join(f"| {point} | {ended} |" for point, ended in rows.items()))  # noqa: T201 - the same


@pytest.fixture
def bob(workshop: ScratchRepositories) -> Clone:
    """Has already moved the target once, so that there is something to merge, and has another commit to push."""
    clone = workshop.clone("bob")
    clone.commit("b")
    clone.git("push", "--quiet", "origin", "main")
    clone.commit("b2")
    return clone


@pytest.fixture
def ann(workshop: ScratchRepositories, bob: Clone) -> Clone:
    """On `topic`, which began before any of Bob's."""
    assert bob.path.exists()
    clone = workshop.clone("ann")
    clone.git("switch", "--quiet", "-c", "topic", "HEAD^")
    clone.commit("a")
    return clone


def held(workshop: ScratchRepositories, ann: Clone, bob: Clone, verdict: Verdict) -> None:
    """It is landed, both are on the target, and what is there was verified as it is."""
    assert (verdict.exit, verdict.landed) == (ExitCode.OK, True), verdict.reason
    for sha in (verdict.sha, bob.head):
        assert workshop.origin.git("merge-base", sha, "main") == sha
    verified = (workshop.folder / "verified").read_text().split()
    assert workshop.origin.git("rev-parse", f"{verdict.sha}^{{tree}}") in verified
    assert ann.head == verdict.sha


def rounds(events: Any) -> str:
    pushes = [stage for stage, _ in events.stages()].count("push")
    return "1 push" if pushes == 1 else f"{pushes} pushes"


CASES = [
    pytest.param(point, strategy, marks=[] if point in FAST and strategy is Strategy.MERGE else pytest.mark.slow)
    for strategy in WAYS
    for point in (*TOLD, *HOOKS)
]


@pytest.mark.parametrize(("point", "strategy"), CASES)
def test_another_push_at_any_point_ends_in_a_landing_of_what_was_verified(
    workshop: ScratchRepositories, ann: Clone, bob: Clone, *, parts: Any, events: Any, matrix: dict[str, str],
    point: str, strategy: Strategy,
) -> None:  # fmt: skip
    """A push at `post-receive` or later builds upon ours only if it can; here it cannot, and ours stays landed."""
    once = workshop.folder / "once"
    if point in HOOKS:
        where = ann.path / ".git/hooks" if HOOKS[point] == "ann" else workshop.bare_path / "hooks"
        script = f"cd {workshop.folder}; test -e once || {{ touch once; {PUSH.format(workshop.folder)}; }}; exit 0"
        workshop.write_hook(point, script, where=where)

    def tell(event: Event) -> None:
        events(event)
        if isinstance(event, StageChanged) and f"{event.stage}:{event.progress}" == point and not once.exists():
            once.touch()
            pushed(bob)

    verdict = land_run.land_branch(
        LandRequest(verify=VerifyCommand(VERIFY, "told"), strategy=strategy), parts(ann, tell=tell)
    )

    if point in HOOKS and not once.exists():
        assert strategy is Strategy.REBASE, "a rebase makes no merge commit"
        return
    ended = rounds(events)
    pushed(bob, after="pull")
    held(workshop, ann, bob, verdict)
    matrix[f"{point}, {strategy}"] = ended


def pushed(bob: Clone, *, after: str = "") -> None:
    """Push what Bob has; where the target has moved that fails, and he pulls first if told."""
    try:
        if after:
            bob.git("pull", "--quiet", "--no-rebase", "--no-edit")
        bob.git("push", "--quiet", "origin", "main")
    except RuntimeError as refused:
        assert "rejected" in str(refused)  # noqa: PT017 - this push lost its own race, which is not a failure


@pytest.mark.slow
def test_over_http_another_push_between_the_advertisement_and_ours_is_a_lost_race(
    workshop: ScratchRepositories, server: GitServer, ann: Clone, bob: Clone, *, parts: Any, events: Any
) -> None:
    ann.git("remote", "set-url", "origin", f"{server.url}/acme/app.git")

    def meanwhile() -> None:
        server.plan.before_push = None
        bob.git("push", "--quiet", "origin", "main")

    server.plan.before_push = meanwhile
    verdict = land_run.land_branch(LandRequest(verify=VerifyCommand(VERIFY, "told")), parts(ann))
    held(workshop, ann, bob, verdict)
    assert rounds(events) == "2 pushes"


@pytest.mark.slow
def test_with_a_fast_forward_only_a_lost_race_is_said_and_nothing_has_moved(
    workshop: ScratchRepositories, ann: Clone, bob: Clone, parts: Any
) -> None:
    ann.git("reset", "--quiet", "--hard", "origin/main")
    start = ann.commit("a")
    race = f"{VERIFY}; {PUSH.format('..')}"
    verdict = land_run.land_branch(
        LandRequest(verify=VerifyCommand(race, "told"), strategy=Strategy.FF_ONLY), parts(ann)
    )
    assert (verdict.exit, verdict.landed, ann.head) == (ExitCode.CONFLICT, False, start)
    assert workshop.server_commit() == bob.head
