"""No sequence of snapshots in which the proven image's pods are not all available, with nothing old left, ends in 0."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from homelab_hooks.config.image_proof import ImageProof, ProofKind
from homelab_hooks.deploy.kubernetes.snapshot import RolloutObservation, Snapshot, WorkloadOnly
from homelab_hooks.deploy.request import Expectation, RolloutTimeouts
from homelab_hooks.deploy.state import RolloutState, start_state
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.kubectl.model import (
    ContainerPhase,
    ContainerState,
    Pod,
    ReplicaCounts,
    Revision,
    RolloutPhase,
    Workload,
    WorkloadTarget,
)
from homelab_hooks.polling.outcome import Denied, Found, NotFound, Poll, Unavailable
from tests.deploy.conftest import SHA, decide, made

TAGS = ("9f2c1a7b", "0aa11bb2", "latest")
INTRUDERS = (
    Pod(name="old-0", uid="old-0", revision="old", ready=True),
    Pod(name="orphan-0", uid="orphan-0", revision="", ready=True),
    Pod(name="slow-0", uid="slow-0", revision="new"),
)
TARGETS = ("shop/web", "shop/sts/web", "shop/ds/web", "shop/ro/web")
PHASES = st.sampled_from(
    [None, None, RolloutPhase(finished=True), RolloutPhase(finished=False), RolloutPhase(finished=True, degraded="bad")]
)


@st.composite
def pods(draw: st.DrawFn) -> Pod:
    """A pod of the new, the old or no revision, in whatever state."""
    name = f"web-{draw(st.integers(0, 5))}"
    phase = draw(st.sampled_from(ContainerPhase))
    state = ContainerState(
        name="app", ready=draw(st.booleans()), restarts=draw(st.integers(0, 2)), phase=phase,
        reason=draw(st.sampled_from(["", "ErrImagePull", "CrashLoopBackOff"])),
        digest=draw(st.sampled_from(["", "sha256:1"])),
    )  # fmt: skip
    return Pod(
        name=name, uid=name, revision=draw(st.sampled_from(["new", "old", ""])), ready=draw(st.booleans()),
        terminating=draw(st.booleans()), finished=draw(st.booleans()), containers=(state,),
    )  # fmt: skip


@st.composite
def liars(draw: st.DrawFn) -> Snapshot:
    """All is done as far as the workload says, and all pods are, but for one more at the most."""
    desired = draw(st.integers(0, 2))
    counts = ReplicaCounts(desired=desired, total=desired, updated=desired, available=desired)
    good = [Pod(name=f"good-{n}", uid=f"good-{n}", revision="new", ready=True) for n in range(desired)]
    more = draw(st.lists(st.one_of(st.sampled_from(INTRUDERS), pods()), max_size=1))
    missing = draw(st.sampled_from([0, 0, 1]))
    workload = Workload(
        uid="u1", generation=2, observed=2, template=made("9f2c1a7b"), counts=counts,
        revision=draw(st.sampled_from(["2", "new"])), phase=draw(PHASES),
    )  # fmt: skip
    return Snapshot(workload=workload, revisions=revisions("0aa11bb2"), pods=(*good[missing:], *more))


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """A workload that says whatever it says, with such pods."""
    small = st.integers(0, 3)
    counts = ReplicaCounts(
        desired=draw(small), total=draw(small), updated=draw(small), available=draw(small), unavailable=draw(small)
    )  # fmt: skip
    workload = Workload(
        uid=draw(st.sampled_from(["u1", "u1", "u1", "u2"])), generation=draw(st.integers(2, 3)),
        observed=draw(st.integers(2, 3)), template=made(draw(st.sampled_from(TAGS))), counts=counts,
        revision=draw(st.sampled_from(["2", "new", "1"])), deleting=draw(st.sampled_from([False, False, True])),
        paused=draw(st.booleans()), progress_deadline_message=draw(st.sampled_from(["", "", "deadline"])),
        phase=draw(PHASES),
    )  # fmt: skip
    alive = {pod.uid: pod for pod in draw(st.lists(pods(), max_size=4))}
    made_of = revisions(draw(st.sampled_from(TAGS)))
    return Snapshot(workload=workload, revisions=made_of, pods=tuple(alive.values()), without_pods=draw(st.booleans()))


def revisions(before: str) -> tuple[Revision, Revision]:
    """The new one, and one of what ran before."""
    return (
        Revision(name="new", uid="r2", number=2, template=made("9f2c1a7b"), hash="new"),
        Revision(name="old", uid="r1", number=1, template=made(before)),
    )


def polls() -> st.SearchStrategy[Poll[RolloutObservation]]:
    """Lies above all: they are what could be taken for done."""
    seen, lies = snapshots().map(Found), liars().map(Found)
    partial = snapshots().map(lambda each: Found(WorkloadOnly(workload=each.workload)))
    other = st.sampled_from([Unavailable("lost"), NotFound("gone"), Denied("no")])
    return st.one_of(lies, lies, lies, lies, seen, partial, other)


def is_done(poll: Poll[RolloutObservation]) -> bool:
    """By a rule of its own: the template is ours, pods enough of it are ready, and no other one lives."""
    if not isinstance(poll, Found) or not isinstance(poll.value, Snapshot) or poll.value.without_pods:
        return False
    workload, alive = poll.value.workload, [pod for pod in poll.value.pods if not pod.terminating and not pod.finished]
    ours = workload.template == made("9f2c1a7b")
    return (
        ours
        and (workload.phase is None or workload.phase.finished)
        and len(alive) >= max(1, workload.counts.desired)
        and all(pod.ready and pod.revision == "new" for pod in alive)
    )


@pytest.mark.slow
@settings(max_examples=800)
@given(
    target=st.sampled_from(TARGETS), settle=st.sampled_from([0.0, 5.0]),
    history=st.lists(st.tuples(st.sampled_from([0.1, 1.0, 5.0, 30.0]), polls()), max_size=8),
)  # fmt: skip
def test_no_history_without_all_pods_new_and_available_ends_in_0(
    target: str, settle: float, history: Sequence[tuple[float, Poll[RolloutObservation]]]
) -> None:
    """Whatever else is seen: the poll that ends in 0 is one at which it is done."""
    state, now = waiting(target, settle), 0.0
    for pause, poll in history:
        now += pause
        state = decide(state, poll, now).state
        if state.outcome is not None:
            assert is_done(poll) or state.outcome.exit is not ExitCode.OK
            return


def waiting(target: str, settle: float) -> RolloutState:
    timeouts = RolloutTimeouts(rollout_timeout=200.0, settle=settle, unreachable_timeout=60.0)
    return start_state(
        WorkloadTarget.parse(target), Expectation(sha=SHA, proof=ImageProof(ProofKind.TAG)), timeouts, now=0.0
    )


def test_a_history_that_is_done_does_end_in_0(snapshot: Callable[..., Any]) -> None:
    """So that the property above says something."""
    whole = snapshot()
    pods_ = tuple(replace(pod, revision="new") for pod in whole.pods)
    renamed = (replace(whole.revisions[0], name="new"), whole.revisions[1])
    poll = Found(replace(whole, revisions=renamed, pods=pods_))
    assert is_done(poll)
    outcome = decide(waiting("shop/web", 0.0), poll, 1.0).state.outcome
    assert outcome is not None
    assert outcome.exit is ExitCode.OK
