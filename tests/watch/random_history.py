"""Generated histories of a CI server: what really happened, and what a look would have shown of it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from homelab_hooks.ci.model import Cancellation, Pipeline, Status, Workflow
from homelab_hooks.exit_codes import ExitCode, choose_worst_exit
from homelab_hooks.git.containment import Containment
from homelab_hooks.polling.outcome import Denied, FailureKind, Found, Poll, Unavailable
from homelab_hooks.watch.state import CiObservation, CiWatchState, WatchScope
from tests.ci.values import run_ref, scope_of

OURS = "a" * 40
NEWER = "b" * 40  # contains ours
NEWEST = "e" * 40  # contains both
OLDER = "c" * 40  # does not
SETTLED = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineCourse:
    """A pipeline's whole life: its statuses with the second from which each holds."""

    number: int
    commit: str
    life: tuple[tuple[float, Status], ...]
    event: str = "push"
    ref: str = "refs/heads/main"
    gone_at: float = SETTLED
    stopped: Cancellation | None = None
    red: bool = False
    """a workflow is red, whatever the color"""
    flows: tuple[str, ...] = ("w",)
    """its workflows; after a kill, the first ones had begun"""
    begun: int = 9
    """how many of them had begun when it was stopped"""
    skips: frozenset[str] = frozenset()
    """the workflows that it skips in the end"""

    def at(self, t: float) -> Pipeline | None:
        """The row as the list shows it at t."""
        status = None
        for since, word in self.life:
            if since <= t:
                status = word
        if status is None or t >= self.gone_at:
            return None
        return Pipeline(
            run=run_ref(self.number),
            number=self.number,
            group=(self.event, self.ref),
            event=self.event,
            ref=self.ref,
            branch="main",
            commit=self.commit,
            status=status,
            raw_status=status.value,
            updated=int(max(since for since, _ in self.life if since <= t)),
            started=next((1 + int(since) for since, word in self.life if since <= t and word is Status.RUNNING), 0),
            cancellation=self.stopped if status in {Status.KILLED, Status.CANCELED} else None,
            reports_cancellation=True,
        )

    def detail(self, t: float) -> Pipeline | None:
        """The row with its workflows."""
        row = self.at(t)
        if row is None:
            return None
        bad = self.red or row.status in {Status.FAILURE, Status.ERROR}
        state = (Status.FAILURE if bad else Status.SUCCESS) if row.status.is_final else row.status
        flows = []
        for place, name in enumerate(self.flows):
            word = state
            if row.status.is_cancelled:
                word = Status.KILLED if place < self.begun else Status.SKIPPED
            elif row.status is Status.SUCCESS and name in self.skips:
                word = Status.SKIPPED
            flows.append(Workflow(pid=1 + place, name=name, state=word))
        return row._replace(workflows=tuple(flows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """From one second to another, every answer is bad in one way."""

    since: float
    until: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomHistory:
    """Rows and troubles; the seed makes it again."""

    rows: tuple[PipelineCourse, ...]
    troubles: tuple[Trouble, ...] = ()
    scope: WatchScope = field(default_factory=lambda: scope_of(OURS))
    seed: int = 0
    signs: Mapping[str, str] = field(default_factory=dict)
    """by commit, why a run of it depends on the commit before"""

    def shown(self, t: float) -> tuple[Pipeline, ...]:
        """The list at t, newest first."""
        found = [row.at(t) for row in self.rows]
        return tuple(sorted((row for row in found if row), key=lambda row: -row.number))

    def look(self, watch: CiWatchState, t: float) -> Poll[CiObservation]:
        """What a look at t brings."""
        kind = next((trouble.kind for trouble in self.troubles if trouble.since <= t < trouble.until), "")
        bad: dict[str, Poll[CiObservation]] = {
            "missed": Unavailable("reset"),
            "page": Unavailable("a web page", FailureKind.FOREIGN),
            "slow-401": Denied("refused", slow=True),
            "empty-list": Found(CiObservation(rows=(), complete_down_to=0)),
        }
        if kind in bad:
            return bad[kind]
        return Found(self._sight(watch, t - 5.0 if kind == "older" else t, detailed=kind != "no-detail"))

    def _sight(self, watch: CiWatchState, t: float, *, detailed: bool) -> CiObservation:
        rows = self.shown(t)
        wanted = {*watch.query.details, *(r.run for r in rows if r.commit == OURS and r.status.is_final)}
        details = [row.detail(t) for row in self.rows if run_ref(row.number) in wanted] if detailed else []
        known = {NEWER: Containment.CONTAINS, NEWEST: Containment.CONTAINS, OLDER: Containment.NOT_CONTAINED}
        return CiObservation(
            rows=rows,
            details=tuple(detail for detail in details if detail),
            containment={commit: known[commit] for commit in watch.query.commits},
            dependence={commit: self.signs.get(commit, "") for commit in watch.query.dependence},
        )

    def truth(self, t: float) -> set[ExitCode | None]:
        """What may be said at t by one who sees everything; None: undecided.

        Without a detail a green pipeline with a red workflow cannot be told from a good one.
        """
        rows = {row.number: row for row in self.rows if row.at(t)}
        groups: dict[tuple[str, str], PipelineCourse] = {}
        for row in sorted(rows.values(), key=lambda row: row.number):
            if row.commit == OURS and row.event in self.scope.events:
                groups[row.event, row.ref] = row
        verdicts = [self._verdict(row, rows, t) for row in groups.values()]
        if not verdicts or None in verdicts:
            return {None}
        return {choose_worst_exit(verdict for verdict in verdicts if verdict is not None)}

    def _verdict(self, row: PipelineCourse, rows: dict[int, PipelineCourse], t: float) -> ExitCode | None:
        seen = row.at(t)
        assert seen is not None
        match seen.status:
            case Status.SUCCESS:
                return ExitCode.FAILED if row.red else ExitCode.OK
            case Status.FAILURE | Status.ERROR:
                return ExitCode.FAILED
            case Status.DECLINED:
                return ExitCode.CANCELLED
            case Status.BLOCKED:
                return ExitCode.BLOCKED
            case Status.KILLED | Status.CANCELED:
                return self._stopped(row, rows, t)
            case _:
                return None

    def _stopped(self, row: PipelineCourse, rows: dict[int, PipelineCourse], t: float) -> ExitCode | None:
        stopped = row.stopped or Cancellation()
        if stopped.by_step:
            return ExitCode.FAILED
        if not stopped.superseded_by:
            return ExitCode.CANCELLED
        newer = next((row for row in rows.values() if run_ref(row.number) == stopped.superseded_by), None)
        if newer is None or newer.commit == OLDER or self._loses_work(row, newer):
            return ExitCode.SUPERSEDED
        found, last = self._verdict(newer, rows, t), newer
        while last.stopped and last.stopped.superseded_by:
            last = next(row for row in rows.values() if run_ref(row.number) == last.stopped.superseded_by)
        left_out = set(row.flows[: row.begun]) & last.skips
        return ExitCode.SUPERSEDED if found is ExitCode.OK and left_out else found

    def _loses_work(self, row: PipelineCourse, newer: PipelineCourse) -> bool:
        """Whether something of a stopped pipeline is never done, although the newer one passes."""
        if newer.commit == row.commit:
            return False
        return not set(row.flows) <= set(newer.flows) or any(self.signs.get(c) for c in (row.commit, newer.commit))


def life(rng: random.Random, begin: float, end: Status | None) -> tuple[tuple[float, Status], ...]:
    """The measured order of statuses, at random times (recording 02-success)."""
    t, found = begin, []
    for status in (Status.CREATED, Status.PENDING, Status.RUNNING):
        found.append((t, status))
        t += rng.choice([0.05, 0.3, 2.0, 8.0, 12.0])
    return (*found, (t, end)) if end else tuple(found)


SIGN_CHANCE = 0.15
FLOWS = (("w",), ("w",), ("w", "deploy"), ("w", "deploy"), ("deploy",))
ENDS = (Status.SUCCESS, Status.SUCCESS, Status.FAILURE, Status.ERROR, Status.KILLED)


def generate(seed: int) -> RandomHistory:
    """A history of a minute or two: pushes, restarts, cancels, superseding, other events, and troubles."""
    rng = random.Random(seed)  # noqa: S311 - a story, not a secret
    rows = list(_rows(rng))
    troubles = []
    for _ in range(rng.randrange(4)):
        since = rng.uniform(0, 40)
        kind = rng.choice(["missed", "page", "slow-401", "empty-list", "older", "no-detail"])
        # A single slow refusal, or one short of what is believed, may come at any time; a page only after an answer.
        length = 0.3 if kind == "slow-401" else rng.choice([0.5, 3.0, 20.0])
        troubles.append(
            Trouble(since=since + (3.0 if kind in {"page", "slow-401"} else 0.0), until=since + length, kind=kind)
        )
    signs = {commit: "it has a path condition" for commit in (OURS, NEWER, NEWEST) if rng.random() < SIGN_CHANCE}
    return RandomHistory(
        rows=tuple(rows), troubles=tuple(t for t in troubles if t.until > t.since), seed=seed, signs=signs
    )


def _rows(rng: random.Random) -> Iterator[PipelineCourse]:
    number = rng.randrange(1, 50)
    begin = rng.uniform(0.0, 10.0)
    if rng.random() < 0.15:  # filtered: created and gone, its number used again
        yield PipelineCourse(number=number, commit=OURS, life=((begin, Status.CREATED),), gone_at=begin + 1.0)
        begin += 2.0
        if rng.random() < 0.5:
            yield PipelineCourse(number=number, commit=OLDER, life=life(rng, begin, Status.FAILURE))
            number += 1
    end = rng.choice(ENDS)
    first = PipelineCourse(
        number=number, commit=OURS, life=life(rng, begin, end), red=end is Status.SUCCESS and rng.random() < 0.2
    )
    ended = first.life[-1][0]
    if rng.random() < 0.3:  # cron and tag runs beside it
        yield PipelineCourse(
            number=number + 7, commit=OURS, event="cron", ref="refs/heads/main", life=life(rng, begin, Status.FAILURE)
        )
    if rng.random() < 0.3:
        yield PipelineCourse(
            number=number + 8, commit=OURS, event="tag", ref="refs/tags/v1", life=life(rng, begin, Status.SUCCESS)
        )
    if end is not Status.KILLED:
        yield first
        return
    yield from _killed(rng, first, ended)


def _killed(rng: random.Random, first: PipelineCourse, ended: float) -> Iterator[PipelineCourse]:
    how = rng.choice(["user", "step", "newer", "newer", "older", "chain"])
    number = first.number + 1
    first = replace(first, flows=rng.choice(FLOWS), begun=rng.randrange(3))
    match how:
        case "user":
            yield replace(first, stopped=Cancellation(by_user="alice"))
        case "step":
            yield replace(first, stopped=Cancellation(by_step="boom"))
        case "newer" | "older":
            yield replace(first, stopped=Cancellation(superseded_by=run_ref(number)))
            commit = NEWER if how == "newer" else OLDER
            ending = rng.choice([Status.SUCCESS, Status.FAILURE])
            yield _newer(rng, PipelineCourse(number=number, commit=commit, life=life(rng, ended - 0.2, ending)))
        case _:
            yield replace(first, stopped=Cancellation(superseded_by=run_ref(number)))
            second = life(rng, ended - 0.2, Status.KILLED)
            by = Cancellation(superseded_by=run_ref(number + 1))
            middle = _newer(rng, PipelineCourse(number=number, commit=NEWER, life=second, stopped=by))
            yield middle
            last = life(rng, second[-1][0] - 0.2, Status.SUCCESS)
            if rng.random() < 0.5:  # the same commit runs the same workflows again
                yield PipelineCourse(number=number + 1, commit=NEWER, life=last, flows=middle.flows)
            else:
                yield _newer(rng, PipelineCourse(number=number + 1, commit=NEWEST, life=last))


def _newer(rng: random.Random, row: PipelineCourse) -> PipelineCourse:
    """With workflows of its own, some of which it may skip."""
    flows = rng.choice(FLOWS)
    return replace(row, flows=flows, begun=rng.randrange(3), skips=frozenset(n for n in flows if rng.random() < 0.1))
