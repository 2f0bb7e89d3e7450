"""The queue stage of a landing: polls the pipelines of the target branch, and waits until a push stops none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from homelab_hooks.ci.provider import REQUEST_TIMEOUT_S, StreamNews, Wakes
from homelab_hooks.config.schema import WhenBusy
from homelab_hooks.errors import CommandError
from homelab_hooks.events import LogLevel, Stage
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.land.landing import Landing, QueueMemory
from homelab_hooks.land.queue_decision import TargetTip, select_pushes
from homelab_hooks.land.queue_machine import (
    BranchIsFree,
    BranchObservation,
    NoAnswer,
    PushRefused,
    QueueRequest,
    QueueState,
    StillBusy,
    begin_queue,
    decide_queue,
)
from homelab_hooks.polling.loop import poll_until_decided
from homelab_hooks.polling.outcome import Found, Poll

if TYPE_CHECKING:
    from homelab_hooks.land.request import LandingDependencies, PushQueue

PREFLIGHT_TIMEOUT_S = 10.0
"""seconds for an answer before anything is changed"""
INFORM_TIMEOUT_S = 5.0
"""seconds for an answer that does not decide about the push"""
MIN_RESUME_TIMEOUT_S = 60.0
"""seconds of a --timeout that --continue repeats without a hint: a shorter one would end at once again"""
WITHOUT_WAITING_HINT = "to push without waiting, run git land --continue --when-busy push"


class _TargetPoller:
    """Sends the one request of a poll, and reads from git what the decision about a busy branch needs.

    Args:
        now: returns seconds of the clock.
    """

    def __init__(
        self,
        queue: PushQueue,
        request: QueueRequest,
        memory: QueueMemory,
        landing: PendingPush,
        now: Callable[[], float],
    ) -> None:
        self._queue = queue
        self._request = request
        self._memory = memory
        self._landing = landing
        self._now = now
        self._stream: Wakes | None = None

    def close(self) -> None:
        """Stop listening to the event stream."""
        if self._stream is not None:
            self._stream.close()

    def poll(self, state: QueueState) -> Poll[BranchObservation]:
        """Return the newest push pipelines of the branch; the configuration is evaluated only where it decides."""
        request = self._request
        if state.waiting_for and self._stream is None:
            self._stream = self._queue.open_stream()
        within = INFORM_TIMEOUT_S if request.only_informs else REQUEST_TIMEOUT_S
        answer = self._queue.runs.pipelines(request.branch, within=within)
        if not isinstance(answer, Found):
            return answer
        rows = select_pushes(answer.value, request.branch)
        tip = TargetTip()
        if request.tip and request.tip not in state.appeared | {row.commit for row in rows}:
            tip = self._describe_tip(request.tip)
        running = [row for row in rows if not row.status.is_final]
        news = self._stream.news(tip.sha, frozenset(row.run for row in running)) if self._stream else StreamNews()
        sign = self._find_sign([*(row.commit for row in running), tip.sha])
        return Found(BranchObservation(rows, tip, sign, stream_up=news.is_up))

    def _describe_tip(self, sha: str) -> TargetTip:
        tips = self._memory.tips
        if sha not in tips:
            age_s, reason = self._queue.runs.describe_tip(sha, self._landing.tracking)
            tips[sha] = TargetTip(sha, self._now() - age_s, reason)
        return tips[sha]

    def _find_sign(self, commits: list[str]) -> str:
        request = self._request
        if request.when_busy is not WhenBusy.AUTO or not request.cancels or not any(commits):
            return ""
        return find_sign(self._queue, *commits, self._landing.sha)


class PendingPush(NamedTuple):
    """The commit to push, and the tracking ref of the branch that it is pushed to; empty if not known yet."""

    sha: str = ""
    tracking: str = ""


def find_sign(queue: PushQueue, *commits: str) -> str:
    """Return the first sign that a run of one of these commits depends on the commit before it; empty if none."""
    signs = (queue.runs.find_dependence(sha) for sha in dict.fromkeys(commits) if sha)
    return next(filter(None, signs), "")


def wait_for_turn_to_push(landing: Landing, queue: PushQueue, tip: str, sha: str) -> BranchIsFree | PushRefused:
    """Wait until the push of `sha` stops no pipeline whose work would be lost.

    Args:
        tip: the target's commit that is merged.

    Raises:
        CommandError: the timeout has passed (124), or CI does not respond (8); nothing was landed.
    """
    memory = landing.queue
    if marker := landing.skip_marker(sha):
        return BranchIsFree(f"the message of {sha} contains {marker}, so its push starts no pipeline")
    with landing.stage(Stage.QUEUE) as report:
        request = _make_request(landing, queue, tip)
        pushed = PendingPush(sha, f"refs/remotes/{landing.state.remote}/{landing.state.target}")
        state = _run(landing.dependencies, queue, request, memory, pushed)
        memory.appeared = state.appeared
        result = state.result
        assert result is not None  # noqa: S101 - the loop ends only with a result
        if isinstance(result, StillBusy | NoAnswer):
            raise _queue_error(landing, result)
        if isinstance(result, PushRefused):
            report.mark_failed()
            report.detail = result.reason
        elif result.waited:
            report.detail = f"{landing.upstream} is free"
        elif result.note:
            report.detail = result.note
        else:
            report.detail = f"no pipeline runs on {landing.upstream}"
    if isinstance(result, BranchIsFree) and result.note:
        landing.log(result.note, level=LogLevel.WARNING)
    return result


def _make_request(landing: Landing, queue: PushQueue, tip: str) -> QueueRequest:
    now, memory, state = landing.dependencies.clock.now(), landing.queue, landing.state
    memory.began_at = now if memory.began_at is None else memory.began_at
    return QueueRequest(
        branch=state.target,
        when_busy=queue.when_busy,
        tip=tip,
        cancels=queue.runs.cancels_previous,
        timeout_at=memory.began_at + queue.timeout_s,
        appear_s=queue.appear_s,
        unreachable_s=queue.unreachable_s,
        spread=landing.dependencies.jitter(),
    )


def _run(
    dependencies: LandingDependencies,
    queue: PushQueue,
    request: QueueRequest,
    memory: QueueMemory,
    pushed: PendingPush,
) -> QueueState:
    poller = _TargetPoller(queue, request, memory, pushed, dependencies.clock.now)
    try:
        return poll_until_decided(
            begin_queue(request, dependencies.clock.now(), appeared=memory.appeared),
            fetch=poller.poll,
            decide=decide_queue,
            emit=dependencies.tell,
            clock=dependencies.clock,
        )
    finally:
        poller.close()


def _queue_error(landing: Landing, result: StillBusy | NoAnswer) -> CommandError:
    """Return the error for a wait without a result; what was merged stays, so that --continue waits again."""
    if isinstance(result, StillBusy):
        what = f"timed out waiting to push to {landing.upstream}: {result.reason}"
        queue = landing.dependencies.queue
        is_short = queue is not None and queue.timeout_s < MIN_RESUME_TIMEOUT_S
        hint = f"to wait again, run git land --continue{' --timeout 60m' if is_short else ''}; {WITHOUT_WAITING_HINT}"
        return CommandError(what, hint=hint, exit=ExitCode.TIMEOUT)
    what = f"cannot reach CI to see what runs on {landing.upstream}: {result.reason}"
    hint = f"when CI responds again, run git land --continue; {WITHOUT_WAITING_HINT}"
    return CommandError(what, hint=hint, exit=ExitCode.UNREACHABLE)


def serializes_pushes(landing: Landing, queue: PushQueue) -> bool:
    """Return whether this landing waits for every pipeline of another one, so that a lost race needs no other turn."""
    if queue.when_busy in {WhenBusy.PUSH, WhenBusy.REFUSE}:
        return False
    state = landing.state
    return queue.when_busy is WhenBusy.WAIT or (
        queue.runs.cancels_previous and bool(find_sign(queue, state.pushed_commit, state.target_commit))
    )


def require_free_target(dependencies: LandingDependencies, queue: PushQueue, branch: str) -> None:
    """Raise CommandError (20) if a pipeline runs on the branch; changes nothing."""
    now = dependencies.clock.now()
    request = QueueRequest(
        branch=branch,
        when_busy=queue.when_busy,
        tip="",
        cancels=queue.runs.cancels_previous,
        timeout_at=now + PREFLIGHT_TIMEOUT_S,
        appear_s=0.0,
        unreachable_s=PREFLIGHT_TIMEOUT_S,
    )
    result = _run(dependencies, queue, request, QueueMemory(), PendingPush()).result
    if not isinstance(result, BranchIsFree):
        reason = result.reason if isinstance(result, PushRefused) else "cannot reach CI to see what runs on the target"
        raise CommandError(reason, hint=BUSY_HINT, exit=ExitCode.REFUSED)


BUSY_HINT = "wait for the pipeline to end, then run git land again; or pass --when-busy wait"
