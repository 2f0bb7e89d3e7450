"""Landings on a branch on which pipelines run: real repositories, a scripted list of pipelines, a fake clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest

from homelab_hooks.ci.model import Pipeline, RunRef, Status
from homelab_hooks.ci.provider import StreamNews
from homelab_hooks.config.schema import WhenBusy
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land import run as land_run
from homelab_hooks.land.interrupt import interrupt_verdict
from homelab_hooks.land.landed import Landed
from homelab_hooks.land.request import LandingDependencies, PushQueue
from homelab_hooks.polling.outcome import Found, Poll, Unavailable
from homelab_hooks.simulators.repositories import Clone, ScratchRepositories
from homelab_hooks.verdict import Verdict
from tests.land.conftest import RecordedEvents
from tests.land.test_queue_decision import row

Land = Callable[..., Verdict]
Answer = Poll[tuple[Pipeline, ...]] | Callable[[], None]
BUSY = Found((row(141),))
FREE = Found((row(141, Status.SUCCESS),))


class ScriptedPipelines:
    """Answers one poll after the other from a script, and the last answer for ever; every run has a sign."""

    cancels_previous = True

    def __init__(self, answers: Iterable[Answer], *, tip: tuple[float, str] = (3600.0, "")) -> None:
        self._answers: Iterator[Answer] = iter(answers)
        self._last: Answer = FREE
        self._tip = tip
        self.polls = 0

    def pipelines(self, branch: str, *, within: float) -> Poll[tuple[Pipeline, ...]]:
        assert (branch, within > 0) == ("main", True)
        self.polls += 1
        self._last = next(self._answers, self._last)
        if callable(self._last):
            self._last()
            return FREE
        return self._last

    def find_dependence(self, sha: str) -> str:
        return f"{sha[:4]} has a sign"

    def describe_tip(self, sha: str, tracking: str) -> tuple[float, str]:
        assert (len(sha), tracking) == (40, "refs/remotes/origin/main")
        return self._tip


class RecordedWakes:
    """An event stream that is never up."""

    def __init__(self) -> None:
        self.runs: list[set[RunRef]] = []
        self.closed = False

    def news(self, sha: str, runs: frozenset[RunRef]) -> StreamNews:
        assert len(sha) == 40
        self.runs.append(set(runs))
        return StreamNews()

    def close(self) -> None:
        self.closed = True


def queue(*answers: Answer, when_busy: WhenBusy = WhenBusy.WAIT, timeout_s: float = 3600.0) -> PushQueue:
    return PushQueue(runs=ScriptedPipelines(answers), when_busy=when_busy, timeout_s=timeout_s)


def test_a_landing_that_waited_fetches_merges_and_verifies_again(
    workshop: ScratchRepositories, ann: Clone, git_land: Land, events: RecordedEvents
) -> None:
    """What another landing pushed in the meantime is merged, and the new tree is verified."""
    bob = workshop.clone("bob")

    def push_as_bob() -> None:
        bob.commit("b")
        bob.git("push", "--quiet", "origin", "HEAD:main")

    done = git_land(ann, queue=queue(BUSY, BUSY, push_as_bob, FREE), follow_up=None)
    assert (done.exit, done.landed) == (ExitCode.OK, True)
    assert set(workshop.origin.git("ls-tree", "--name-only", "main").splitlines()) >= {"a", "b"}
    assert [stage for stage, _ in events.stages()] == [
        *("preflight", "fetch", "merge", "verify", "queue"),
        *("fetch", "merge", "verify", "queue", "push", "confirm"),
    ]


@pytest.mark.slow
def test_a_round_that_waited_uses_up_no_attempt(
    workshop: ScratchRepositories, ann: Clone, git_land: Land, events: RecordedEvents
) -> None:
    """Ten times the branch is free, another landing pushes first, and its pipeline is waited for."""
    bob = workshop.clone("bob")
    pushes = iter(range(10))

    def overtake(event: object) -> None:
        events.events.append(event)  # type: ignore[arg-type]  # events only
        if events.stages()[-1:] == [("queue", "done")] and (n := next(pushes, None)) is not None:
            bob.git("pull", "--quiet", "origin", "main")
            bob.commit(f"b{n}")
            bob.git("push", "--quiet", "origin", "HEAD:main")

    answers = [answer for _ in range(11) for answer in (FREE, BUSY, FREE)]
    done = git_land(ann, queue=queue(*answers), tell=overtake, max_retries=1)
    assert (done.exit, done.landed) == (ExitCode.OK, True)


def test_what_the_user_changes_during_the_wait_is_not_landed(
    workshop: ScratchRepositories, ann: Clone, git_land: Land, parts: Callable[..., LandingDependencies]
) -> None:
    before, head = workshop.server_commit(), ann.head

    def commit() -> None:
        ann.commit("unfinished")

    done = git_land(ann, queue=queue(BUSY, commit, FREE))
    assert (done.exit, done.landed, workshop.server_commit()) == (ExitCode.VERIFY_FAILED, False, before)
    assert done.reason.startswith(f"HEAD moved from {head[:10]} to ")
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK


def test_only_a_landing_that_waits_listens_to_the_event_stream(
    workshop: ScratchRepositories, ann: Clone, git_land: Land
) -> None:
    """It names the pipelines that it waits for, and closes the stream."""
    opened: list[RecordedWakes] = []

    def open_stream() -> RecordedWakes:
        opened.append(RecordedWakes())
        return opened[-1]

    before = workshop.server_commit()
    done = git_land(ann, queue=queue(FREE)._replace(open_stream=open_stream))
    assert (done.landed, opened) == (True, [])
    ann.commit("second")
    done = git_land(ann, queue=queue(BUSY, BUSY, FREE)._replace(open_stream=open_stream))
    assert done.landed
    assert before != workshop.server_commit()
    assert [(wakes.runs, wakes.closed) for wakes in opened] == [([{row(141).run}, set()], True)]


@pytest.mark.parametrize("merges", [True, False])
def test_a_branch_that_stays_busy_ends_with_124_and_can_be_continued(
    workshop: ScratchRepositories,
    ann: Clone,
    git_land: Land,
    parts: Callable[..., LandingDependencies],
    merges: bool,  # noqa: FBT001 - with and without a merge commit
) -> None:
    if merges:
        bob = workshop.clone("bob")
        bob.commit("b")
        bob.git("push", "--quiet", "origin", "HEAD:main")
    done = git_land(ann, queue=queue(BUSY, timeout_s=60.0))
    assert (done.exit, done.landed) == (ExitCode.TIMEOUT, False)
    assert done.reason == "timed out waiting to push to origin/main: #141 of aaaaaaaaaa by bob (running)"
    assert "git land --continue --when-busy push" in done.hint
    again = land_run.continue_landing(parts(ann, queue=queue(BUSY, when_busy=WhenBusy.PUSH)))
    assert (again.exit, again.landed) == (ExitCode.OK, True)


def test_ci_that_does_not_respond_ends_with_8_and_nothing_landed(
    workshop: ScratchRepositories, ann: Clone, git_land: Land, parts: Callable[..., LandingDependencies]
) -> None:
    before = workshop.server_commit()
    done = git_land(ann, queue=queue(Unavailable("connection refused")))
    assert (done.exit, done.landed, workshop.server_commit()) == (ExitCode.UNREACHABLE, False, before)
    assert done.reason == "cannot reach CI to see what runs on origin/main: connection refused"
    assert land_run.abort_landing(parts(ann)).exit is ExitCode.OK


@pytest.mark.parametrize(
    ("when_busy", "text"),
    [
        (WhenBusy.WAIT, "would wait for #141 of aaaaaaaaaa by bob (running)"),
        (WhenBusy.PUSH, "main is busy: #141 of aaaaaaaaaa by bob (running); CI will cancel it"),
    ],
)
def test_a_dry_run_prints_what_runs_on_the_target(
    ann: Clone, git_land: Land, events: RecordedEvents, when_busy: WhenBusy, text: str
) -> None:
    git_land(ann, queue=queue(BUSY, when_busy=when_busy), dry_run=True)
    assert text in events.lines("homelab")


def test_refuse_looks_in_the_preflight_and_changes_nothing(
    workshop: ScratchRepositories, ann: Clone, git_land: Land, events: RecordedEvents
) -> None:
    head, before = ann.git("rev-parse", "HEAD"), workshop.server_commit()
    done = git_land(ann, queue=queue(BUSY, when_busy=WhenBusy.REFUSE))
    assert (done.exit, done.landed, done.reason) == (
        ExitCode.REFUSED, False, "main is busy: #141 of aaaaaaaaaa by bob (running)",
    )  # fmt: skip
    assert [stage for stage, _ in events.stages()] == ["preflight"]
    assert (ann.git("rev-parse", "HEAD"), workshop.server_commit()) == (head, before)


def test_refuse_takes_the_merge_back_if_a_pipeline_began_later(
    workshop: ScratchRepositories, ann: Clone, git_land: Land
) -> None:
    bob = workshop.clone("bob")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "HEAD:main")
    head = ann.git("rev-parse", "HEAD")
    done = git_land(ann, queue=queue(FREE, BUSY, when_busy=WhenBusy.REFUSE))
    assert (done.exit, done.landed) == (ExitCode.REFUSED, False)
    assert "git land again" in done.hint
    assert ann.git("rev-parse", "HEAD") == head


def test_ctrl_c_during_the_wait_lands_nothing(
    workshop: ScratchRepositories, ann: Clone, git_land: Land, parts: Callable[..., LandingDependencies]
) -> None:
    before = workshop.server_commit()

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        git_land(ann, queue=queue(BUSY, BUSY, interrupt))
    found = interrupt_verdict(parts(ann).git)
    assert (found.exit, found.landed, workshop.server_commit()) == (ExitCode.INTERRUPTED, False, before)
    assert found.reason == "interrupted while waiting to push to main"
    again = land_run.continue_landing(parts(ann, queue=queue(FREE)))
    assert again.landed


@pytest.mark.parametrize("settings", [{}, {"strategy": "rebase"}])
def test_a_skip_marker_is_reported_before_the_push_and_nothing_is_waited_for(
    ann: Clone, git_land: Land, events: RecordedEvents, settings: dict[str, str]
) -> None:
    """Such a push starts no pipeline, so it cancels none either."""
    ann.commit("c", message="a change [skip ci]")
    runs = queue(BUSY)

    def never(landed: Landed) -> Verdict:
        raise AssertionError(landed)

    def find(message: str) -> str:
        return "[skip ci]" if "[skip ci]" in message else ""

    done = git_land(ann, queue=runs, find_skip_marker=find, follow_up=never, **settings)
    assert (done.exit, done.label, done.landed) == (ExitCode.OK, "skipped", True)
    assert "queue" not in [stage for stage, _ in events.stages()]
    texts = events.lines("homelab")
    told = [number for number, text in enumerate(texts) if "contains [skip ci]: CI will skip this push" in text]
    assert told
    assert told[0] < next(number for number, text in enumerate(texts) if text.startswith("landed "))


def test_only_the_message_of_the_pushed_commit_counts_as_a_skip_marker(
    workshop: ScratchRepositories, ann: Clone, git_land: Land
) -> None:
    """The merge commit is pushed, and its message has none."""
    bob = workshop.clone("bob")
    bob.commit("b")
    bob.git("push", "--quiet", "origin", "HEAD:main")
    ann.commit("c", message="a change [skip ci]")
    done = git_land(
        ann,
        find_skip_marker=lambda message: "[skip ci]" if "[skip ci]" in message else "",
        follow_up=lambda landed: Verdict(exit=ExitCode.OK, label="passed", sha=landed.sha),
    )
    assert done.label == "passed"
