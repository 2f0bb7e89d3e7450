"""What a look at CI means and what to do next: `turn` is the whole decision of a watch, and pure."""

from __future__ import annotations

from typing import assert_never

from homelab_hooks.events import Event, PipelineResult
from homelab_hooks.exits import Exit, worst
from homelab_hooks.looks import Absent, Denied, Look, Missed, Seen, Turn
from homelab_hooks.model import Pipeline, Status
from homelab_hooks.verdict import Verdict
from homelab_hooks.watch import contact, pace, waiting
from homelab_hooks.watch.changes import pipeline_changed
from homelab_hooks.watch.judge import Open, Ruling, judge, successor
from homelab_hooks.watch.observe import observe
from homelab_hooks.watch.state import Ask, Sight, Thread, Watch
from homelab_hooks.watch.waiting import QUEUED

GRACE = 10.0
"""seconds past the timeout for questions of ours about pipelines that have ended"""


def begun(watch: Watch, now: float) -> Watch:
    """Every patience is counted from now on; also while the first answer is waited for."""
    return watch._replace(began=now, contact=watch.contact._replace(last=now), spoke=now)


def turn(watch: Watch, look: Look[Sight], now: float) -> Turn[Watch]:
    """Take in one look; settle first, then count time."""
    if watch.began is None:
        watch = begun(watch, now)
    watch = watch._replace(looks=watch.looks + 1)
    match look:
        case Seen(sight):
            watch, events = contact.answered(watch, now)
            watch, seen = observe(watch, sight, now)
            watch, ruled = _settle(watch, sight, now)
            events = (*events, *seen, *ruled)
        case Absent():
            watch, events = contact.answered(watch, now)
            watch, ruled = _settle(watch, Sight(floor=2**62), now)
            events = (*events, *ruled)
        case Missed():
            watch, events = contact.missed(watch, look, now)
        case Denied():
            watch, events = contact.denied(watch, look)
        case _:
            assert_never(look)
    if watch.verdict is None:
        watch = _count_time(watch, look, now)
    if watch.verdict is not None:
        return Turn(watch, events)
    watch, said = waiting.say(watch, look, now)
    events = (*events, *said)
    return Turn(watch._replace(spoke=now) if events else watch, events, pace.wait(watch, now))


def _settle(watch: Watch, sight: Sight, now: float) -> tuple[Watch, tuple[Event, ...]]:
    """Judge every thread; the worst counts once all are decided, or the first red one with `fail_fast`."""
    watch, events = _follow(watch, sight, now)
    rulings = {t: judge(t, watch, _known(watch, sight), now) for t in watch.threads}
    watch = watch._replace(ask=_questions(watch, rulings, sight, now))
    if _decided(watch, rulings):
        watch = watch._replace(verdict=_verdict(watch, rulings))
    return watch, events


def _known(watch: Watch, sight: Sight) -> tuple[Pipeline, ...]:
    """Every row that can be spoken of: those of this sight, and those that are followed."""
    seen = {row.number: row for row in (*(thread.pipeline for thread in watch.threads), *sight.details, *sight.rows)}
    return tuple(seen.values())


def _follow(watch: Watch, sight: Sight, now: float) -> tuple[Watch, tuple[Event, ...]]:
    """Hand a superseded thread on to the newer pipeline that contains our commit."""
    events: list[Event] = []
    rows = _known(watch, sight)
    for thread in watch.threads:
        if judge(thread, watch, rows, now) is not Open.FOLLOW:
            continue
        row = next(row for row in rows if row.number == successor(thread.pipeline, rows))
        note = f"#{thread.number} was superseded by #{row.number}, which contains {watch.scope.sha[:8]}: following it"
        ended = now if row.status.settled else None
        newer = Thread(thread.event, thread.ref, row, firm=True, changed_at=now, status_at=now, settled_at=ended)
        watch = watch.with_thread(newer)._replace(accepted=watch.accepted | {row.commit})
        events.append(pipeline_changed(watch, row, note=note))
    return watch, tuple(events)


def _questions(watch: Watch, rulings: dict[Thread, Ruling | Open], sight: Sight, now: float) -> Ask:
    """What the next look should bring; in a hurry only the list, for the list decides."""
    details: set[int] = set()
    commits: set[str] = set()
    rows = _known(watch, sight)
    for thread, ruling in rulings.items():
        match ruling:
            case Open.RUNNING if len(rulings) > 1 and now >= watch.hurry_until and not watch.streaming:
                details.add(thread.number)
            case Open.DETAIL | Open.FOLLOW:
                details.add(thread.number)
            case Open.SUCCESSOR:
                details.add(successor(thread.pipeline, rows))
            case Open.CONTAINMENT:
                number = successor(thread.pipeline, rows)
                commits |= {row.commit for row in rows if row.number == number}
            case Open.RUNNING | Ruling():
                pass
    queued = any(t.pipeline.status is Status.PENDING and now - t.changed_at >= QUEUED for t in watch.threads)
    return Ask(
        floor=min([watch.top, *(thread.number for thread in watch.threads)]),
        glance=_glance(watch, rulings, now),
        details=tuple(sorted(details)),
        commits=tuple(sorted(commits)),
        queue=queued,
    )


def _glance(watch: Watch, rulings: dict[Thread, Ruling | Open], now: float) -> int:
    """Every other look at a single running pipeline is only at its detail: progress for one request."""
    if len(rulings) != 1 or watch.glanced or watch.contact.misses or now < watch.hurry_until:
        return 0
    ((thread, ruling),) = rulings.items()
    running = ruling is Open.RUNNING and thread.pipeline.status is Status.RUNNING
    return thread.number if running else 0


def _decided(watch: Watch, rulings: dict[Thread, Ruling | Open]) -> bool:
    found = [ruling for ruling in rulings.values() if isinstance(ruling, Ruling)]
    if watch.fail_fast and any(ruling.exit is Exit.FAILED for ruling in found):
        return True
    return bool(rulings) and len(found) == len(rulings)


def _verdict(watch: Watch, rulings: dict[Thread, Ruling | Open]) -> Verdict:
    """The worst ruling, with every deciding pipeline."""
    found = {thread: ruling for thread, ruling in rulings.items() if isinstance(ruling, Ruling)}
    exit_ = worst(ruling.exit for ruling in found.values())
    thread, ruling = next((t, r) for t, r in found.items() if r.exit is exit_)
    return Verdict(
        exit=exit_,
        word="passed" if exit_ is Exit.OK else "",
        reason=ruling.reason,
        hint=ruling.hint,
        sha=watch.scope.sha,
        pipelines=results(watch),
        url=watch.url(thread.number),
    )


def results(watch: Watch) -> tuple[PipelineResult, ...]:
    """Every deciding pipeline as the result shows it."""
    return tuple(
        PipelineResult(
            number=t.number,
            event=t.event,
            ref=t.ref,
            status=t.pipeline.raw_status or t.pipeline.status.value,
            url=watch.url(t.number),
        )
        for t in watch.threads
    )


def _count_time(watch: Watch, look: Look[Sight], now: float) -> Watch:
    """Nothing is decided: is any patience over?"""
    assert watch.began is not None  # noqa: S101 - set by the first turn
    waited = now - watch.began
    if isinstance(look, Missed | Denied) and now - watch.contact.last >= watch.patience.unreachable:
        return _end(watch, contact.unreachable(look, watch.patience.unreachable))
    answered = isinstance(look, Seen | Absent)
    if answered and not watch.threads and (waited >= watch.patience.appear or not watch.active):
        gone = ", ".join(f"#{number}" for number in sorted(watch.gone))
        reason = f"{gone} was created and then filtered out" if gone else "no pipeline appeared"
        return _end(watch, Verdict(exit=Exit.NO_PIPELINE, reason=reason))
    over = waited >= watch.patience.timeout or (answered and watch.patience.once)
    if over and (_running(watch) or waited >= watch.patience.timeout + GRACE):
        unseen = (
            f"no usable answer so far ({look.reason})" if isinstance(look, Missed) else "no pipeline has appeared yet"
        )
        numbers = ", ".join(f"#{t.number} is {t.pipeline.status}" for t in watch.threads) or unseen
        said = "undecided" if watch.patience.once else "the time is over"
        hint = "homelab-watch waits for it" if watch.patience.once else "the same command goes on"
        return _end(watch, Verdict(exit=Exit.TIMEOUT, reason=f"{said}: {numbers}", hint=hint))
    return watch


def _running(watch: Watch) -> bool:
    """Whether CI itself is what is waited for, not an answer to a question of ours."""
    if watch.contact.misses:
        return True
    return not watch.threads or any(not t.pipeline.status.settled for t in watch.threads)


def _end(watch: Watch, verdict: Verdict) -> Watch:
    url = watch.url(watch.threads[0].number) if watch.threads else ""
    return watch._replace(verdict=verdict._replace(sha=watch.scope.sha, pipelines=results(watch), url=url))
