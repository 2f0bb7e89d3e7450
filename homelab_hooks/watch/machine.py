"""What a look at CI means and what to do next: `decide_watch` is the whole decision of a watch, and pure."""

from __future__ import annotations

from typing import assert_never

from homelab_hooks.ci.model import Pipeline, RunRef, Status
from homelab_hooks.events import Event, PipelineResult
from homelab_hooks.exit_codes import ExitCode, choose_worst_exit
from homelab_hooks.polling.contact import is_timed_out
from homelab_hooks.polling.outcome import Decision, Denied, Found, NotFound, Poll, Unavailable
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import contact, poll_interval, stall
from homelab_hooks.watch.diff import build_pipeline_event
from homelab_hooks.watch.observe import apply_observation
from homelab_hooks.watch.ruling import Ruling, Undecided, evaluate_pipeline, find_superseding_run
from homelab_hooks.watch.stall import CHECK_QUEUE_AFTER_S
from homelab_hooks.watch.state import LIST_NOT_READ_NUMBER, CiObservation, CiQuery, CiWatchState, PipelineTrack

ANSWER_GRACE_S = 10.0
"""seconds past the timeout for questions of ours about pipelines that have ended"""


def start_watch(watch: CiWatchState, now: float) -> CiWatchState:
    """Every patience is counted from now on; also while the first answer is waited for."""
    return watch._replace(began_at=now, contact=watch.contact._replace(last_answer_at=now), last_event_at=now)


def decide_watch(watch: CiWatchState, poll: Poll[CiObservation], now: float) -> Decision[CiWatchState]:
    """Take in one look; settle first, then count time."""
    if watch.began_at is None:
        watch = start_watch(watch, now)
    watch = watch._replace(poll_count=watch.poll_count + 1)
    match poll:
        case Found(observation):
            watch, events = contact.on_answer(watch, now)
            watch, changes = apply_observation(watch, observation, now)
            watch, ruling_events = _apply_rulings(watch, observation, now)
            events = (*events, *changes, *ruling_events)
        case NotFound():
            watch, events = contact.on_answer(watch, now)
            watch, ruling_events = _apply_rulings(watch, CiObservation(complete_down_to=LIST_NOT_READ_NUMBER), now)
            events = (*events, *ruling_events)
        case Unavailable():
            watch, events = contact.on_unavailable(watch, poll, now)
        case Denied():
            watch, events = contact.on_denied(watch, poll)
        case _:
            assert_never(poll)
    if watch.verdict is None:
        watch = _check_timeouts(watch, poll, now)
    if watch.verdict is not None:
        return Decision(watch, events)
    watch, waiting_events = stall.report_waiting(watch, poll, now)
    events = (*events, *waiting_events)
    return Decision(
        watch._replace(last_event_at=now) if events else watch, events, poll_interval.compute_next_delay(watch, now)
    )


def _apply_rulings(
    watch: CiWatchState, observation: CiObservation, now: float
) -> tuple[CiWatchState, tuple[Event, ...]]:
    """Judge every thread; the worst counts once all are decided, or the first red one with `fail_fast`."""
    watch, events = _follow_successors(watch, observation, now)
    rulings = {t: evaluate_pipeline(t, watch, _visible_pipelines(watch, observation), now) for t in watch.tracks}
    watch = watch._replace(query=_next_query(watch, rulings, observation, now))
    if _is_decided(watch, rulings):
        watch = watch._replace(verdict=_verdict(watch, rulings))
    return watch, events


def _visible_pipelines(watch: CiWatchState, observation: CiObservation) -> tuple[Pipeline, ...]:
    """Every row that can be spoken of: those of this sight, and those that are followed."""
    visible = {
        row.run: row for row in (*(track.pipeline for track in watch.tracks), *observation.details, *observation.rows)
    }
    return tuple(visible.values())


def _follow_successors(
    watch: CiWatchState, observation: CiObservation, now: float
) -> tuple[CiWatchState, tuple[Event, ...]]:
    """Hand a superseded thread on to the newer pipeline that contains our commit."""
    events: list[Event] = []
    rows = _visible_pipelines(watch, observation)
    for track in watch.tracks:
        if evaluate_pipeline(track, watch, rows, now) is not Undecided.FOLLOW:
            continue
        row = next(row for row in rows if row.run == find_superseding_run(track.pipeline, rows))
        note = f"{track.run} was superseded by {row.run}, which contains {watch.scope.sha[:8]}: following it"
        ended = now if row.status.is_final else None
        newer = PipelineTrack(
            track.group,
            track.event,
            track.ref,
            row,
            confirmed=True,
            changed_at=now,
            status_changed_at=now,
            final_at=ended,
        )
        watch = watch.with_track(newer)._replace(accepted_commits=watch.accepted_commits | {row.commit})
        events.append(build_pipeline_event(watch, row, note=note))
    return watch, tuple(events)


def _next_query(
    watch: CiWatchState, rulings: dict[PipelineTrack, Ruling | Undecided], observation: CiObservation, now: float
) -> CiQuery:
    """What the next look should bring; in a hurry only the list, for the list decides."""
    details: dict[RunRef, None] = {}
    commits: set[str] = set()
    rows = _visible_pipelines(watch, observation)
    for track, ruling in rulings.items():
        match ruling:
            case Undecided.RUNNING if len(rulings) > 1 and now >= watch.fast_until and not watch.stream_reliable:
                details[track.run] = None
            case Undecided.DETAIL | Undecided.FOLLOW:
                details[track.run] = None
            case Undecided.SUCCESSOR:
                details |= dict.fromkeys(run for run in [find_superseding_run(track.pipeline, rows)] if run)
            case Undecided.CONTAINMENT:
                newer = find_superseding_run(track.pipeline, rows)
                commits |= {row.commit for row in rows if row.run == newer}
            case Undecided.RUNNING | Ruling():
                pass
    queued = any(
        t.pipeline.status is Status.PENDING and now - t.changed_at >= CHECK_QUEUE_AFTER_S for t in watch.tracks
    )
    return CiQuery(
        down_to=min([watch.highest_number, *(track.number for track in watch.tracks)]),
        detail_only_of=_detail_only(watch, rulings, now),
        details=tuple(details),
        commits=tuple(sorted(commits)),
        queue=queued,
    )


def _detail_only(watch: CiWatchState, rulings: dict[PipelineTrack, Ruling | Undecided], now: float) -> RunRef | None:
    """Every other look at a single running pipeline is only at its detail: progress for one request."""
    if len(rulings) != 1 or watch.last_was_detail_only or watch.contact.misses or now < watch.fast_until:
        return None
    ((track, ruling),) = rulings.items()
    running = ruling is Undecided.RUNNING and track.pipeline.status is Status.RUNNING
    return track.run if running else None


def _is_decided(watch: CiWatchState, rulings: dict[PipelineTrack, Ruling | Undecided]) -> bool:
    found = [ruling for ruling in rulings.values() if isinstance(ruling, Ruling)]
    if watch.fail_fast and any(ruling.exit is ExitCode.FAILED for ruling in found):
        return True
    return bool(rulings) and len(found) == len(rulings)


def _verdict(watch: CiWatchState, rulings: dict[PipelineTrack, Ruling | Undecided]) -> Verdict:
    """The worst ruling, with every deciding pipeline."""
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
        url=track.pipeline.url,
    )


def build_pipeline_results(watch: CiWatchState) -> tuple[PipelineResult, ...]:
    """Every deciding pipeline as the result shows it."""
    return tuple(
        PipelineResult(
            number=t.number,
            event=t.event,
            ref=t.ref,
            status=t.pipeline.raw_status or t.pipeline.status.value,
            url=t.pipeline.url,
        )
        for t in watch.tracks
    )


def _check_timeouts(watch: CiWatchState, poll: Poll[CiObservation], now: float) -> CiWatchState:
    """Nothing is decided: is any patience over?"""
    assert watch.began_at is not None  # noqa: S101 - set by the first turn
    waited = now - watch.began_at
    if isinstance(poll, Unavailable | Denied) and is_timed_out(watch.contact, now, timeout=watch.timeouts.unreachable):
        return _finish(watch, contact.build_unreachable_verdict(poll, watch.timeouts.unreachable))
    is_answered = isinstance(poll, Found | NotFound)
    if is_answered and not watch.tracks and (waited >= watch.timeouts.appear or not watch.repo_active):
        gone = ", ".join(map(str, watch.vanished))
        reason = f"{gone} was created and then filtered out" if gone else "no pipeline appeared"
        return _finish(watch, Verdict(exit=ExitCode.NO_PIPELINE, reason=reason))
    is_over = waited >= watch.timeouts.overall or (is_answered and watch.timeouts.one_poll)
    if is_over and (_is_waiting_for_ci(watch) or waited >= watch.timeouts.overall + ANSWER_GRACE_S):
        unseen = (
            f"no usable response so far ({poll.reason})"
            if isinstance(poll, Unavailable)
            else "no pipeline has appeared yet"
        )
        numbers = ", ".join(f"{t.run} is {t.pipeline.status}" for t in watch.tracks) or unseen
        outcome = "undecided" if watch.timeouts.one_poll else "timed out"
        hint = (
            "homelab-watch waits for the result"
            if watch.timeouts.one_poll
            else "run the same command again to continue"
        )
        return _finish(watch, Verdict(exit=ExitCode.TIMEOUT, reason=f"{outcome}: {numbers}", hint=hint))
    return watch


def _is_waiting_for_ci(watch: CiWatchState) -> bool:
    """Whether CI itself is what is waited for, not an answer to a question of ours."""
    if watch.contact.misses:
        return True
    return not watch.tracks or any(not t.pipeline.status.is_final for t in watch.tracks)


def _finish(watch: CiWatchState, verdict: Verdict) -> CiWatchState:
    url = watch.tracks[0].pipeline.url if watch.tracks else ""
    return watch._replace(
        verdict=verdict._replace(sha=watch.scope.sha, pipelines=build_pipeline_results(watch), url=url)
    )
