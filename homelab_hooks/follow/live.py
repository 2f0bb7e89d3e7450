"""The link that waits until a running service answers with the commit.

Theory of operation.

Each poll is one GET. What it shows is one of:

    ours        the answer names the commit, or a newer one that contains it
    other       the answer names a commit that does not contain ours, or one that is not known here
    nameless    the answer names no commit; statuses of 400 to 499 count as this
    silent      no answer, or a status of 500 and more

The wait succeeds once every poll has shown `ours` through the settle time, the first and the last poll included.
Nothing else ends it before the timeout: a service may be down, then old, then new, in any order, while it is rolled
out. At the timeout the code says what was seen last:

    the last answer named another commit           124
    the last answer named no commit                10
    no answer was ever seen                        9

If it is not the rollout that has run out of time but the call, which another call continues, each of these is 124.

Invariant: a commit that is no longer named within the settle time starts that time again, because several replicas, old
and new, answer in turn behind one address.
"""

from __future__ import annotations

from typing import NamedTuple

from homelab_hooks.events import Waiting
from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.net.live import LiveAnswer, Shown
from homelab_hooks.polling.contact import seconds_to_heartbeat
from homelab_hooks.polling.outcome import Decision, Found, Poll
from homelab_hooks.text.durations import format_duration
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.verdict import Verdict

POLL_INTERVAL_S = 1.0
"""seconds between two requests"""


class LiveLimits(NamedTuple):
    """How long to wait, in seconds."""

    timeout: float
    settle: float
    is_slice: bool = False
    """the timeout ends the call, not the rollout"""


class LiveWait(NamedTuple):
    """The state of the wait; times in seconds of the clock."""

    sha: str
    limits: LiveLimits
    began: float
    url: str = ""
    ours_since: float | None = None
    """when the commit was first named without an interruption since"""
    last: LiveAnswer | None = None
    """the last answer that was not silent; the last silence if there was none"""
    last_event_at: float = 0.0
    verdict: Verdict | None = None


def start_live(sha: str, limits: LiveLimits, *, url: str, now: float) -> LiveWait:
    """Return the initial state; the timeout starts now."""
    return LiveWait(sha, limits, now, url, last_event_at=now)


def decide_live(state: LiveWait, poll: Poll[LiveAnswer], now: float) -> Decision[LiveWait]:
    """Apply one answer, then the timeout."""
    answer = poll.value if isinstance(poll, Found) else LiveAnswer(Shown.SILENT, poll.reason)
    since = (now if state.ours_since is None else state.ours_since) if answer.shown is Shown.OURS else None
    was = state.last.seen if state.last else ""
    is_news = answer.shown is not Shown.SILENT or state.last is None or state.last.shown is Shown.SILENT
    state = state._replace(ours_since=since, last=answer if is_news else state.last)
    if since is not None and now - since >= state.limits.settle:
        return Decision(_settle(state, ExitCode.OK, answer.seen))
    # A settle time that has begun is finished: the service answers with the commit.
    if now - state.began >= state.limits.timeout and since is None:
        return Decision(_expire(state))
    is_due = seconds_to_heartbeat(state.last_event_at, now) <= 0
    events = (Waiting(reason=answer.seen, elapsed=now - state.began),) if answer.seen != was or is_due else ()
    state = state._replace(last_event_at=now) if events else state
    left = since + state.limits.settle - now if since is not None else state.began + state.limits.timeout - now
    return Decision(state, events, max(0.0, min(POLL_INTERVAL_S, left)))


def _expire(state: LiveWait) -> LiveWait:
    """Return the state with the verdict for a timeout, by what was seen last."""
    assert state.last is not None  # noqa: S101 - there was at least one poll
    limits = state.limits
    limit = f" within {format_duration(limits.timeout)}" if limits.timeout else ""
    if limits.is_slice or state.last.shown in {Shown.OURS, Shown.OTHER}:
        reason = f"{short_sha(state.sha)} was not served{limit}: {state.last.seen}"
        return _settle(state, ExitCode.TIMEOUT, reason)
    match state.last.shown:
        case Shown.NAMELESS:
            hint = "let the answer contain the commit, or name the JSON value with #PATH"
            return _settle(state, ExitCode.ROLLOUT_UNPROVEN, state.last.seen, hint)
        case Shown.SILENT:
            reason = f"the service did not answer{limit}: {state.last.seen}"
            return _settle(state, ExitCode.ROLLOUT_FAILED, reason, "check the service, its logs, and its address")


def _settle(state: LiveWait, exit_: ExitCode, reason: str, hint: str = "") -> LiveWait:
    return state._replace(verdict=Verdict(exit=exit_, reason=reason, hint=hint, sha=state.sha, url=state.url))
