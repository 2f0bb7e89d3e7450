"""The state of a watch: its scope and timeouts, the pipelines it tracks, and what the next poll should bring."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from homelab_hooks.ci.model import Pipeline, QueueInfo, RunRef, Status, Workflow
from homelab_hooks.ci.provider import WatchRules
from homelab_hooks.config.schema import Superseded
from homelab_hooks.events import PipelineResult
from homelab_hooks.git.containment import Containment
from homelab_hooks.polling.contact import Contact
from homelab_hooks.text.commit_name import has_commit_token
from homelab_hooks.verdict import Verdict

TAG_PREFIX = "refs/tags/"
LIST_NOT_READ_NUMBER = 2**62
"""`complete_down_to` of an observation without the list: higher than every number"""
NO_CONTAINMENT: Mapping[str, Containment] = MappingProxyType({})
NO_DEPENDENCE: Mapping[str, str] = MappingProxyType({})
NO_DETAILS: Mapping[RunRef, Pipeline] = MappingProxyType({})


class WatchScope(NamedTuple):
    """Which pipelines decide about a commit."""

    sha: str
    events: frozenset[str]
    """the events whose pipelines decide"""
    branch: str = ""
    """only pipelines of this branch decide; for a landing, the target branch"""
    ref: str = ""
    """only pipelines of this ref decide; for a tag, refs/tags/NAME"""
    tag_objects: frozenset[str] = frozenset()
    """the annotated tags that lead to the commit: forges send the tag's own SHA, so a row shows it as its commit"""
    workflows: tuple[str, ...] = ()
    """only workflows with these names decide; empty: all"""
    names: frozenset[str] = frozenset()
    """names of the commit, its SHA and its tags, in a pipeline's variables: such a pipeline counts too; empty: none"""
    superseded: Superseded = Superseded.AUTO
    """whether a newer pipeline whose commit contains this one may decide for it"""

    @property
    def commits(self) -> frozenset[str]:
        """Return every SHA that a row about the commit may show."""
        return self.tag_objects | {self.sha}

    @property
    def tag(self) -> str:
        """Return the name of the tag whose pipelines decide; empty if the scope is not a tag."""
        return self.ref.removeprefix(TAG_PREFIX) if self.ref.startswith(TAG_PREFIX) else ""

    def is_about(self, pipeline: Pipeline) -> bool:
        """Return whether a pipeline is about the commit: by its commit, or by a variable that names it."""
        return pipeline.commit in self.commits or (
            bool(self.names)
            and any(value in self.names or has_commit_token(value, self.sha) for value in pipeline.variables)
        )

    def counts(self, workflow: Workflow) -> bool:
        """Return whether the workflow decides."""
        return not self.workflows or workflow.name in self.workflows

    def decides(self, pipeline: Pipeline) -> bool:
        """Return whether pipelines of this event and ref count."""
        return (
            pipeline.event in self.events
            and (not self.branch or pipeline.branch == self.branch)
            and (not self.ref or pipeline.ref == self.ref)
        )


class WatchTimeouts(NamedTuple):
    """The timeouts of a watch, in seconds."""

    overall: float = 3600.0
    appear: float = 120.0
    unreachable: float = 180.0
    one_poll: bool = False
    """settle after one successful poll, also if nothing is decided"""


class CiObservation(NamedTuple):
    """What one poll observed.

    `rows` are complete from the newest number down to `complete_down_to`: a known pipeline with a number in that range
    that is missing from them no longer exists.
    """

    rows: tuple[Pipeline, ...] = ()
    complete_down_to: int = 0
    searched_rows: int = 0
    """the rows after which a search for the commit ended before the end of the list; 0: it did not"""
    details: tuple[Pipeline, ...] = ()
    containment: Mapping[str, Containment] = NO_CONTAINMENT
    dependence: Mapping[str, str] = NO_DEPENDENCE
    """by commit, the first sign that a run of it depends on the commit before; empty: there is none"""
    skip_marker: str = ""
    """the marker in the commit's message for which CI skips its push; empty: none, or not looked for"""
    queue: QueueInfo | None = None
    repo_active: bool = True
    """the repository is active in CI"""
    wall_time: float = 0.0
    """unix seconds at the poll, to compare with the server's times; a wrong clock changes only the poll interval"""
    stream_up: bool = False
    """the event stream is up"""
    stream_changed: bool = False
    """the stream reported a change of the commit or of a tracked pipeline"""
    stream_ended: bool = False
    """the stream reported that every step has ended"""


class CiQuery(NamedTuple):
    """What the next poll should bring besides the newest rows."""

    down_to: int = 0
    """rows down to this number; 0: as many as may be needed to find the commit"""
    detail_only_of: RunRef | None = None
    """only the detail of this pipeline, unless it shows that something changed; None: a full poll"""
    details: tuple[RunRef, ...] = ()
    commits: tuple[str, ...] = ()
    """commits that git has to compare with the watched one: does each contain it?"""
    dependence: tuple[str, ...] = ()
    """commits whose files may show that a run depends on the commit before it"""
    queue: bool = False


class NumberClaim(NamedTuple):
    """Responses that show another commit under the number of a confirmed pipeline, and none that shows ours."""

    since: float
    """when the first of them came, by our clock"""
    commit: str = ""
    by_list: bool = False
    by_detail: bool = False
    is_newer: bool = True
    """the pipeline that they show was created later than ours, by the server's clock"""


class PipelineTrack(NamedTuple):
    """A tracked pipeline, the newest of its group. If it is restarted or superseded, the new one takes its place."""

    group: Hashable
    event: str
    ref: str
    pipeline: Pipeline
    detail: Pipeline | None = None
    confirmed: bool = False
    """it was seen beyond `created`; no empty or outdated response removes it"""
    changed_at: float = 0.0
    """when it or one of its steps last changed, by our clock"""
    status_changed_at: float = 0.0
    """when its status last changed"""
    final_at: float | None = None
    """when its end was first observed"""
    misses: int = 0
    """lists in a row that reached down to it and did not have it"""
    repeats: frozenset[str] = frozenset()
    """workflows that had begun in the pipelines that it superseded: the work is lost if it skips one"""
    claim: NumberClaim | None = None
    """set while responses show another commit under its number"""

    @property
    def run(self) -> RunRef:
        """Return the pipeline that is followed now."""
        return self.pipeline.run

    @property
    def number(self) -> int:
        """Return the number of the pipeline that is followed now."""
        return self.pipeline.number

    @property
    def page_url(self) -> str:
        """Return the pipeline's web page; empty while responses show another commit under its number."""
        return "" if self.claim else self.pipeline.url

    @property
    def known_detail(self) -> Pipeline | None:
        """Return the newest detail of the pipeline, which may be older than its row."""
        return self.detail if self.detail and self.detail.run == self.run else None

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
    rules: WatchRules = WatchRules()
    """what the provider needs"""

    repo_active: bool = True
    began_at: float | None = None
    contact: Contact = Contact(silent_since=0.0)
    due_at: float = 0.0
    """when the next poll is due"""
    out_of_contact_s: float = 0.0
    """seconds of past silence, in which no pipeline could appear"""
    tracks: tuple[PipelineTrack, ...] = ()
    containment: Mapping[str, Containment] = NO_CONTAINMENT
    dependence: Mapping[str, str] = NO_DEPENDENCE
    """by commit, the first sign that a run of it depends on the commit before; empty: there is none"""
    newer_details: Mapping[RunRef, Pipeline] = NO_DETAILS
    """pipelines that superseded tracked ones, with their workflows"""
    interrupted: tuple[PipelineResult, ...] = ()
    """pipelines that had begun, and were replaced by the newer ones that superseded them"""
    skip_marker: str = ""
    """the marker in the commit's message for which CI skips its push"""
    highest_number: int = 0
    """the highest number seen on the list"""
    searched_rows: int = 0
    """the rows among which the commit was not found when the watch began, although the list has more"""
    list_inconsistent: bool = False
    """the last list lacked a confirmed pipeline, so what it lacks proves nothing"""
    vanished: tuple[RunRef, ...] = ()
    """pipelines of the commit that were only ever `created` and then vanished"""
    reassigned: tuple[RunRef, ...] = ()
    """pipelines of the commit whose number now belongs to another commit"""
    reported_others: frozenset[tuple[RunRef, Status]] = frozenset()
    warned_about: frozenset[str] = frozenset()
    last_event_at: float = 0.0
    """when the last event was emitted"""
    poll_count: int = 0
    expected_duration_s: float | None = None
    """seconds that earlier successful pipelines of the branch took (median)"""
    eta: float | None = None
    """when the pipeline is expected to end, in seconds of our clock"""
    stream_up_since: float | None = None
    """when the event stream was first seen up; None while it is down"""
    stream_proven: bool = False
    """the event stream has reported a change that the list confirmed, or has been up for long"""
    stream_reliable: bool = False
    """the event stream is up and proven, and has not missed too many changes"""
    missed_stream_events: int = 0
    """changes that the stream did not report although it was up"""
    fast_until: float = 0.0
    """the stream announced the end: poll often until then"""
    fast_since: float = 0.0
    """when it last announced one"""
    vain_announcements: int = 0
    """announcements in a row after which no end followed"""
    last_was_detail_only: bool = False
    """the last poll requested one detail and not the list"""
    query: CiQuery = CiQuery()
    verdict: Verdict | None = None

    def seconds_in_contact(self, now: float) -> float:
        """Return the seconds since the watch began in which CI answered, up to the last answer or now."""
        assert self.began_at is not None  # noqa: S101 - set by the first step
        until = self.contact.silent_since if self.contact.misses else now
        return until - self.began_at - self.out_of_contact_s

    def accepts(self, row: Pipeline) -> bool:
        """Return whether the row decides: it is about the commit, or about the newer one that its group is followed to.

        That a newer commit was accepted in one group says nothing about another, whose workflows may differ.
        """
        is_followed = any((t.group, t.pipeline.commit) == (row.group, row.commit) for t in self.tracks)
        return self.scope.decides(row) and (self.scope.is_about(row) or is_followed)

    def with_track(self, track: PipelineTrack) -> CiWatchState:
        """Return the state with this tracked pipeline in place of the one of its group, or added as the last."""
        if any(old.group == track.group for old in self.tracks):
            tracks = tuple(track if old.group == track.group else old for old in self.tracks)
        else:
            tracks = (*self.tracks, track)
        return self._replace(tracks=tracks)

    def without_track(self, track: PipelineTrack) -> CiWatchState:
        """Return the state without this tracked pipeline."""
        return self._replace(tracks=tuple(old for old in self.tracks if old is not track))


def start_watch(watch: CiWatchState, now: float) -> CiWatchState:
    """Return the initial state; timeouts start now."""
    contact_now = watch.contact._replace(silent_since=now)
    return watch._replace(began_at=now, contact=contact_now, due_at=now, last_event_at=now)
