"""What a watch knows: its scope, the pipelines it follows, its patience, and what it wants to see next."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, QueueInfo, RunRef, Status
from homelab_hooks.git.containment import Containment
from homelab_hooks.polling.contact import Contact
from homelab_hooks.verdict import Verdict

LIST_NOT_READ_NUMBER = 2**62
"""`complete_down_to` of an observation that says nothing about the list: higher than every number"""
NO_CONTAINMENT: Mapping[str, Containment] = MappingProxyType({})


class WatchScope(NamedTuple):
    """Which pipelines decide about a commit (contract, section 5)."""

    sha: str
    events: frozenset[str]
    """the events whose pipelines decide"""
    branch: str = ""
    """only this branch decides; for a landing, the target"""
    ref: str = ""
    """only this ref decides; for a tag, refs/tags/NAME"""

    def decides(self, pipeline: Pipeline) -> bool:
        """Whether this pipeline would decide, its commit aside."""
        return (
            pipeline.event in self.events
            and (not self.branch or pipeline.branch == self.branch)
            and (not self.ref or pipeline.ref == self.ref)
        )


class WatchTimeouts(NamedTuple):
    """How long to wait, in seconds."""

    overall: float = 3600.0
    appear: float = 120.0
    unreachable: float = 180.0
    one_poll: bool = False
    """one look is enough: what is undecided then stays so"""


class CiObservation(NamedTuple):
    """What one look saw.

    `rows` are complete from the newest number down to `complete_down_to`; a known number at or above it that is not
    there is gone.
    """

    rows: tuple[Pipeline, ...] = ()
    complete_down_to: int = 0
    details: tuple[Pipeline, ...] = ()
    containment: Mapping[str, Containment] = NO_CONTAINMENT
    queue: QueueInfo | None = None
    repo_active: bool = True
    """the repository is activated in CI"""
    wall_time: float = 0.0
    """unix seconds at the look, to compare with the server's own times; wrong clocks change the pace only"""
    stream_up: bool = False
    """the event stream is up"""
    stream_changed: bool = False
    """the stream said that something of ours changed"""
    stream_ended: bool = False
    """the stream said that every step has ended"""


class CiQuery(NamedTuple):
    """What the next look should bring besides the newest rows."""

    down_to: int = 0
    """rows down to this number; 0: as far down as the commit may be"""
    detail_only_of: RunRef | None = None
    """only the detail of this pipeline, unless it shows that something changed; None: a full poll"""
    details: tuple[RunRef, ...] = ()
    commits: tuple[str, ...] = ()
    """of each: does it contain ours?"""
    queue: bool = False


class PipelineTrack(NamedTuple):
    """A group of pipelines and its newest one; restarts and superseding pipelines take its place."""

    group: Hashable
    event: str
    ref: str
    pipeline: Pipeline
    detail: Pipeline | None = None
    confirmed: bool = False
    """seen beyond `created`: no empty or older answer un-sees it"""
    changed_at: float = 0.0
    """when it, or a step of it, was last seen to change"""
    status_changed_at: float = 0.0
    """when its status was last seen to change"""
    final_at: float | None = None
    """when it was first seen to have ended"""
    misses: int = 0
    """looks in a row that did not show it, though they reached down to it"""

    @property
    def run(self) -> RunRef:
        """Return the pipeline that is followed now."""
        return self.pipeline.run

    @property
    def number(self) -> int:
        """Return the number of the pipeline that is followed now."""
        return self.pipeline.number

    @property
    def final_detail(self) -> Pipeline | None:
        """Return the detail if it shows the same end as the row."""
        if self.detail and self.detail.run == self.run and self.detail.status is self.pipeline.status:
            return self.detail
        return None


class CiWatchState(NamedTuple):
    """The whole state of a watch."""

    scope: WatchScope
    timeouts: WatchTimeouts = WatchTimeouts()
    fail_fast: bool = False
    seed: int = 0
    """for the jitter"""

    repo_active: bool = True
    began_at: float | None = None
    contact: Contact = Contact(last_answer_at=0.0)
    tracks: tuple[PipelineTrack, ...] = ()
    accepted_commits: frozenset[str] = frozenset()
    """our commit, and newer ones that contain it and superseded ours"""
    containment: Mapping[str, Containment] = NO_CONTAINMENT
    highest_number: int = 0
    """the highest number seen on the list"""
    list_inconsistent: bool = False
    """the last list lacked a row that is known for certain: what it lacks proves nothing"""
    vanished: tuple[RunRef, ...] = ()
    """pipelines of our commit that were only ever `created` and vanished"""
    reported_others: frozenset[tuple[RunRef, Status]] = frozenset()
    warned_about: frozenset[str] = frozenset()
    last_event_at: float = 0.0
    """when the last event was told"""
    poll_count: int = 0
    expected_duration_s: float | None = None
    """seconds that earlier successful pipelines of the branch took"""
    eta: float | None = None
    """when the pipeline is expected to end, on our clock"""
    stream_reliable: bool = False
    """the event stream is up, and has not missed a change so far"""
    missed_stream_events: int = 0
    """changes that the stream did not tell, though it was up"""
    fast_until: float = 0.0
    """an event said that the end is near: ask quickly until then"""
    last_was_detail_only: bool = False
    """the last look was only a glance"""
    query: CiQuery = CiQuery()
    verdict: Verdict | None = None

    def with_track(self, track: PipelineTrack) -> CiWatchState:
        """Return the state with this track in place of the one of its group, or as the last."""
        if any(old.group == track.group for old in self.tracks):
            tracks = tuple(track if old.group == track.group else old for old in self.tracks)
        else:
            tracks = (*self.tracks, track)
        return self._replace(tracks=tracks)

    def without_track(self, track: PipelineTrack) -> CiWatchState:
        """Return the state without this track."""
        return self._replace(tracks=tuple(old for old in self.tracks if old is not track))
