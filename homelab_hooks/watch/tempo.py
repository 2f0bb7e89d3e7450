"""What a sight says about the time: whether the event stream can be relied on, and when the end is due."""

from __future__ import annotations

from homelab_hooks.events import Event
from homelab_hooks.model import Pipeline, Status
from homelab_hooks.watch.state import Sight, Watch

HURRY = 2.0
"""seconds of quick looks after the stream said that every step has ended (measured, A4)"""
DEAF = 2
"""changes that the stream may miss before it counts as down"""
SAMPLES = 5
"""earlier successful pipelines that the expectation is taken from"""


def listen(watch: Watch, sight: Sight, now: float) -> tuple[Watch, list[Event]]:
    """The stream wakes and no more; one that misses changes counts as down, whatever it pretends."""
    changed = any(thread.changed_at == now and thread.firm for thread in watch.threads)
    missed = changed and watch.streaming and not sight.hinted
    deaf = watch.deaf + 1 if missed else 0 if sight.hinted and changed else watch.deaf
    if (deaf, sight.streaming, sight.ending) == (watch.deaf, False, False) and not watch.streaming:
        return watch, []
    return watch._replace(
        deaf=deaf,
        streaming=sight.streaming and deaf < DEAF,
        hurry_until=now + HURRY if sight.ending else watch.hurry_until,
    ), []


def learn(watch: Watch, sight: Sight, now: float) -> tuple[Watch, list[Event]]:
    """How long such a pipeline usually takes, known before the first word about it."""
    del now
    ours = [row for row in sight.rows if row.commit in watch.accepted and watch.scope.decides(row)]
    if watch.expected is not None or not ours:
        return watch, []
    return watch._replace(expected=_usual(ours[0], sight)), []


def expect(watch: Watch, sight: Sight, now: float) -> tuple[Watch, list[Event]]:
    """When the running pipeline is due, from how long earlier successful ones of its branch took."""
    running = [thread.pipeline for thread in watch.threads if thread.pipeline.status is Status.RUNNING]
    if not running:
        return (watch if watch.due is None else watch._replace(due=None)), []
    pipeline = running[0]
    expected = watch.expected if watch.expected is not None else _usual(pipeline, sight)
    if expected is None or not pipeline.started or not sight.wall:
        return (watch if expected == watch.expected else watch._replace(expected=expected)), []
    elapsed = max(0.0, sight.wall - pipeline.started)
    return watch._replace(expected=expected, due=now + expected - elapsed), []


def _usual(pipeline: Pipeline, sight: Sight) -> float | None:
    """The median of the last successful ones of the same event and branch."""
    like = [row for row in sight.rows if (row.event, row.branch) == (pipeline.event, pipeline.branch)]
    took = sorted([row.took for row in like if row.status is Status.SUCCESS and row.took][:SAMPLES])
    return float(took[len(took) // 2]) if took else None
