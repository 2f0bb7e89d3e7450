"""Decides what a caller that follows a commit does about the watchers that its repository has records of.

    newest matching record             decision
    none                               begin
    runs                               attach to it
    died without a result              begin, and say so
    ended with 0, 1, 5, or 9           its result stands
    ended otherwise, not printed yet   its result is printed once
    ended otherwise, printed           begin
    the push did not land              begin

A running watcher counts before one that has ended. 0, 1, 5, and 9 are facts about the commit. The other codes say that
something was not known at that time, so a later call asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from homelab_hooks.exit_codes import ExitCode
from homelab_hooks.hooks.background.chain_key import ChainKey
from homelab_hooks.hooks.background.registry import WatchPhase, WatchRecord

STANDING_EXITS = frozenset({ExitCode.OK, ExitCode.FAILED, ExitCode.CANCELLED, ExitCode.ROLLOUT_FAILED})
"""codes that stay true of a commit until a newer pipeline of it runs"""


class WatchQuery(NamedTuple):
    """What a caller follows."""

    sha: str
    branch: str
    remote: str
    """a name, or a URL without credentials"""
    chain: ChainKey

    def matches(self, record: WatchRecord) -> bool:
        """Return whether the watch follows the same."""
        return self == WatchQuery(record.sha, record.branch, record.remote, record.chain)


class AttachToWatcher(NamedTuple):
    """The watcher runs: replay its events, and follow them."""

    record: WatchRecord


class UseResult(NamedTuple):
    """The watcher has ended: its result is the answer."""

    record: WatchRecord
    is_standing: bool
    """True: until a newer pipeline of the commit runs; False: only for one caller"""


class BeginWatch(NamedTuple):
    """Follow the commit from the start."""

    died: WatchRecord | None = None
    """the watcher that ended without a result"""


Attachment = AttachToWatcher | UseResult | BeginWatch


def decide_attachment(
    records: Sequence[WatchRecord], query: WatchQuery, *, is_running: Callable[[WatchRecord], bool]
) -> Attachment:
    """Return what the caller does, given the records of the commit."""
    matching = sorted((record for record in records if query.matches(record)), key=lambda record: record.began_at)
    running = [record for record in matching if is_running(record)]
    if running:
        return AttachToWatcher(running[-1])
    if not matching:
        return BeginWatch()
    last = matching[-1]
    if last.state is not WatchPhase.ENDED:
        return BeginWatch(died=last if last.state is WatchPhase.WATCHING else None)
    return _decide_ended(last)


def _decide_ended(record: WatchRecord) -> Attachment:
    code = (record.result or {}).get("exit")
    if record.landed is not True or code not in tuple(ExitCode):
        return BeginWatch()
    if code in STANDING_EXITS:
        return UseResult(record, is_standing=True)
    return BeginWatch() if record.delivered else UseResult(record, is_standing=False)


class WatcherState(NamedTuple):
    """What an attached caller sees after it has read all events."""

    has_result: bool
    """whether the last event was the result"""
    is_running: bool
    seconds_left: float | None
    """of the caller's own time; None: unlimited"""


def describe_attached_end(state: WatcherState) -> str:
    """Return how an attached caller ends: `result`, `died`, or `slice`; empty: it waits on.

    A result counts before the caller's time, and a dead watcher before it too: otherwise the next call would find out.

    >>> describe_attached_end(WatcherState(has_result=True, is_running=False, seconds_left=0.0))
    'result'
    >>> describe_attached_end(WatcherState(has_result=False, is_running=True, seconds_left=None))
    ''
    """
    if state.has_result:
        return "result"
    if not state.is_running:
        return "died"
    return "slice" if state.seconds_left is not None and state.seconds_left <= 0 else ""
