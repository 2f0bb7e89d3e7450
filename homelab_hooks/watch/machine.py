"""The state machine of a watch: from one poll's result to the next state, events, and delay.

`decide_watch(state, poll, now)` is pure. It has no clock, no I/O, and no exceptions for what a server can do. The loop
in `polling/loop.py` calls it until the delay is None, which means that the state has a verdict.

States. A watch moves forward only, although it may stay in a state for an hour:

    started      no usable response yet
    waiting      CI responds, and has no deciding pipeline for the commit
    tracking     at least one deciding pipeline is known; each has a `PipelineTrack`
    settled      `verdict` is set; the loop ends

The provider groups pipelines, for example by event and ref, and the newest pipeline of each group is tracked, so a
restart replaces the pipeline that it restarts. `ruling.py` evaluates a tracked pipeline: it returns the result (a
`Ruling`), or what is still needed to determine it (`Undecided`). The watch settles when every tracked pipeline has a
result, and the worst one counts; with `fail_fast` the first failure does.

Inputs. A poll has one of four results:

    Found        an observation: rows of the list, and whatever the last state asked for in `query`
    NotFound     CI responds and has nothing yet
    Unavailable  no usable response; the state of the pipelines is unknown
    Denied       a refusal (401 or 403); counts only once `polling/contact.py` treats it as final

Order. One step applies the observation, then evaluates the pipelines, then checks the timeouts. A verdict that arrives
with the last poll before a timeout is therefore used. `overall` counts from `start_watch`, also while no response has
come; `appear` counts only the time in which CI responds; `unreachable` counts from the first request that failed.

What always holds:

 1. Only a row of the list or a detail that shows the commit itself can decide. The event stream wakes the loop and
    never decides: streams lose events, repeat them and stay open without sending any.
 2. What was seen stays seen. A row beyond `created` is confirmed, and no empty, older, or inconsistent list removes it:
    lists behind a cache or a replica go back in time.
 3. A row that was only ever `created` may vanish (filtered, no configuration), after two lists without it, and its
    number may be reused for another commit. So a number is never followed without its commit. A confirmed row is
    dropped only once responses have consistently shown another commit under its number (`reassigned.py`).
 4. Success is cross-checked. A pipeline in `success` with a failed workflow counts as failed, and the detail is waited
    for briefly before the status in the list counts alone.
 5. An unknown status is undecided, and never success.
 6. A superseded pipeline is followed to its successor only if the successor contains the commit according to git, and
    everything shows that it repeats the work (`supersede.py`), unless the user wants to follow it.
 7. A verdict is final. The machine is not called again after it.

What must never happen: exit code 0 for a commit that CI did not pass, because a deploy may follow; and a failure of the
network reported as a failure of the build. Every other mistake costs time only. `tests/watch/test_chaos.py` runs random
histories, with lost and outdated responses, against an independent judge of 1 to 6.
"""

from __future__ import annotations

from typing import assert_never

from homelab_hooks.ci.model import Pipeline, RunRef, Status
from homelab_hooks.config.schema import Superseded
from homelab_hooks.events import Event, PipelineResult
from homelab_hooks.exit_codes import ExitCode, choose_worst_exit
from homelab_hooks.polling.contact import is_timed_out
from homelab_hooks.polling.outcome import Decision, Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.text.humanize import short_sha
from homelab_hooks.verdict import SAME_COMMAND_HINT, Verdict
from homelab_hooks.watch import contact, poll_interval, stall
from homelab_hooks.watch.diff import build_pipeline_event, build_pipeline_result
from homelab_hooks.watch.observe import apply_observation
from homelab_hooks.watch.result import Ruling, Undecided
from homelab_hooks.watch.ruling import evaluate_pipeline, find_superseding_run, pass_skipped
from homelab_hooks.watch.state import (
    LIST_NOT_READ_NUMBER,
    CiObservation,
    CiQuery,
    CiWatchState,
    PipelineTrack,
    start_watch,
)
from homelab_hooks.watch.supersede import list_begun

ANSWER_GRACE_S = 10.0
"""seconds past the timeout for open questions about pipelines that have ended"""


def decide_watch(watch: CiWatchState, poll: Poll[CiObservation], now: float) -> Decision[CiWatchState]:
    """Apply one poll: first its result, then the timeouts."""
    if watch.began_at is None:
        watch = start_watch(watch, now)
    watch, events = _apply_poll(watch._replace(poll_count=watch.poll_count + 1), poll, now)
    if watch.verdict is None:
        watch = _check_timeouts(watch, poll, now)
    if watch.verdict is not None:
        return Decision(watch, events)
    next_at = now + poll_interval.compute_next_delay(watch, now)
    watch, waiting_events = stall.report_waiting(watch, poll, now, next_at=next_at)
    events = (*events, *waiting_events)
    watch = watch._replace(last_event_at=now) if events else watch
    delay = poll_interval.compute_next_delay(watch, now)
    query = watch.query._replace(queue=stall.is_queue_due(watch, now + delay))
    request_at = poll_interval.compute_request_time(watch, now)
    return Decision(watch._replace(due_at=now + delay, query=query), events, delay, request_at)


def _apply_poll(watch: CiWatchState, poll: Poll[CiObservation], now: float) -> tuple[CiWatchState, tuple[Event, ...]]:
    """Apply the result of a poll: an observation, nothing yet, no usable response, or a refusal."""
    match poll:
        case Found(observation):
            watch, events = contact.on_answer(watch, now)
            watch, changes = apply_observation(watch, observation, now)
            watch, ruling_events = _apply_rulings(watch, observation, now)
            return watch, (*events, *changes, *ruling_events)
        case NotFound():
            watch, events = contact.on_answer(watch, now)
            watch, ruling_events = _apply_rulings(watch, CiObservation(complete_down_to=LIST_NOT_READ_NUMBER), now)
            return watch, (*events, *ruling_events)
        case Unavailable():
            return contact.on_unavailable(watch, poll, now)
        case Denied():
            return contact.on_denied(watch, poll, now)
        case _:
            assert_never(poll)


def _apply_rulings(
    watch: CiWatchState, observation: CiObservation, now: float
) -> tuple[CiWatchState, tuple[Event, ...]]:
    """Evaluate every tracked pipeline; settle with the worst result once all have one, or at the first failure."""
    watch, events = _follow_successors(watch, observation, now)
    rulings = _evaluate_tracks(watch, observation, now)
    watch = watch._replace(query=_next_query(watch, rulings, observation, now))
    if _is_decided(watch, rulings, now):
        watch = watch._replace(verdict=_verdict(watch, rulings))
    return watch, events


def _evaluate_tracks(
    watch: CiWatchState, observation: CiObservation, now: float
) -> dict[PipelineTrack, Ruling | Undecided]:
    """Return the result of every tracked pipeline, or what is still needed to determine it."""
    visible = _visible_pipelines(watch, observation)
    rulings = {track: evaluate_pipeline(track, watch, visible, now) for track in watch.tracks}
    return pass_skipped(rulings) if watch.rules.passes_skipped else rulings


def _visible_pipelines(watch: CiWatchState, observation: CiObservation) -> tuple[Pipeline, ...]:
    """Return the observed and the tracked pipelines, each as it was last seen."""
    visible = {
        row.run: row for row in (*(track.pipeline for track in watch.tracks), *observation.details, *observation.rows)
    }
    return tuple(visible.values())


def _follow_successors(
    watch: CiWatchState, observation: CiObservation, now: float
) -> tuple[CiWatchState, tuple[Event, ...]]:
    """Replace each superseded pipeline by the newer one if its commit contains the watched commit."""
    events: list[Event] = []
    rows = _visible_pipelines(watch, observation)
    for track in watch.tracks:
        if evaluate_pipeline(track, watch, rows, now) is not Undecided.FOLLOW:
            continue
        row = next(row for row in rows if row.run == find_superseding_run(track.pipeline, rows))
        note = f"{track.run} was superseded by {row.run}, {_describe_inclusion(track, watch, row)}: following it"
        ended = now if row.status.is_final else None
        begun = list_begun(track.final_detail) if watch.scope.superseded is Superseded.AUTO else frozenset[str]()
        newer = PipelineTrack(
            track.group,
            track.event,
            track.ref,
            row,
            confirmed=True,
            changed_at=now,
            status_changed_at=now,
            final_at=ended,
            repeats=track.repeats | begun,
        )
        watch = watch.with_track(newer)
        if track.pipeline.is_interrupted:
            watch = watch._replace(interrupted=(*watch.interrupted, build_pipeline_result(track.pipeline)))
        events.append(build_pipeline_event(watch, row, note=note))
    return watch, tuple(events)


def _describe_inclusion(track: PipelineTrack, watch: CiWatchState, newer: Pipeline) -> str:
    """Return why the newer pipeline counts for the watched commit."""
    if newer.commit in (*watch.scope.commits, track.pipeline.commit):
        return "which has the same commit"
    contains = f"which contains {short_sha(watch.scope.sha)}"
    if watch.scope.superseded is Superseded.FOLLOW:
        return f"{contains} (--superseded follow)"
    return f"{contains}, runs the same workflows, and does not depend on the commit before it"


def _next_query(
    watch: CiWatchState, rulings: dict[PipelineTrack, Ruling | Undecided], observation: CiObservation, now: float
) -> CiQuery:
    """Return what the next poll requests; only the list if the end was announced, because the list decides."""
    details: dict[RunRef, None] = {}
    rows = _visible_pipelines(watch, observation)
    for track, ruling in rulings.items():
        if track.claim:
            details[track.run] = None
        match ruling:
            case Undecided.RUNNING if len(rulings) > 1 and _polls_progress(watch, now):
                details[track.run] = None
            case Undecided.DETAIL | Undecided.FOLLOW:
                details[track.run] = None
            case Undecided.SUCCESSOR:
                details |= dict.fromkeys(run for run in [find_superseding_run(track.pipeline, rows)] if run)
            case Undecided.CONTAINMENT | Undecided.EVIDENCE:
                details |= dict.fromkeys(_find_lacking_details(track, watch, rows))
            case Undecided.RUNNING | Ruling():
                pass
    compared = [
        row for track, ruling in rulings.items() for row in _find_newer(track, rows) if ruling is Undecided.CONTAINMENT
    ]
    evaluated = [
        row
        for track, ruling in rulings.items()
        for row in (*_find_newer(track, rows), track.pipeline)
        if ruling is Undecided.EVIDENCE
    ]
    return CiQuery(
        down_to=min([watch.highest_number, *(track.number for track in watch.tracks)]),
        detail_only_of=_detail_only(watch, rulings, now),
        details=tuple(details),
        commits=tuple(sorted({row.commit for row in compared})),
        dependence=tuple(sorted({row.commit for row in evaluated} - watch.dependence.keys())),
    )


def _polls_progress(watch: CiWatchState, now: float) -> bool:
    """Return whether the steps of several running pipelines are requested, because no stream reports them."""
    return now >= watch.fast_until and not (watch.stream_reliable or watch.rules.request_interval_s)


def _find_newer(track: PipelineTrack, rows: tuple[Pipeline, ...]) -> tuple[Pipeline, ...]:
    """Return the pipeline that superseded this one, if it is known."""
    run = find_superseding_run(track.pipeline, rows)
    return tuple(row for row in rows if row.run == run)


def _find_lacking_details(track: PipelineTrack, watch: CiWatchState, rows: tuple[Pipeline, ...]) -> list[RunRef]:
    """Return which of a superseded pipeline and the newer one have workflows that are still to be requested."""
    newer = [row.run for row in _find_newer(track, rows) if row.run not in watch.newer_details]
    return newer if track.final_detail else [*newer, track.run]


def _detail_only(watch: CiWatchState, rulings: dict[PipelineTrack, Ruling | Undecided], now: float) -> RunRef | None:
    """Return the only running pipeline for every second poll: its detail shows progress for a single request."""
    if (
        watch.rules.request_interval_s
        or len(rulings) != 1
        or watch.last_was_detail_only
        or watch.contact.misses
        or now < watch.fast_until
    ):
        return None
    ((track, ruling),) = rulings.items()
    running = ruling is Undecided.RUNNING and track.pipeline.status is Status.RUNNING
    return track.run if running and track.claim is None else None


def _is_decided(watch: CiWatchState, rulings: dict[PipelineTrack, Ruling | Undecided], now: float) -> bool:
    found = [ruling for ruling in rulings.values() if isinstance(ruling, Ruling)]
    if watch.fail_fast and any(ruling.exit is ExitCode.FAILED for ruling in found):
        return True
    return bool(rulings) and len(found) == len(rulings) and not _may_come_late(watch, now)


def _may_come_late(watch: CiWatchState, now: float) -> bool:
    """Return whether another pipeline of the push may still appear: they appear one by one (forge recording 07h)."""
    last_at = max(track.status_changed_at for track in watch.tracks)
    return now - last_at < watch.rules.late_runs_s


def _verdict(watch: CiWatchState, rulings: dict[PipelineTrack, Ruling | Undecided]) -> Verdict:
    """Return the verdict for the worst result, with every deciding pipeline."""
    found = {track: ruling for track, ruling in rulings.items() if isinstance(ruling, Ruling)}
    exit_ = choose_worst_exit(ruling.exit for ruling in found.values())
    track, ruling = next((t, r) for t, r in found.items() if r.exit is exit_)
    return Verdict(
        exit=exit_,
        label="passed" if exit_ is ExitCode.OK else "",
        reason=ruling.reason,
        hint=ruling.hint,
        sha=watch.scope.sha,
        pipelines=build_pipeline_results(watch),
        url=track.page_url,
    )


def build_pipeline_results(watch: CiWatchState) -> tuple[PipelineResult, ...]:
    """Return every deciding pipeline as the result shows it, after those that they superseded half-way."""
    tracked = (build_pipeline_result(track.pipeline._replace(url=track.page_url)) for track in watch.tracks)
    return (*watch.interrupted, *tracked)


def _check_timeouts(watch: CiWatchState, poll: Poll[CiObservation], now: float) -> CiWatchState:
    """Settle an undecided watch if a timeout is over."""
    unreachable = watch.timeouts.unreachable
    if isinstance(poll, Unavailable | Denied) and is_timed_out(watch.contact, now, timeout=unreachable):
        return _finish(watch, contact.build_unreachable_verdict(poll, watch.timeouts))
    has_waited = watch.seconds_in_contact(now) >= watch.timeouts.appear or not watch.repo_active
    if isinstance(poll, Found | NotFound) and not watch.tracks and (has_waited or watch.skip_marker):
        return _finish(watch, Verdict(exit=ExitCode.NO_PIPELINE, reason=_describe_absence(watch)))
    return _finish_at_timeout(watch, poll, now) if _is_over(watch, poll, now) else watch


def _describe_absence(watch: CiWatchState) -> str:
    if watch.reassigned:
        runs = ", ".join(map(str, watch.reassigned))
        return f"the server has removed {runs}, and reused the number for another commit"
    gone = ", ".join(map(str, watch.vanished))
    return f"{gone} was created and then filtered out" if gone else "no pipeline appeared"


def _is_over(watch: CiWatchState, poll: Poll[CiObservation], now: float) -> bool:
    """Return whether the overall timeout is over; questions about pipelines that have ended are given a little more."""
    assert watch.began_at is not None  # noqa: S101 - set by the first step
    late = now - watch.began_at - watch.timeouts.overall
    if late < 0 and not (watch.timeouts.one_poll and isinstance(poll, Found | NotFound)):
        return False
    return _is_waiting_for_ci(watch) or late >= ANSWER_GRACE_S


def _finish_at_timeout(watch: CiWatchState, poll: Poll[CiObservation], now: float) -> CiWatchState:
    """Settle with the worst of what is decided and the timeout: a red pipeline counts although another one runs."""
    observation = poll.value if isinstance(poll, Found) else CiObservation()
    rulings = _evaluate_tracks(watch, observation, now)
    undecided = [track for track, ruling in rulings.items() if not isinstance(ruling, Ruling)]
    unseen = f"no usable response so far ({poll.reason})" if isinstance(poll, Unavailable) else _NOT_APPEARED
    numbers = ", ".join(_describe_undecided(t) for t in undecided) or (_MAY_COME_LATE if watch.tracks else unseen)
    outcome = f"undecided: {numbers}" if watch.timeouts.one_poll else f"timed out: {numbers}"
    decided = [ruling.exit for ruling in rulings.values() if isinstance(ruling, Ruling)]
    if choose_worst_exit((*decided, ExitCode.TIMEOUT)) is ExitCode.TIMEOUT:
        hint = _HINT_TO_WAIT if watch.timeouts.one_poll else SAME_COMMAND_HINT
        return _finish(watch, Verdict(exit=ExitCode.TIMEOUT, reason=outcome, hint=hint))
    verdict = _verdict(watch, rulings)
    return watch._replace(verdict=verdict._replace(reason=f"{verdict.reason}; {outcome}"))


def _describe_undecided(track: PipelineTrack) -> str:
    other = f", but its number now belongs to commit {short_sha(track.claim.commit)}" if track.claim else ""
    return f"{track.run} is {track.pipeline.status}{other}"


_MAY_COME_LATE = "another one may still appear"
_NOT_APPEARED = "no pipeline has appeared yet"
_HINT_TO_WAIT = "run homelab-watch to wait for the result"


def _is_waiting_for_ci(watch: CiWatchState) -> bool:
    """Return whether the watch waits for CI itself, and not only for details about pipelines that have ended."""
    if watch.contact.misses:
        return True
    return not watch.tracks or any(not t.pipeline.status.is_final for t in watch.tracks)


def _finish(watch: CiWatchState, verdict: Verdict) -> CiWatchState:
    url = watch.tracks[0].page_url if watch.tracks else ""
    return watch._replace(
        verdict=verdict._replace(sha=watch.scope.sha, pipelines=build_pipeline_results(watch), url=url)
    )
