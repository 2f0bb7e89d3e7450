"""What a watch knows: its scope, the pipelines it follows, its patience, and what it wants to see next."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from homelab_hooks.history import Containment
from homelab_hooks.model import EVENTS, Pipeline, Queue, Status
from homelab_hooks.verdict import Verdict

NOTHING: Mapping[str, Containment] = MappingProxyType({})


class Scope(NamedTuple):
    """Which pipelines decide about a commit (contract, section 5)."""

    sha: str
    events: frozenset[str] = frozenset(EVENTS)
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


class Patience(NamedTuple):
    """How long to wait, in seconds."""

    timeout: float = 3600.0
    appear: float = 120.0
    unreachable: float = 180.0
    once: bool = False
    """one look is enough: what is undecided then stays so"""


class Sight(NamedTuple):
    """What one look saw.

    `rows` are complete from the newest number down to `floor`; a known number at or above it that is not there is gone.
    """

    rows: tuple[Pipeline, ...] = ()
    floor: int = 0
    details: tuple[Pipeline, ...] = ()
    contained: Mapping[str, Containment] = NOTHING
    queue: Queue | None = None
    web: str = ""
    """the base of pipeline URLs: SERVER/repos/ID/pipeline"""
    active: bool = True
    """the repository is activated in CI"""
    wall: float = 0.0
    """unix seconds at the look, to compare with the server's own times; wrong clocks change the pace only"""
    streaming: bool = False
    """the event stream is up"""
    hinted: bool = False
    """the stream said that something of ours changed"""
    ending: bool = False
    """the stream said that every step has ended"""


class Ask(NamedTuple):
    """What the next look should bring besides the newest rows."""

    floor: int = 0
    """rows down to this number; 0: as far down as the commit may be"""
    glance: int = 0
    """only the detail of this number, unless it shows that something changed; 0: a full look"""
    details: tuple[int, ...] = ()
    commits: tuple[str, ...] = ()
    """of each: does it contain ours?"""
    queue: bool = False


class Thread(NamedTuple):
    """One (event, ref) and the pipeline that now stands for it; restarts and containing successors take it over."""

    event: str
    ref: str
    pipeline: Pipeline
    detail: Pipeline | None = None
    firm: bool = False
    """seen beyond `created`: no empty or older answer un-sees it"""
    changed_at: float = 0.0
    """when it, or a step of it, was last seen to change"""
    status_at: float = 0.0
    """when its status was last seen to change"""
    settled_at: float | None = None
    """when it was first seen to have ended"""
    missing: int = 0
    """looks in a row that did not show it, though they reached down to it"""

    @property
    def number(self) -> int:
        """The number it follows now."""
        return self.pipeline.number

    @property
    def explained(self) -> Pipeline | None:
        """The detail, if it belongs to the end that the row shows."""
        if self.detail and self.detail.number == self.number and self.detail.status is self.pipeline.status:
            return self.detail
        return None


class Contact(NamedTuple):
    """How well the server can be reached."""

    last: float
    """when the last usable answer came, or the watch began"""
    ever: bool = False
    told: bool = False
    """lost contact was said"""
    misses: int = 0
    refusals: int = 0
    pages: int = 0
    """web pages in a row"""
    retry_after: float = 0.0


class Watch(NamedTuple):
    """The whole state of a watch."""

    scope: Scope
    patience: Patience = Patience()
    fail_fast: bool = False
    seed: int = 0
    """for the jitter"""

    web: str = ""
    active: bool = True
    began: float | None = None
    contact: Contact = Contact(last=0.0)
    threads: tuple[Thread, ...] = ()
    accepted: frozenset[str] = frozenset()
    """our commit, and newer ones that contain it and superseded ours"""
    contained: Mapping[str, Containment] = NOTHING
    top: int = 0
    """the highest number seen on the list"""
    contradicted: bool = False
    """the last list lacked a row that is known for certain: what it lacks proves nothing"""
    gone: frozenset[int] = frozenset()
    """numbers of our commit that were only ever `created` and vanished"""
    also: frozenset[tuple[int, Status]] = frozenset()
    warned: frozenset[str] = frozenset()
    spoke: float = 0.0
    """when the last event was told"""
    looks: int = 0
    expected: float | None = None
    """seconds that earlier successful pipelines of the branch took"""
    due: float | None = None
    """when the pipeline is expected to end, on our clock"""
    streaming: bool = False
    """the event stream is up, and has not missed a change so far"""
    deaf: int = 0
    """changes that the stream did not tell, though it was up"""
    hurry_until: float = 0.0
    """an event said that the end is near: ask quickly until then"""
    glanced: bool = False
    """the last look was only a glance"""
    ask: Ask = Ask()
    verdict: Verdict | None = None

    def url(self, number: int) -> str:
        """The web page of a pipeline."""
        return f"{self.web}/{number}" if self.web else ""

    def with_thread(self, thread: Thread) -> Watch:
        """The same watch with this thread, in its old place or as the last."""
        key = (thread.event, thread.ref)
        if any((old.event, old.ref) == key for old in self.threads):
            threads = tuple(thread if (old.event, old.ref) == key else old for old in self.threads)
        else:
            threads = (*self.threads, thread)
        return self._replace(threads=threads)

    def without_thread(self, thread: Thread) -> Watch:
        """The same watch without this thread."""
        return self._replace(threads=tuple(old for old in self.threads if old is not thread))
